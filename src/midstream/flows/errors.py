"""The errors that cross rooms: what addons raise and catch by name.

They stand in the lowest room that raises one of them. `midstream/exceptions.py` is the door for addon authors.
Errors that stay within one room (refused framing, filter syntax) live in that room.
"""

from __future__ import annotations


class MidstreamError(Exception):
    """Base of the errors that midstream raises on purpose; its text is a sentence for the user."""


class FlowReadException(MidstreamError):
    """A flow file cannot be read, or not to its end."""


class ControlException(MidstreamError):
    """A flow cannot do what it was told, such as to be killed after it has ended."""


class OptionsError(MidstreamError):
    """An option name or value is refused; raised in `configure` it takes the whole update back."""


class AddonManagerError(MidstreamError):
    """An addon cannot be added, found or removed."""


class AddonHalt(MidstreamError):
    """Raised by a handler: no later addon sees this event."""


class CommandError(Exception):
    """A command cannot be run as typed. Stands outside `MidstreamError`, as addons know it from the reference."""
