"""What may stand in `flow.metadata` for scripts, and in no file: secrets.

`Flow.get_state` leaves such values out; what writes flows goes through that.
"""


class Unsaved:
    """A class to derive from. Its objects should say nothing secret in their repr, which filters and logs see."""

    __slots__ = ()
