"""Where in a JSON a line of its pretty text stands: `/items/3/sku`, as RFC 6901 writes it.

The text is that of the JSON view: two spaces for each level, one value or bracket to a line. So the way up needs no
parser: the line that opened a level is the next one above that is indented less. Works in steps, since a list may have
a million lines above.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STEP = 256  # lines between two rests
_MOST = 300_000  # lines that are looked at: a third of a second in slices
_DEEPEST = 40  # levels that the view indents
_LONGEST_KEY = 4096
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*+)": ', re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
UNKNOWN = "…"
"""Stands for the beginning of a pointer that would take too long to find."""


class Pointer:
    """The pointer of the line that begins at `offset`; call `find` until it is exhausted, then read `text`."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.text = ""
        self._data = data
        self._offset = offset

    def find(self) -> Iterator[None]:
        """Look; yields after each step of work."""
        data, at = self._data, self._offset
        depth = self._indent(at)
        if depth // 2 >= _DEEPEST:
            self.text = UNKNOWN
            return
        tokens: list[str] = []
        looked = 0
        # A closing bracket is where its opening one is; what is between them is indented more.
        wants_opener = data[at + depth : at + depth + 1] in (b"}", b"]")
        index = 0
        key = None if wants_opener else self._key(at + depth)
        while depth > 0 or wants_opener:
            if key is not None and not wants_opener:
                tokens.append(key)
            target = depth if wants_opener else depth - 2
            # Up to the line that opened this level; in a list, the lines of this level are counted on the way.
            while at > 0:
                looked += 1
                if looked % _STEP == 0:
                    yield
                if looked > _MOST:
                    self.text = "/".join([UNKNOWN, *reversed(tokens)])
                    return
                at = data.rfind(b"\n", 0, at - 1) + 1
                here = self._indent(at)
                if here <= target:
                    break
                if here == depth and data[at + here : at + here + 1] not in (b"}", b"]"):
                    index += 1
            else:
                break
            if key is None and not wants_opener:
                tokens.append(str(index))
            depth, index, wants_opener = target, 0, False
            key = self._key(at + depth)
        self.text = "".join(f"/{token}" for token in reversed(tokens))

    def _indent(self, at: int) -> int:
        end = at
        while end - at < 2 * _DEEPEST and self._data[end : end + 1] == b" ":
            end += 1
        return end - at

    def _key(self, at: int) -> str | None:
        """The name that a line begins with, as RFC 6901 §3 writes it; None for a value of a list."""
        found = _KEY.match(self._data, at, at + _LONGEST_KEY)
        if found is None:
            return None
        name = _ESCAPE.sub(_unescaped, found[1].decode("utf-8", "surrogateescape"))
        if not name.isascii():  # two escapes may be the halves of one character
            name = name.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return name.replace("~", "~0").replace("/", "~1")


def _unescaped(found: re.Match[str]) -> str:
    word = found[1]
    return chr(int(word[1:], 16)) if len(word) == 5 else _ESCAPED.get(word, word)
