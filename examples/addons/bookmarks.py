"""Bookmark flows and jump back to them: commands of your own, bound to keys by the key file beside this one.

midstream -s examples/addons/bookmarks.py --set console_keys=examples/addons/bookmarks.keys.yaml

In the list, `, b` bookmarks the flow under the cursor and `, j` jumps to one of the bookmarks. The option says what a
bookmark looks like.
"""

from collections.abc import Sequence

from midstream import command, ctx, exceptions, flow, types
from midstream.addonmanager import Loader


class Bookmarks:
    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def load(self, loader: Loader) -> None:
        loader.add_option("bookmark_marker", str, ":bookmark:", "The mark that a bookmarked flow gets.")

    @command.command("bookmark.add")
    def add(self, target: flow.Flow, name: str) -> None:
        """Remember a flow under a name."""
        self.places[name] = target.id
        target.marked = ctx.options.bookmark_marker
        # The list shows the mark when it is told that the flow has changed.
        ctx.master.addons.trigger("update", [target])

    @command.command("bookmark.go")
    @command.argument("name", type=types.Choice("bookmark.names"))
    def go(self, name: str) -> None:
        """Focus the flow with this name."""
        shown = ctx.master.commands.execute("view.flows.resolve @shown")
        for index, each in enumerate(shown):
            if each.id == self.places.get(name):
                ctx.master.commands.call("view.focus.go", index)
                return
        raise exceptions.CommandError(f"no flow in the list is bookmarked as {name!r}")

    @command.command("bookmark.names")
    def names(self) -> Sequence[str]:
        """All names."""
        return sorted(self.places)


addons = [Bookmarks()]
