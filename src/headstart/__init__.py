"""headstart gives a pretrained encoder a task head and fine-tunes it."""

from headstart._version import __version__

__all__ = ["__version__"]
