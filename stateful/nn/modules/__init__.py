"""The modules of `nn`. This is the map."""

from types import ModuleType as _ModuleType

from .activation import ACTIVATIONS as _ACTIVATIONS
from .activation import PReLU as PReLU
from .activation import RReLU as RReLU
from .activation import Softmax2d as Softmax2d
from .adaptive import AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss
from .attention import MultiheadAttention as MultiheadAttention
from .batchnorm import BatchNorm1d as BatchNorm1d
from .batchnorm import BatchNorm2d as BatchNorm2d
from .batchnorm import BatchNorm3d as BatchNorm3d
from .batchnorm import InstanceNorm1d as InstanceNorm1d
from .batchnorm import InstanceNorm2d as InstanceNorm2d
from .batchnorm import InstanceNorm3d as InstanceNorm3d
from .container import ModuleDict as ModuleDict
from .container import ModuleList as ModuleList
from .container import ParameterDict as ParameterDict
from .container import ParameterList as ParameterList
from .container import Sequential as Sequential
from .conv import Conv1d as Conv1d
from .conv import Conv2d as Conv2d
from .conv import Conv3d as Conv3d
from .conv import ConvTranspose1d as ConvTranspose1d
from .conv import ConvTranspose2d as ConvTranspose2d
from .conv import ConvTranspose3d as ConvTranspose3d
from .distance import CosineSimilarity as CosineSimilarity
from .distance import PairwiseDistance as PairwiseDistance
from .dropout import DROPOUTS as _DROPOUTS
from .fractional import FractionalMaxPool2d as FractionalMaxPool2d
from .fractional import FractionalMaxPool3d as FractionalMaxPool3d
from .lazy import LAZY as _LAZY
from .linear import Bilinear as Bilinear
from .linear import Identity as Identity
from .linear import Linear as Linear
from .loss import LOSSES as _LOSSES
from .loss import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss
from .module import Module as Module
from .normalization import GroupNorm as GroupNorm
from .normalization import LayerNorm as LayerNorm
from .normalization import LocalResponseNorm as LocalResponseNorm
from .normalization import RMSNorm as RMSNorm
from .padding import PADS as _PADS
from .pooling import POOLS as _POOLS
from .pooling import MaxUnpool1d as MaxUnpool1d
from .pooling import MaxUnpool2d as MaxUnpool2d
from .pooling import MaxUnpool3d as MaxUnpool3d
from .rnn import GRU as GRU
from .rnn import LSTM as LSTM
from .rnn import RNN as RNN
from .rnn import GRUCell as GRUCell
from .rnn import LSTMCell as LSTMCell
from .rnn import RNNBase as RNNBase
from .rnn import RNNCell as RNNCell
from .rnn import RNNCellBase as RNNCellBase
from .shape import ChannelShuffle as ChannelShuffle
from .shape import Flatten as Flatten
from .shape import Fold as Fold
from .shape import PixelShuffle as PixelShuffle
from .shape import PixelUnshuffle as PixelUnshuffle
from .shape import Unflatten as Unflatten
from .shape import Unfold as Unfold
from .shape import Upsample as Upsample
from .shape import UpsamplingBilinear2d as UpsamplingBilinear2d
from .shape import UpsamplingNearest2d as UpsamplingNearest2d
from .sparse import Embedding as Embedding
from .sparse import EmbeddingBag as EmbeddingBag
from .transformer import Transformer as Transformer
from .transformer import TransformerDecoder as TransformerDecoder
from .transformer import TransformerDecoderLayer as TransformerDecoderLayer
from .transformer import TransformerEncoder as TransformerEncoder
from .transformer import TransformerEncoderLayer as TransformerEncoderLayer

for _table in (_ACTIVATIONS, _DROPOUTS, _LAZY, _LOSSES, _PADS, _POOLS):
    globals().update(_table)
__all__ = [
    name for name, item in list(globals().items())
    if name[0] != "_" and not isinstance(item, _ModuleType)
]  # fmt: skip
