"""`mitmproxy.io.tnetstring`: the values of flow files, one by one. `midstream.io` reads and writes whole files."""

from __future__ import annotations

from typing import Any, BinaryIO

from midstream.store.formats import tnetstring, tnetstring_dump

_MOST_DIGITS = 12

dumps = tnetstring_dump.dump
loads = tnetstring.parse


def dump(value: Any, file_handle: BinaryIO) -> None:
    """Write a value to a file."""
    file_handle.write(tnetstring_dump.dump(value))


def load(file_handle: BinaryIO) -> Any:
    """The next value in a file; ValueError when there is none."""
    head = b""
    while len(head) <= _MOST_DIGITS and (byte := file_handle.read(1)):
        head += byte
        if byte == b":":
            break
    if not head[:-1].isdigit() or head[-1:] != b":":
        raise ValueError("no tnetstring begins here")
    return tnetstring.parse(head + file_handle.read(int(head[:-1]) + 1))
