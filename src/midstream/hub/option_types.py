"""The six types that an option may have, and how text becomes a value of one.

Called by `Option` for each value that is set, by the flags for their arity and by the options pane for its editor.
What a value means beyond its type (a size, a filter, a path) is the business of option_kinds.py.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

from midstream.flows.errors import OptionsError

OptionValue = bool | int | str | None | list[str]


@dataclass(frozen=True, slots=True)
class OptionType:
    """One of the six: `hint` is the annotation in the spelling of the standard tables, `label` is for people."""

    hint: Any
    label: str
    base: type
    optional: bool = False
    sequence: bool = False

    def accepts(self, value: object) -> bool:
        """Whether `value` is natively of this type; True is no int here."""
        if value is None:
            return self.optional
        if self.sequence:
            return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        if self.base is int:
            return isinstance(value, int) and not isinstance(value, bool)
        return isinstance(value, self.base)

    def parse(self, name: str, texts: Sequence[str | None], current: object) -> OptionValue:
        """The value that `name=text` (or `name` alone, a None) stands for; OptionsError when it stands for none."""
        if self.sequence:
            return [text for text in texts if text is not None]
        if len(texts) > 1:
            raise OptionsError(f"option {name}: takes one value ({self.label}), {len(texts)} were given")
        text = texts[0] if texts else None
        if self.base is bool:
            return _parse_bool(name, text, current)
        if text is None or (text == "" and self.base is int):
            if self.optional:
                return None
            raise OptionsError(f"option {name}: needs a value ({self.label}): {name}=…")
        if self.base is int:
            try:
                return int(text)
            except ValueError:
                raise OptionsError(f"option {name}: {text!r} is no whole number") from None
        return text


BOOL = OptionType(bool, "bool", bool)
STR = OptionType(str, "str", str)
INT = OptionType(int, "int", int)
# The spelling is the point: addons compare an option's type with these very objects.
OPTIONAL_STR = OptionType(Optional[str], "str or nothing", str, optional=True)  # noqa: UP045
OPTIONAL_INT = OptionType(Optional[int], "int or nothing", int, optional=True)  # noqa: UP045
STRINGS = OptionType(typing.Sequence[str], "list of str", str, sequence=True)

ALL = (BOOL, STR, INT, OPTIONAL_STR, OPTIONAL_INT, STRINGS)


def option_type(hint: Any) -> OptionType:
    """The option type of an annotation in any of its spellings; TypeError names the six when it is none of them."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (collections.abc.Sequence, list) and arguments == (str,):
        return STRINGS
    if origin in (Union, types.UnionType):
        bases = [argument for argument in arguments if argument is not type(None)]
        if len(bases) == 1 and len(arguments) == 2:
            hint = Optional[bases[0]]  # noqa: UP045 (see above)
    for known in ALL:
        if known.hint == hint:
            return known
    raise TypeError(f"{hint!r} is no option type; the types are bool, str, int, str | None, int | None, Sequence[str]")


def _parse_bool(name: str, text: str | None, current: object) -> bool:
    if text in (None, "", "true"):
        return True
    if text == "false":
        return False
    if text == "toggle":
        return not current
    raise OptionsError(f"option {name}: {text!r} is neither true, false nor toggle")
