"""Going to a flow from elsewhere: the palette, the event log, the result of a command. One way for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midstream.console.console import Console


def why_not(console: Console, id_: str) -> str:
    """Why nobody can go to this flow any more; "" when one can."""
    return "" if id_ in console.view else "this flow is not in the list any more"


def go_to_flow(console: Console, id_: str) -> bool:
    """Show a flow in the list; False: it is gone."""
    found = focus_flow(console, id_)
    if found:
        console.open_pane("flows")
    return found


def focus_flow(console: Console, id_: str) -> bool:
    """Focus a flow, whatever pane is open. What hides it is taken off and named, so that it can be set again."""
    if reason := why_not(console, id_):
        console.message(reason, "warn", log=False)
        return False
    view = console.view
    if view.index(id_) is None:
        number, hidden_by = view.row(id_).number, view.filter_text
        if view.marked_only:
            view.show_marked(False)
        if view.index(id_) is None:
            console.master.options.update(view_filter=None)
            console.message(f"flow {number} was hidden by {hidden_by}: all flows are shown again")
    view.set_focus(id_)
    return True
