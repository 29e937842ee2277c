"""Filters with names: what the option `console_filters` says, `name: filter` in each line.

The filter bar takes them as `@name`, alone or as a part of a filter; `, f` lists them. Saving one sets the option, so
that saved options keep it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from midstream.filters import FilterError, parse
from midstream.flows.errors import CommandError, OptionsError
from midstream.hub.options import Options

OPTION = "console_filters"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def named(options: Options) -> dict[str, str]:
    """The filters by name, as they are written."""
    lines: Sequence[str] = getattr(options, OPTION, None) or ()
    return {name.strip(): text.strip() for name, _, text in (line.partition(":") for line in lines)}


def check(lines: Sequence[str]) -> None:
    """OptionsError for the first line that is none, or whose filter is none."""
    filters: dict[str, str] = {}
    for line in lines:
        name, colon, text = line.partition(":")
        name = name.strip()
        if not colon or _NAME.fullmatch(name) is None:
            raise OptionsError(
                f"{OPTION}: {line!r} is no named filter; write `name: filter`, the name in letters, digits, - and _"
            )
        if name in filters:
            raise OptionsError(f"{OPTION}: there are two filters named {name}; remove one of them")
        filters[name] = text.strip()
    for name, text in filters.items():
        try:
            parse(text, filters)
        except FilterError as error:
            raise OptionsError(f"{OPTION}: the filter named {name}: {error}") from None


def in_full(text: str, names: Mapping[str, str]) -> str:
    """The filter text without names, which everyone understands. FilterError when it is none."""
    node = parse(text, names).node
    return str(node) if "@" in text else text


def save(options: Options, name: str, text: str) -> None:
    """Name a filter, anew if there is one of this name. CommandError for what is no name."""
    name = name.strip().removeprefix("@")
    if _NAME.fullmatch(name) is None:
        raise CommandError(f"{name!r} is no name for a filter: use letters, digits, - and _, and a letter first")
    filters = named(options) | {name: text}
    options.update(**{OPTION: [f"{each}: {said}" for each, said in filters.items()]})


def forget(options: Options, name: str) -> None:
    """Take a name away. CommandError if there is none such, OptionsError if another filter is made of it."""
    filters = named(options)
    name = name.strip().removeprefix("@")
    if filters.pop(name, None) is None:
        raise CommandError(f"there is no filter named {name!r}")
    options.update(**{OPTION: [f"{each}: {said}" for each, said in filters.items()]})
