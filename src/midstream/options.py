"""Door for addon authors: the options of a master."""

from midstream.hub.options import Options

__all__ = ["Options"]
