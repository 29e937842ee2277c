"""Commands about filters of the list: the box of them, switching, names; and searching. Nested in the console's addon.

Filters with names are the option `console_filters` (filter_names.py), those that hold are breadcrumbs (breadcrumbs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console import filter_names
from midstream.console.filter_box import FilterBox
from midstream.console.prompt_filter import name_filter
from midstream.console.prompt_search import as_filter
from midstream.flows.errors import CommandError
from midstream.hub.addons import Loader
from midstream.hub.commands import argument, command
from midstream.hub.types import Choice

if TYPE_CHECKING:
    from midstream.console.console import Console


class FilterCommands:
    """See the module."""

    name = "console_filters"

    def __init__(self, console: Console) -> None:
        self._console = console

    def load(self, loader: Loader) -> None:
        loader.add_option(
            filter_names.OPTION,
            Sequence[str],
            [],
            "Filters with names, each as `name: filter`; the filter bar takes them as @name.",
        )

    def configure(self, updated: set[str]) -> None:
        if filter_names.OPTION in updated:
            filter_names.check(getattr(self._console.master.options, filter_names.OPTION))
            self._console.breadcrumbs.follow_names()

    # --- filters ------------------------------------------------------------------------------------------------------

    @command("console.filters")
    def filters(self) -> None:
        """Show the filters that hold and those with names, to switch them on and off."""
        self._console.show(FilterBox(self._console))

    @command("console.filter.names")
    def names(self) -> Sequence[str]:
        """The names of filters."""
        return list(self._console.breadcrumbs.names)

    @command("console.filter.use")
    @argument("name", type=Choice("console.filter.names"))
    def use(self, name: str) -> None:
        """Narrow the list by a filter with a name; once more switches it off."""
        self._console.open_pane("flows")
        self._console.breadcrumbs.use(name)

    @command("console.filter.toggle")
    def toggle(self, number: int) -> None:
        """Switch one of the filters that hold off, or on again; 1 is the first."""
        self._console.breadcrumbs.toggle(number - 1)

    @command("console.filter.toggle.all")
    def toggle_all(self) -> None:
        """Switch all filters off to see all flows, and on again."""
        on = self._console.breadcrumbs.toggle_all()
        self._console.message("the filters are on" if on else "the filters are off; the same key switches them on")

    @command("console.filter.save")
    def save(self, name: str, text: str = "") -> None:
        """Name the filters that hold, or another filter, to use it again as @name."""
        name, text = name.strip().removeprefix("@"), text or self._set_now()
        filter_names.save(self._console.master.options, name, text)
        self._console.breadcrumbs.named(text, name)
        self._console.message(f"@{name} is {text}; `, f` lists it, `, s` saves it for next time")

    @command("console.filter.save.as")
    def save_as(self) -> None:
        """Name the filters that hold: ask for the name by which they are used again."""
        name_filter(self._console, self._set_now())

    def _set_now(self) -> str:
        texts = [crumb.text for crumb in self._console.breadcrumbs.crumbs if crumb.on]
        if not texts:
            raise CommandError("no filter is set: type one with f, then give it a name")
        return texts[0] if len(texts) == 1 else " & ".join(f"({text})" for text in texts)

    @command("console.filter.forget")
    @argument("name", type=Choice("console.filter.names"))
    def forget(self, name: str) -> None:
        """Take the name of a filter away; where it holds, it goes on to."""
        filter_names.forget(self._console.master.options, name)

    # --- searching ----------------------------------------------------------------------------------------------------

    @command("console.search.flows")
    def search_flows(self, pattern: str) -> None:
        """Find what heads, bodies or messages of the shown flows hold; n and N go through them."""
        self._console.open_pane("flows")
        self._console.search.start(pattern)
        self._console.search.flows.start(pattern)

    @command("console.search.filter")
    def search_filter(self) -> None:
        """Make a filter of what was searched for last."""
        search = self._console.search
        if not search.pattern:
            raise CommandError("nothing was searched for: / asks what")
        self._console.open_pane("flows")
        self._console.prompt("filter:", as_filter(search.pattern, bool(search.flows.found)), kind="filter")
