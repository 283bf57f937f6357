"""`torch.utils`: data loading. This is the map."""

from . import data as data
