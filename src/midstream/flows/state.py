"""Checks for the plain values of which a saved flow consists.

Every class of `flows` lists its keys with a check in a `Schema`; `read` accepts exactly these keys and types, so that
a damaged or foreign flow file ends in one plain sentence and never in a flow whose parts surprise the rest of the
program later. The layout is version 21 of the reference's flow files. Containers and versions are `store`'s business.
"""

from collections.abc import Callable, Mapping
from typing import Any

State = dict[str, Any]
Check = Callable[[Any, str], Any]


class StateError(ValueError):
    """A state does not describe what it should; the message says where."""


class Schema(dict[str, Check]):
    """The keys of a state and what their values must be."""

    __slots__ = ("steps",)

    def __init__(self, checks: Mapping[str, Check]) -> None:
        super().__init__(checks)
        self.steps = {key: (_taken_as_they_are(check), check) for key, check in checks.items()}
        """For each key the types whose values need no check, and the check for others. Most values of most files are of
        such a type, and a call for each would take half of the time that a flow takes to read."""


def read(state: Any, where: str, schema: Schema, optional_keys: frozenset[str] = frozenset()) -> State:
    """Check a state dict against its schema and return the converted values.

    All keys must be there, but for `optional_keys`, and no others. Raises StateError.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"{where}: expected a dict, got {type(state).__name__}")
    result, steps = dict(state), schema.steps
    for key, value in state.items():
        step = steps.get(key)
        if step is None:
            raise StateError(f"{where}: unknown key {key!r}")
        if type(value) not in step[0]:
            result[key] = step[1](value, f"{where}.{key}")
    if len(result) < len(steps):
        for key in steps:
            if key not in result and key not in optional_keys:
                raise StateError(f"{where}: key {key!r} is missing")
    return result


def _mismatch(wanted: str, value: Any, where: str) -> StateError:
    return StateError(f"{where}: expected {wanted}, got {type(value).__name__}")


def text(value: Any, where: str) -> str:
    """Text."""
    if isinstance(value, str):
        return value
    raise _mismatch("text", value, where)


def binary(value: Any, where: str) -> bytes:
    """A byte string."""
    if isinstance(value, bytes):
        return value
    raise _mismatch("bytes", value, where)


def flag(value: Any, where: str) -> bool:
    """A boolean."""
    if isinstance(value, bool):
        return value
    raise _mismatch("a boolean", value, where)


def integer(value: Any, where: str) -> int:
    """An integer; a float is one if nothing is lost."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _mismatch("an integer", value, where)


def number(value: Any, where: str) -> float:
    """An integer or float, such as a timestamp in seconds."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _mismatch("a number", value, where)
    try:
        float(value)
    except OverflowError:
        raise StateError(f"{where}: this number is too large") from None
    return value


def plain_dict(value: Any, where: str) -> dict[str, Any]:
    """A dict whose keys are text."""
    if isinstance(value, Mapping):
        return {text(key, f"{where} key"): item for key, item in value.items()}
    raise _mismatch("a dict", value, where)


def notes(value: Any, where: str) -> dict[Any, Any]:
    """A dict of what addons noted, under whatever keys."""
    if isinstance(value, Mapping):
        return dict(value)
    raise _mismatch("a dict", value, where)


class optional:
    """None, or what the other check wants."""

    def __init__(self, check: Check) -> None:
        self.check = check

    def __call__(self, value: Any, where: str) -> Any:
        return None if value is None else self.check(value, where)


# Not int for numbers: some are too large for a float.
_PLAIN: dict[Check, type] = {text: str, binary: bytes, flag: bool, integer: int, number: float}


def _taken_as_they_are(check: Check) -> frozenset[type]:
    if isinstance(check, optional):
        return _taken_as_they_are(check.check) | {type(None)}
    return frozenset({_PLAIN[check]}) if check in _PLAIN else frozenset()


def one_of(*choices: str) -> Check:
    """One of a few words."""

    def check(value: Any, where: str) -> str:
        if text(value, where) in choices:
            return str(value)
        raise StateError(f"{where}: {value!r} is none of {', '.join(choices)}")

    return check


def listed(check: Check) -> Check:
    """A list or tuple of such items, as a tuple."""
    plain = _taken_as_they_are(check)

    def check_items(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _mismatch("a list", value, where)
        return tuple([item if type(item) in plain else check(item, f"{where}[{i}]") for i, item in enumerate(value)])

    return check_items


def row(*checks: Check) -> Check:
    """A list or tuple of exactly these items, as a tuple."""
    steps = [(_taken_as_they_are(check), check) for check in checks]

    def check_row(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _mismatch("a list", value, where)
        if len(value) != len(steps):
            raise StateError(f"{where}: expected {len(steps)} items, got {len(value)}")
        return tuple(
            [
                item if type(item) in plain else check(item, f"{where}[{i}]")
                for i, ((plain, check), item) in enumerate(zip(steps, value, strict=True))
            ]
        )

    return check_row


_pair = row(binary, binary)


def pairs(value: Any, where: str) -> tuple[tuple[bytes, bytes], ...]:
    """A list or tuple of pairs of byte strings, as a tuple: what `listed(row(binary, binary))` gives, but faster."""
    if not isinstance(value, list | tuple):
        raise _mismatch("a list", value, where)
    result = []
    for i, item in enumerate(value):
        if type(item) in _LISTS and len(item) == 2 and type(item[0]) is bytes and type(item[1]) is bytes:
            result.append(item if type(item) is tuple else (item[0], item[1]))
        else:
            result.append(_pair(item, f"{where}[{i}]"))
    return tuple(result)


_LISTS = frozenset({list, tuple})
_ADDRESS_PARTS = (text, integer, integer, integer)


def address(value: Any, where: str) -> tuple[Any, ...]:
    """Host and port, for IPv6 perhaps with flow label and scope."""
    if not isinstance(value, list | tuple):
        raise _mismatch("an address", value, where)
    if len(value) == 2 and type(value[0]) is str and type(value[1]) is int:
        return tuple(value)
    if not 2 <= len(value) <= 4:
        raise StateError(f"{where}: an address has 2 to 4 items, got {len(value)}")
    return tuple([check(item, f"{where}[{i}]") for i, (check, item) in enumerate(zip(_ADDRESS_PARTS, value))])  # noqa: B905
