"""Door for addon authors: the errors that midstream raises and understands."""

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
