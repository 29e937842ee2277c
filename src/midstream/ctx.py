"""`from midstream import ctx`: the running master, its options and (for old scripts) its log."""

from typing import TYPE_CHECKING

from midstream.hub.ctx import __getattr__

if TYPE_CHECKING:
    from midstream.hub.ctx import log as log
    from midstream.hub.ctx import master as master
    from midstream.hub.ctx import options as options

# The other names exist only while a master runs, so that `import *` and pydoc must not ask for them.
__all__ = ["__getattr__"]
