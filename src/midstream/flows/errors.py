"""The exceptions that addons may meet. Raised from flows upwards; `midstream.exceptions` is the door to them.

Protocol errors of peers are no exceptions of this kind: they become `flow.error`.
"""


class MidstreamError(Exception):
    """Base of the errors that midstream raises towards addons. Scripts know it as `MitmproxyException` too."""


class FlowReadException(MidstreamError):
    """A saved flow or flow file cannot be read."""


class ControlException(MidstreamError):
    """A flow cannot do what was asked of it, such as being killed twice."""


class OptionsError(MidstreamError):
    """An option value is refused. Raised in `configure`, it rolls the change back."""


class AddonManagerError(MidstreamError):
    """An addon cannot be added, removed or called."""


class AddonHalt(MidstreamError):
    """Raised by a handler to keep the present event from the addons that come later."""


class CommandError(Exception):
    """A command was called in a way that it cannot serve; the message is shown to the user."""
