"""Regular expressions of filters: compiled once into a function that says whether a text or some bytes match.

Matching is that of `re.search`, without regard to case unless the environment says otherwise, for as long as the
allowance lasts (text/patterns.py). Used by the operator table only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import AnyStr, TypeAlias

from midstream.filters.errors import BadArgument
from midstream.text.environment import variable
from midstream.text.patterns import Allowance, check, searcher

StrTest: TypeAlias = Callable[[str], bool]
BytesTest: TypeAlias = Callable[[bytes], bool]

# Letters, digits and the marks that mean only themselves in a regex.
_LITERAL = re.compile(r"[A-Za-z0-9_/:;,=&%@!~ \"'<>-]+")


def case_sensitive() -> bool:
    """Whether the environment asks for exact case."""
    return variable("CASE_SENSITIVE_FILTERS") == "1"


def str_test(pattern: str, flags: int, allowance: Allowance) -> StrTest:
    """A test for text. BadArgument when `pattern` is no regular expression."""
    exact = case_sensitive()
    flags = flags if exact else flags | re.IGNORECASE
    if _LITERAL.fullmatch(pattern) is None:
        return _compiled(pattern, flags, allowance)
    if exact:
        return lambda text: pattern in text
    # `in` is several times faster than an IGNORECASE search, and the same as long as both are ASCII.
    needle, search = pattern.lower(), re.compile(pattern, flags).search
    return lambda text: needle in text.lower() if text.isascii() else search(text) is not None


def bytes_test(pattern: str, flags: int, allowance: Allowance) -> BytesTest:
    """A test for bytes; the pattern is taken as UTF-8. BadArgument when it is no regular expression."""
    exact = case_sensitive()
    try:
        raw = pattern.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        reason = "this is no regular expression: it has a character that no text has"
        raise BadArgument(reason, error.start) from None
    flags = flags if exact else flags | re.IGNORECASE
    if _LITERAL.fullmatch(pattern) is None:
        return _compiled(raw, flags, allowance)
    if exact:
        return lambda data: raw in data
    needle = raw.lower()
    return lambda data: needle in data.lower()


def _compiled(pattern: AnyStr, flags: int, allowance: Allowance) -> Callable[[AnyStr], bool]:
    try:
        check(pattern, flags)
        return searcher(pattern, flags, allowance)
    except re.error as error:
        offset = error.pos or 0
        if isinstance(pattern, bytes):
            offset = len(pattern[:offset].decode("utf-8", "surrogateescape"))
        raise BadArgument(f"this is no regular expression: {error.msg}", offset) from None
    except ValueError as error:  # flags that exclude each other
        raise BadArgument(f"this is no regular expression: {error}") from None
    except (OverflowError, RecursionError, MemoryError):
        raise BadArgument("this regular expression is too large") from None
