"""The errors that midstream raises and understands: `from midstream import exceptions`.

Raise OptionsError in `configure` to refuse a change of options, CommandError in a command that cannot be done, and
AddonHalt in a handler to keep the event from the addons that come later.
"""

from midstream.flows.errors import (
    AddonHalt,
    AddonManagerError,
    CommandError,
    ControlException,
    FlowReadException,
    MidstreamError,
    OptionsError,
    StartError,
)

# The name that scripts written for the reference catch.
from midstream.flows.errors import MidstreamError as MitmproxyException

__all__ = [
    "AddonHalt",
    "AddonManagerError",
    "CommandError",
    "ControlException",
    "FlowReadException",
    "MidstreamError",
    "MitmproxyException",
    "OptionsError",
    "StartError",
]
