"""Door for programs that run midstream inside themselves: the headless proxy as an object. See docs/embedding.md."""

from midstream.app import DumpMaster
from midstream.hub.master import Master

__all__ = ["DumpMaster", "Master"]
