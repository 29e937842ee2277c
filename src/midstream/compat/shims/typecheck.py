"""`mitmproxy.utils.typecheck`, `.sliding_window` and `.spec`: types of options, windows, and rules in one line."""

from __future__ import annotations

import collections
import itertools
import typing
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from midstream.filters import Filter, match_all, parse
from midstream.hub.option_types import option_type

T = TypeVar("T")


def check_option_type(name: str, value: Any, typeinfo: Any) -> None:
    """TypeError when `value` is not of an option's type. Types that no option has are checked as far as they go."""
    try:
        fits = option_type(typeinfo).accepts(value)
    except TypeError:
        plain = typing.get_origin(typeinfo) or typeinfo
        fits = not isinstance(plain, type) or isinstance(value, plain)
    if not fits:
        raise TypeError(f"{name}: expected {typeinfo}, not {type(value)}")


def typespec_to_str(typespec: Any) -> str:
    """The type of an option in words; NotImplementedError for what is none."""
    try:
        kind = option_type(typespec)
    except TypeError:
        raise NotImplementedError(f"{typespec!r} is no type of options") from None
    if kind.sequence:
        return "sequence of str"
    return f"optional {kind.base.__name__}" if kind.optional else kind.base.__name__


def window(iterator: Iterable[T], behind: int = 0, ahead: int = 0) -> Iterator[tuple[T | None, ...]]:
    """Each item with its neighbours, so many before and after it; None where there is none."""
    seen: collections.deque[T | None] = collections.deque([None] * behind, maxlen=behind + 1 + ahead)
    items = iter(iterator)
    first = list(itertools.islice(items, ahead))
    seen.extend(first)
    rest: Iterable[T | None] = itertools.chain(items, itertools.repeat(None, len(first)))
    if len(first) < ahead:
        seen.extend([None] * (ahead - len(first)))
    for item in rest:
        seen.append(item)
        yield tuple(seen)


def parse_spec(option: str) -> tuple[Filter, str, str]:
    """Filter, subject and replacement of `/filter/subject/replacement`; the first character separates the parts."""
    if not option:
        raise ValueError("a rule looks like /filter/subject/replacement; this one is empty")
    parts = option[1:].split(option[0], maxsplit=2)
    if len(parts) == 2:
        return match_all, parts[0], parts[1]
    if len(parts) != 3:
        raise ValueError(f"{option!r} is no rule: write /filter/subject/replacement, or leave out the filter")
    return parse(parts[0]), parts[1], parts[2]
