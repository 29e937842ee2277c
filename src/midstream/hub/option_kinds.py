"""What an option's text means beyond its type: a size, a path, a filter, a range of numbers …

One kind per option gives the validator, the completion and the hint which editor fits, so that the prompt, the
options pane, the config file and the flags refuse the same values with the same words. Called by hub/option.py.
A kind that only one addon understands is made by that addon as a `Kind` and given to `add_option`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from midstream.text.sizes import parse_size


@dataclass(frozen=True, slots=True)
class Kind:
    """`check` raises ValueError with a sentence; `complete` gives what a typed prefix may become."""

    name: str
    editor: str = "text"
    check: Callable[[str], object] | None = None
    complete: Callable[[str], Sequence[str]] | None = None
    low: int | None = None
    high: int | None = None

    def refuses(self, value: object) -> str | None:
        """Why this one value (an item, for lists) is refused, or None. Nothing and the empty text always pass."""
        if isinstance(value, int) and not isinstance(value, bool):
            return self._out_of_range(value)
        if self.check is None or not isinstance(value, str) or not value:
            return None
        try:
            self.check(value)
        except ValueError as reason:
            return str(reason)
        return None

    def _out_of_range(self, value: int) -> str | None:
        if self.low is not None and value < self.low:
            return f"{value} is below {self.low}, the smallest value allowed"
        if self.high is not None and value > self.high:
            return f"{value} is above {self.high}, the largest value allowed"
        return None


def _check_size(text: str) -> None:
    parse_size(text)


def _check_filter(text: str) -> None:
    # Imported at first use: most starts set no filter, and the grammar costs a start milliseconds.
    from midstream.filters import parse

    parse(text)


def _complete_filter(text: str) -> list[str]:
    from midstream.filters import OPERATORS

    head, tilde, word = text.rpartition("~")
    if not tilde or (word and not word.isalnum()):
        return []
    names = (f"~{operator.name.removeprefix('~')}" for operator in OPERATORS)
    return sorted(head + name for name in names if name.startswith(tilde + word))


def _check_regex(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        where = f" at column {error.pos + 1}" if error.pos is not None else ""
        raise ValueError(f"{text!r} is no regular expression: {error.msg}{where}") from None


def _check_mode(text: str) -> None:
    from midstream.flows.proxy_mode import ProxyMode

    ProxyMode.parse(text)


def _complete_mode(text: str) -> list[str]:
    from midstream.flows.proxy_mode import MODE_NAMES

    return sorted(name for name in MODE_NAMES if name.startswith(text))


def complete_path(text: str) -> list[str]:
    """File system entries that start with `text`; folders end in `/`, and nothing typed lists the current folder."""
    if text == "~":
        return ["~/"]
    typed = text or "./"
    folder_text = typed[: typed.rfind("/") + 1]
    start = typed[len(folder_text) :]
    try:
        folder = Path(folder_text or ".").expanduser()
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except (OSError, RuntimeError, ValueError):  # no such folder, an unknown ~user, a NUL in the text
        return []
    # Hidden files are offered once the dot is typed, as in every shell.
    shown = [entry for entry in entries if entry.name.startswith(start or "") and (start or entry.name[0] != ".")]
    return [f"{folder_text}{entry.name}{'/' if entry.is_dir() else ''}" for entry in shown]


TEXT = Kind("text")
SECRET = Kind("secret", editor="secret")
SIZE = Kind("size", editor="size", check=_check_size)
PATH = Kind("path", editor="path", complete=complete_path)
FILTER = Kind("filter", editor="filter", check=_check_filter, complete=_complete_filter)
REGEX = Kind("regex", editor="regex", check=_check_regex)
MODE = Kind("mode", editor="mode", check=_check_mode, complete=_complete_mode)

NAMED = {kind.name: kind for kind in (TEXT, SECRET, SIZE, PATH, FILTER, REGEX, MODE)}

_RANGE = re.compile(r"range (-?\d+)?\.\.(-?\d+)?")


def between(low: int | None, high: int | None) -> Kind:
    """Whole numbers from `low` to `high`, both included; None leaves that end open."""
    return Kind("range", editor="number", low=low, high=high)


def kind_of(spec: str | Kind | None) -> Kind:
    """The kind that a declaration names: one of `NAMED`, `range 0..65535` (an end may be left out), or a Kind."""
    if spec is None:
        return TEXT
    if isinstance(spec, Kind):
        return spec
    if spec in NAMED:
        return NAMED[spec]
    matched = _RANGE.fullmatch(spec)
    if matched:
        low, high = matched.groups()
        return between(int(low) if low else None, int(high) if high else None)
    raise ValueError(f"{spec!r} is no kind of option; the kinds are {', '.join(NAMED)} and 'range LOW..HIGH'")
