"""The focus by the names that scripts use."""

import pytest

from midstream.addons.view import ViewAddon
from midstream.store.view import View
from midstream.testing import tflow


def test_the_focused_flow() -> None:
    view = View()
    assert (view.focus.flow, view.focus.index) == (None, None)
    flows = [tflow(), tflow()]
    for number, flow in enumerate(flows):
        flow.request.timestamp_start = float(number)
        view.add(flow)
    assert view.focus.flow is flows[0] and view.focus.index == 0
    assert ViewAddon(view).focus.flow is flows[0]
    view.focus.flow = flows[1]
    assert (view.focus_id, view.focus.index) == (flows[1].id, 1)
    view.focus.index = 0
    assert view.focus.flow is flows[0]
    view.focus.flow = None
    assert view.focus.flow is None


def test_what_cannot_be_focused() -> None:
    view = View()
    view.add(tflow())
    with pytest.raises(ValueError, match="not shown"):
        view.focus.flow = tflow()
    for place in (-1, 1):
        with pytest.raises(ValueError, match="not among the 1 flows shown"):
            view.focus.index = place
