"""The value that stands in a line of pretty JSON, a whole list or object included where the line opens one.

What `y v` copies in the details. Works on the lines that are shown, so a text of any size costs what is copied of it.
"""

from __future__ import annotations

from collections.abc import Callable

from midstream.flows.errors import CommandError

_LARGEST = 256 * 1024  # characters that are gathered while everything else waits
_CLOSING = {"{": "}", "[": "]"}


def json_value(text_of: Callable[[int], str], line: int, count: int) -> str:
    """The value of a line without its name and the comma behind it; `count` lines are there."""
    first = text_of(line)
    value = _alone(first)
    closing = _CLOSING.get(value)
    if closing is None:
        return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' and "\\" not in value else value
    indent = len(first) - len(first.lstrip(" "))
    lines, size = [value], 0
    for number in range(line + 1, count):
        text = text_of(number)
        lines.append(text[indent:].rstrip("\n"))
        size += len(text)
        if text.startswith(" " * indent + closing):
            lines[-1] = lines[-1].removesuffix(",")
            return "\n".join(lines)
        if size > _LARGEST:
            raise CommandError("the value is larger than 256 kB; y b and y B copy the bodies, b saves one to a file")
    return value


def _alone(line: str) -> str:
    text = line.strip()
    if text.startswith('"') and '": ' in text:
        text = text[text.index('": ') + 3 :]
    return text.removesuffix(",")
