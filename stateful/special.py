"""`torch.special`: derived from the declarations; most functions have a name in `torch` too."""

from .methods import FUNCTIONS as _FUNCTIONS

_SHARED = """
digamma erf erfc erfinv exp2 expm1 i0 log1p log_softmax logit logsumexp polygamma round sinc softmax
xlogy
""".split()
_RENAMED = {
    "expit": "sigmoid", "gammaln": "lgamma", "multigammaln": "mvlgamma", "psi": "digamma",
    "gammainc": "igamma", "gammaincc": "igammac",
}  # fmt: skip

globals().update(_FUNCTIONS["special"])
globals().update({name: _FUNCTIONS["torch"][name] for name in _SHARED})
globals().update(
    {new: _FUNCTIONS["torch"][old] for new, old in _RENAMED.items() if old in _FUNCTIONS["torch"]}
)
