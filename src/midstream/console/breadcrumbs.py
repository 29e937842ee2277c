"""The filters that hold one after the other, as the filter line shows them: pushed, popped, switched off and on again.

Together they are the option `view_filter`, which is how everybody else sees them. One that is off stays in its place
and counts for nothing. The filter bar (prompt_filter.py) pushes; the box of filters and keys do the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from midstream.console import filter_names
from midstream.filters import FilterError, parse
from midstream.flows.errors import CommandError

if TYPE_CHECKING:
    from midstream.console.console import Console


@dataclass(slots=True)
class Crumb:
    """One of them, as it was typed."""

    text: str
    on: bool = True


class Breadcrumbs:
    """See the module."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.crumbs: list[Crumb] = []
        self._names: dict[str, str] = {}

    @property
    def texts(self) -> list[str]:
        """All of them as they were typed, those that are off included."""
        return [crumb.text for crumb in self.crumbs]

    @property
    def names(self) -> dict[str, str]:
        """The filters that have names."""
        return filter_names.named(self._console.master.options)

    @property
    def combined(self) -> str:
        """Those that are on, as one filter text in full."""
        return self.with_another("")

    def with_another(self, text: str, instead_of: int | None = None) -> str:
        """All that are on and one more, which is not (yet) pushed; `instead_of`: in place of that one."""
        kept = [crumb.text for at, crumb in enumerate(self.crumbs) if crumb.on and at != instead_of]
        texts = [filter_names.in_full(each, self.names) for each in ([*kept, text] if text else kept)]
        if len(texts) <= 1:
            return "".join(texts)
        return " & ".join(f"({each})" for each in texts)

    def follow_option(self) -> None:
        """The option was set elsewhere: it is the only crumb now."""
        value = self._option_value()
        try:
            is_ours = value == self.combined
        except FilterError:  # a name that is gone
            is_ours = False
        if not is_ours:
            self.crumbs = [Crumb(value)] if value else []

    def follow_names(self) -> None:
        """Filters got other names, or names another filter: what is in use by name follows."""
        names = self.names
        before, self._names = self._names, names
        if before == names or not any("@" in text for text in self.texts):
            return
        for crumb in self.crumbs:
            try:
                parse(crumb.text, names)
            except FilterError:
                # Forgotten while it is in use: it stays what it was.
                crumb.text = filter_names.in_full(crumb.text, before | names)
        self._apply()

    def named(self, text: str, name: str) -> None:
        """A filter has a name now: where it holds, it is shown by that, unless it is shown by another name."""
        if text.startswith("@") and text[1:] in self.names:
            return
        for crumb in self.crumbs:
            if crumb.text == text:
                crumb.text = f"@{name}"
        self._apply()

    def push(self, text: str) -> None:
        """One more filter. FilterError if it is none."""
        parse(text, self.names)
        self.crumbs.append(Crumb(text))
        self._apply()

    def replace(self, index: int, text: str) -> None:
        """Another filter in place of one; it is on. FilterError if it is none."""
        parse(text, self.names)
        self.crumbs[index] = Crumb(text)
        self._apply()

    def pop(self) -> bool:
        """Drop the last one; False: there is none."""
        return self.drop(len(self.crumbs) - 1)

    def drop(self, index: int) -> bool:
        """Drop one; False: there is none."""
        if not 0 <= index < len(self.crumbs):
            return False
        del self.crumbs[index]
        self._apply()
        return True

    def toggle(self, index: int) -> None:
        """Switch one off, or on again."""
        if not 0 <= index < len(self.crumbs):
            raise CommandError("no filter is set" if not self.crumbs else f"there is no filter {index + 1}")
        self.crumbs[index].on = not self.crumbs[index].on
        self._apply()

    def toggle_all(self) -> bool:
        """All off; all on again if none is on. Returns what they are now."""
        if not self.crumbs:
            raise CommandError("no filter is set")
        on = not any(crumb.on for crumb in self.crumbs)
        for crumb in self.crumbs:
            crumb.on = on
        self._apply()
        return on

    def use(self, name: str) -> None:
        """Push a filter by its name, or switch it on or off if it is there. CommandError if there is none."""
        name = name.strip().removeprefix("@")
        if name not in self.names:
            raise CommandError(f"there is no filter named {name!r}: `, f` lists them")
        if f"@{name}" in self.texts:
            self.toggle(self.texts.index(f"@{name}"))
        else:
            self.push(f"@{name}")

    def _option_value(self) -> str:
        options = self._console.master.options
        return (options.view_filter or "") if "view_filter" in options else self._console.view.filter_text

    def _apply(self) -> None:
        options = self._console.master.options
        text = self.combined
        if "view_filter" in options and (options.view_filter or "") != text:
            options.update(view_filter=text or None)
        if self._console.view.filter_text != text:
            # Without a view addon, or while a filter that was being typed is still the view's.
            self._console.spawn(self._console.view.refilter(parse(text) if text else None), "filter the list")
        self._console.request_frame(now=True)
