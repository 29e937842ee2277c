"""The exceptions that addons may meet. Raised from flows upwards; `midstream.exceptions` is the door to them.

Protocol errors of peers are no exceptions of this kind: they become `flow.error`.
"""


class MidstreamError(Exception):
    """Base of the errors that midstream raises towards addons. Scripts know it as `MitmproxyException` too."""


class FlowReadException(MidstreamError):
    """A saved flow or flow file cannot be read; `offset` is where in the file the trouble begins, if that is known."""

    def __init__(self, message: str = "", offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class ControlException(MidstreamError):
    """A flow cannot do what was asked of it, such as being killed twice."""


class OptionsError(MidstreamError):
    """An option value is refused. Raised in `configure`, it rolls the change back."""


class AddonManagerError(MidstreamError):
    """An addon cannot be added, removed or called."""


class StartError(MidstreamError):
    """A master could not start: its text is what went wrong, one line each. Raised where midstream is embedded."""


class AddonHalt(MidstreamError):
    """Raised by a handler to keep the present event from the addons that come later."""


class CommandError(Exception):
    """A command was called in a way that it cannot serve; the message is shown to the user."""
