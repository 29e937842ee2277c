"""Writing of tnetstrings, the values of flow files: the other half of `tnetstring`, which tells what they are.

`native` writes flows with it. Every flow that passes through the proxy may be saved, so this is on the data path.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from midstream.store.formats.tnetstring import MAX_DEPTH, TNetstringError


def dump(value: Any, name: str = "value") -> bytes:
    """The bytes that hold this value; tuples are written as lists.

    Raises TNetstringError for what has no form; it says where in the value, which it calls by the given name.
    """
    parts: list[bytes] = []
    try:
        _emit(value, parts, 0)
    except (TNetstringError, UnicodeEncodeError):
        _explain(value, name, 0)
        raise
    return b"".join(parts)


_SHORT = 10**18
_LARGE = 4096  # bytes; more are not copied once more


def _emit(value: Any, parts: list[bytes], depth: int) -> int:
    """Append the parts of a value and return their size. The length in front is put in when the rest is known, so
    that a body is not copied once for each level that it lies in.
    """
    is_mapping = type(value) is dict or isinstance(value, Mapping)
    if not is_mapping and not isinstance(value, list | tuple):
        return _emit_leaf(value, parts)
    if depth >= MAX_DEPTH:
        raise TNetstringError("too deep")
    index = len(parts)
    parts.append(b"")
    size = 0
    for item in value:
        if is_mapping:
            if type(item) is str:
                part = _key_bytes(item)
                parts.append(part)
                size += len(part)
            else:
                size += _emit_leaf(item, parts)
            item = value[item]
        kind = type(item)
        if item is None:
            part = b"0:~"
        elif kind is bool:
            part = b"4:true!" if item else b"5:false!"
        elif kind is int and -_SHORT < item < _SHORT:
            raw = b"%d" % item
            part = b"%d:%b#" % (len(raw), raw)
        elif kind is str:
            raw = item.encode("utf-8", "surrogateescape")
            part = b"%d:%b;" % (len(raw), raw)
        elif kind is bytes:
            if len(item) > _LARGE:
                size += _emit_leaf(item, parts)
                continue
            part = b"%d:%b," % (len(item), item)
        elif kind is float:
            raw = repr(item).encode()
            part = b"%d:%b^" % (len(raw), raw)
        elif kind is Written:
            part = item
        elif kind is tuple and len(item) == 2 and type(item[0]) is bytes and type(item[1]) is bytes:
            # A header field: the most frequent of all containers.
            raw = b"%d:%b,%d:%b," % (len(item[0]), item[0], len(item[1]), item[1])
            part = b"%d:%b]" % (len(raw), raw)
        else:
            size += _emit(item, parts, depth + 1)
            continue
        parts.append(part)
        size += len(part)
    parts[index] = b"%d:" % size
    parts.append(b"}" if is_mapping else b"]")
    return len(parts[index]) + size + 1


def _emit_leaf(value: Any, parts: list[bytes]) -> int:
    payload, tag = _payload(value, "")
    prefix = b"%d:" % len(payload)
    parts += (prefix, payload, tag)
    return len(prefix) + len(payload) + 1


class Written(bytes):
    """A value that `dump` has written before, in place of the value."""

    __slots__ = ()


@lru_cache(1024)
def _key_bytes(key: str) -> bytes:
    raw = _text(key, "")
    return b"%d:%b;" % (len(raw), raw)


def _explain(value: Any, where: str, depth: int) -> None:
    """Raise the error that names the part of a value that has no form."""
    if not isinstance(value, list | tuple | Mapping):
        _payload(value, where)
        return
    if depth >= MAX_DEPTH:
        raise TNetstringError(f"{where}: values are nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, list | tuple | Mapping):
                raise TNetstringError(f"{where}: {key!r} cannot be a key in a file")
            _payload(key, where)
            _explain(item, f"{where}.{key}", depth + 1)
    else:
        for number, item in enumerate(value):
            _explain(item, f"{where}[{number}]", depth + 1)


def _payload(value: Any, where: str) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"", b"~"
        case bool():
            return (b"true" if value else b"false"), b"!"
        case int() if value.bit_length() < 3000:
            return b"%d" % value, b"#"
        case float():
            return float.__repr__(value).encode(), b"^"
        case bytes():
            return value, b","
        case bytearray():
            return bytes(value), b","
        case str():
            return _text(value, where), b";"
        case int():
            raise TNetstringError(f"{where}: the number has too many digits to be written")
        case _:
            raise TNetstringError(f"{where}: a value of type {type(value).__name__} cannot be written")


def _text(value: str, where: str) -> bytes:
    # Bytes that were no UTF-8 are kept in text as lone surrogates; here they become the same bytes again.
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise TNetstringError(f"{where}: {value[error.start]!r} cannot be written as UTF-8") from None
