"""What the present code runs in: `from midstream import ctx`.

`ctx.options` are the options, `ctx.master` is the program (with `commands`, `addons`, `shutdown()`), `ctx.log` logs for
old scripts; new ones use `logging`. They exist while a master runs: inside handlers and commands, not while a module is
imported.
"""

from typing import TYPE_CHECKING

from midstream.hub.ctx import __getattr__

if TYPE_CHECKING:
    from midstream.hub.ctx import log as log
    from midstream.hub.ctx import master as master
    from midstream.hub.ctx import options as options

# The other names exist only while a master runs, so that `import *` and pydoc must not ask for them.
__all__ = ["__getattr__"]
