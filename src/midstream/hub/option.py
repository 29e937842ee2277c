"""One option: its declaration, its value, and where that value came from.

Made by `Options.add_option` and read by everything that is derived from a declaration: flags, `--options`, the
options pane, completion. Changing a value goes through `Options`, which tells the addons; this is not the place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from midstream.flows.errors import OptionsError
from midstream.hub.option_kinds import Kind, kind_of
from midstream.hub.option_types import BOOL, OptionType, OptionValue, option_type
from midstream.text.suggest import did_you_mean

Source = Literal["default", "file", "cli", "session"]

Choices = Sequence[str] | Callable[[], Sequence[str]]
"""The values allowed for an option, or a function that tells them."""

# What was said later and nearer to the person wins; see architecture.md and config.py.
RANK: Final[dict[Source, int]] = {"default": 0, "file": 1, "cli": 2, "session": 3}


class Option:
    """A declaration (`name type default help choices kind owner`) with its present value."""

    __slots__ = ("_choices", "default_value", "help", "kind", "name", "owner", "place", "source", "type", "value")

    def __init__(
        self,
        name: str,
        typespec: Any,
        default: object,
        help: str,
        choices: Choices | None = None,
        *,
        kind: str | Kind | None = None,
        owner: object = None,
    ) -> None:
        self.name = name
        self.type: OptionType = option_type(typespec)
        self.help = " ".join(help.split())
        self._choices = choices if choices is None or callable(choices) else tuple(choices)
        self.kind = kind_of(kind)
        self.owner = owner
        self.default_value = self.checked(default)
        self.value = self.default_value
        self.source: Source = "default"
        self.place = ""
        """File, line and column of a value from a file."""

    def __repr__(self) -> str:
        return f"<option {self.name} ({self.type.label}) = {self.value!r}>"

    @property
    def choices(self) -> tuple[str, ...] | None:
        """The values that there are to choose from, as of now."""
        return tuple(self._choices()) if callable(self._choices) else self._choices

    @property
    def typespec(self) -> Any:
        """The type as an annotation, such as `Sequence[str]`."""
        return self.type.hint

    @property
    def default(self) -> OptionValue:
        return _copied(self.default_value)

    @property
    def owner_name(self) -> str:
        """How the owning addon is called in panes and messages; empty when nobody owns the option."""
        if self.owner is None or isinstance(self.owner, str):
            return self.owner or ""
        return str(getattr(self.owner, "name", type(self.owner).__name__.lower()))

    def current(self) -> OptionValue:
        """The present value; lists are copies, so that nobody changes an option unseen."""
        return _copied(self.value)

    def has_changed(self) -> bool:
        return self.value != self.default_value

    def same_declaration(self, other: Option) -> bool:
        """Whether both say the same about what is allowed; kind and owner may differ."""
        return (self.name, self.type, self.default_value, self.help, self.choices) == (
            other.name,
            other.type,
            other.default_value,
            other.help,
            other.choices,
        )

    def checked(self, value: object) -> OptionValue:
        """`value` in its stored form. TypeError for a wrong type, OptionsError for a value that is refused."""
        if not self.type.accepts(value):
            raise TypeError(f"option {self.name}: expected {self.type.label}, got {value!r} ({type(value).__name__})")
        stored: OptionValue = list(value) if isinstance(value, list | tuple) else value  # type: ignore[assignment]
        for item in stored if isinstance(stored, list) else (stored,):
            self._check_item(item)
        return stored

    def parse(self, texts: Sequence[str | None]) -> OptionValue:
        """The value that the texts of `name=text` specs stand for; OptionsError when they stand for none."""
        return self.checked(self.type.parse(self.name, texts, self.value))

    def completions(self, text: str) -> list[str]:
        """What `text` may become: choices, the two truth values, or what the kind offers."""
        if self.type is BOOL:
            offered: Sequence[str] = ("true", "false", "toggle")
        elif self.choices is not None:
            offered = self.choices
        else:
            return list(self.kind.complete(text)) if self.kind.complete is not None else []
        return [choice for choice in offered if choice.startswith(text)]

    def _check_item(self, item: object) -> None:
        if item is None:
            return
        # Where choices come and go, the owner checks in `configure`: by then the scripts that bring some are loaded.
        if self.choices is not None and not callable(self._choices) and item not in self.choices:
            guess = did_you_mean(str(item), self.choices)
            allowed = "" if guess else f"; the choices are {', '.join(self.choices)}"
            raise OptionsError(f"option {self.name}: {item!r} is no choice{guess or allowed}")
        reason = self.kind.refuses(item)
        if reason is not None:
            raise OptionsError(f"option {self.name}: {reason}")


def _copied(value: OptionValue) -> OptionValue:
    return list(value) if isinstance(value, list) else value
