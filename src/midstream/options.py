"""Door for addon authors: the options of a master."""

from midstream.hub.given_options import GivenOptions as Options

__all__ = ["Options"]
