"""`torch.version`: whose behaviour this is."""

__version__ = "2.13.0+jax"
cuda = None
hip = None
git_version = "unknown"
debug = False
