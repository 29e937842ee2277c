"""Regular expressions of filters: compiled once into a function that says whether a text or some bytes match.

Matching is `re.search`, without regard to case unless the environment says otherwise. Used by the operator table only.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from typing import AnyStr, TypeAlias

from midstream.filters.errors import BadArgument

StrTest: TypeAlias = Callable[[str], bool]
BytesTest: TypeAlias = Callable[[bytes], bool]

CASE_VARIABLES = ("MIDSTREAM_CASE_SENSITIVE_FILTERS", "MITMPROXY_CASE_SENSITIVE_FILTERS")

# Letters, digits and the marks that mean only themselves in a regex.
_LITERAL = re.compile(r"[A-Za-z0-9_/:;,=&%@!~ \"'<>-]+")


def case_sensitive() -> bool:
    """Whether one of the two environment variables asks for exact case."""
    return any(os.environ.get(name) == "1" for name in CASE_VARIABLES)


def str_test(pattern: str, flags: int = 0) -> StrTest:
    """A test for text. BadArgument when `pattern` is no regular expression."""
    exact = case_sensitive()
    search = _compile(pattern, flags if exact else flags | re.IGNORECASE).search
    if _LITERAL.fullmatch(pattern) is None:
        return lambda text: search(text) is not None
    if exact:
        return lambda text: pattern in text
    # `in` is several times faster than an IGNORECASE search, and the same as long as both are ASCII.
    needle = pattern.lower()
    return lambda text: needle in text.lower() if text.isascii() else search(text) is not None


def bytes_test(pattern: str, flags: int = 0) -> BytesTest:
    """A test for bytes; the pattern is taken as UTF-8. BadArgument when it is no regular expression."""
    exact = case_sensitive()
    try:
        raw = pattern.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        reason = "this is no regular expression: it has a character that no text has"
        raise BadArgument(reason, error.start) from None
    search = _compile(raw, flags if exact else flags | re.IGNORECASE).search
    if _LITERAL.fullmatch(pattern) is None:
        return lambda data: search(data) is not None
    if exact:
        return lambda data: raw in data
    needle = raw.lower()
    return lambda data: needle in data.lower()


def _compile(pattern: AnyStr, flags: int) -> re.Pattern[AnyStr]:
    try:
        with warnings.catch_warnings():
            # "possible nested set" and its like are notes for programmers; the meaning is the documented one.
            warnings.simplefilter("ignore")
            return re.compile(pattern, flags)
    except re.error as error:
        offset = error.pos or 0
        if isinstance(pattern, bytes):
            offset = len(pattern[:offset].decode("utf-8", "surrogateescape"))
        raise BadArgument(f"this is no regular expression: {error.msg}", offset) from None
    except ValueError as error:  # flags that exclude each other
        raise BadArgument(f"this is no regular expression: {error}") from None
    except (OverflowError, RecursionError, MemoryError):
        raise BadArgument("this regular expression is too large") from None
