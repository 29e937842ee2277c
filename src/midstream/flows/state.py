"""Checks for the plain values of which a saved flow consists.

Every class of `flows` lists its keys with a check in a `Schema`; `read` accepts exactly these keys and types, so that
a damaged or foreign flow file ends in one plain sentence and never in a flow whose parts surprise the rest of the
program later. The layout is version 21 of the reference's flow files. Containers and versions are `store`'s business.
"""

from collections.abc import Callable, Mapping
from typing import Any

State = dict[str, Any]
Check = Callable[[Any, str], Any]
Schema = Mapping[str, Check]


class StateError(ValueError):
    """A state does not describe what it should; the message says where."""


def read(state: Any, where: str, schema: Schema, optional_keys: frozenset[str] = frozenset()) -> State:
    """Check a state dict against its schema and return the converted values.

    All keys must be there, but for `optional_keys`, and no others. Raises StateError.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"{where}: expected a dict, got {type(state).__name__}")
    if unknown := [key for key in state if key not in schema]:
        raise StateError(f"{where}: unknown key {unknown[0]!r}")
    result = {}
    for key, check in schema.items():
        if key in state:
            result[key] = check(state[key], f"{where}.{key}")
        elif key not in optional_keys:
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


def optional(check: Check) -> Check:
    """None, or what the other check wants."""
    return lambda value, where: None if value is None else check(value, where)


def one_of(*choices: str) -> Check:
    """One of a few words."""

    def check(value: Any, where: str) -> str:
        if text(value, where) in choices:
            return str(value)
        raise StateError(f"{where}: {value!r} is none of {', '.join(choices)}")

    return check


def listed(check: Check) -> Check:
    """A list or tuple of such items, as a tuple."""

    def check_items(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _mismatch("a list", value, where)
        return tuple([check(item, f"{where}[{index}]") for index, item in enumerate(value)])

    return check_items


def row(*checks: Check) -> Check:
    """A list or tuple of exactly these items, as a tuple."""

    def check_row(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _mismatch("a list", value, where)
        if len(value) != len(checks):
            raise StateError(f"{where}: expected {len(checks)} items, got {len(value)}")
        return tuple([check(item, f"{where}[{i}]") for i, (check, item) in enumerate(zip(checks, value, strict=True))])

    return check_row


_ADDRESS_PARTS = (text, integer, integer, integer)


def address(value: Any, where: str) -> tuple[Any, ...]:
    """Host and port, for IPv6 perhaps with flow label and scope."""
    if not isinstance(value, list | tuple):
        raise _mismatch("an address", value, where)
    if not 2 <= len(value) <= 4:
        raise StateError(f"{where}: an address has 2 to 4 items, got {len(value)}")
    return tuple([check(item, f"{where}[{i}]") for i, (check, item) in enumerate(zip(_ADDRESS_PARTS, value))])  # noqa: B905
