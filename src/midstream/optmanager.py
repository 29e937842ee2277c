"""Door for addon authors: the options of a master, and reading and writing them as YAML."""

from midstream.hub.config import load, load_paths, relative_path, save, serialize
from midstream.hub.option_listing import dump_defaults, dump_dicts
from midstream.hub.options import Options as OptManager

__all__ = [
    "OptManager",
    "dump_defaults",
    "dump_dicts",
    "load",
    "load_paths",
    "relative_path",
    "save",
    "serialize",
]
