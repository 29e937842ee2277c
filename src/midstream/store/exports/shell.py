"""Words for POSIX shells: whatever the bytes are, the shell hands exactly them on and does nothing else.

Used by every format that is a command line. The words mean the same in sh, dash, bash, zsh and fish, typed, pasted or
in a file: no `$'…'`, which dash and fish do not know, and nothing that history expansion or completion would react to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from midstream.text.escape import visible

LONGEST_ARGUMENT = 100_000
"""Bytes of a word that goes to a program: Linux refuses 128 KiB (MAX_ARG_STRLEN). Longer ones go through a pipe."""

_PLAIN = re.compile(rb"[A-Za-z0-9_%+:,./@-][A-Za-z0-9_%+=:,./@-]*")
# Within single quotes fish gives a backslash a meaning before these.
_FISH = re.compile(rb"\\(?:\\|'|\Z)")
# Digits are no part of it: one behind an octal escape must not be taken for a part of that.
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz _./:=@+,;&?()[]{}<>|~#-")
_IN_FORMAT = [chr(byte) if byte in _SAFE else f"\\{byte:03o}" for byte in range(256)]
_PIECE = 64 * 1024


def word(data: bytes) -> str:
    """One word of exactly these bytes, which hold no NUL."""
    if _PLAIN.fullmatch(data):
        return data.decode("ascii")
    text = _shown(data)
    if text is not None and not _FISH.search(data):
        return "'" + text.replace("'", "'\\''") + "'"
    # A command substitution drops the line breaks at the end.
    core = data.rstrip(b"\n")
    ends = "\n" * (len(data) - len(core))
    return f'"$(printf {_format(core)})"' + (f"'{ends}'" if ends else "")


def is_text(data: bytes) -> bool:
    """Whether `word` shows these bytes as they are."""
    return _shown(data) is not None


def printed(data: bytes) -> str:
    """A command that prints exactly these bytes, NUL included; printf is part of every shell and takes any length."""
    text = _shown(data)
    if text is not None and not _FISH.search(data):
        return f"printf %s {word(data)}"
    return f"printf {_format(data)}"


def line(words: Iterable[str | bytes]) -> str:
    """A command line; bytes become words, text is taken as it stands."""
    return " ".join(each if isinstance(each, str) else word(each) for each in words)


def _shown(data: bytes) -> str | None:
    """The text that these bytes are, if every character of it can be seen; None for what has to be escaped."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    # A pasted tab asks for a completion. And each pasted line is looked at for history by itself: quotes that an
    # earlier one opened do not protect it in bash 4 and older, nor `^old^new` in any.
    later = text.partition("\n")[2]
    if "\t" in text or "!" in later or "\n^" in text:
        return None
    return text if visible(text, keep_newlines=True) == text else None


def _format(data: bytes) -> str:
    """The format for printf, quoted: octal escapes of three digits are what all shells agree about."""
    # In pieces, between which other threads get their turn.
    pieces = (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))
    out = "".join("".join(map(_IN_FORMAT.__getitem__, piece)) for piece in pieces)
    return f"'\\055{out[1:]}'" if out.startswith("-") else f"'{out}'"
