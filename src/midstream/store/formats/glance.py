"""Filters that need no more than the request: flows they reject are not read further.

Used by `native` for each item of a file that is read with a filter. What is not read is not there, so that a filter
that looks at it fails and the flow is read whole; the answer of one that does not fail is right.
"""

from __future__ import annotations

from typing import Any

from midstream.filters import Filter
from midstream.flows import change, tls_facts
from midstream.flows.flow import FLOW_FORMAT_VERSION
from midstream.flows.http import HTTPFlow, Request
from midstream.flows.state import State, StateError
from midstream.store.formats.tnetstring import NOT_READ, Parser, TNetstringError

_NOT_READ = frozenset({"client_conn", "server_conn", "response", "websocket", "backup", "error"})
_OF_OURS = frozenset({change.KEY, tls_facts.KEY})
_TABLES = frozenset({"headers", "trailers"})
_TRIES = 100


class Glance:
    """One for each file and filter."""

    def __init__(self, filter_: Filter) -> None:
        self._filter = filter_
        self._parser = Parser(tables=_TABLES, not_read=_NOT_READ)
        self._is_enough = True
        self._rejected = self._asked = 0

    def rejects(self, data: bytes) -> bool:
        """Whether the filter says no to this item for sure."""
        if not self._is_enough:
            return False
        try:
            flow = _half_a_flow(self._parser.parse(data))
            no = flow is not None and not self._filter(flow)
        except AttributeError:  # it looks at what is not there
            self._is_enough = False
            return False
        except (TNetstringError, StateError, KeyError, TypeError):  # whoever reads it whole says what is wrong
            return False
        self._asked += 1
        self._rejected += no
        if self._asked == _TRIES and self._rejected < _TRIES // 4:  # most are read a second time
            self._is_enough = False
        return no


def _half_a_flow(state: Any) -> HTTPFlow | None:
    """A flow without what was not read; None for one of another kind or version."""
    if not isinstance(state, dict) or state.get("version") != FLOW_FORMAT_VERSION or state.get("type") != "http":
        return None
    flow = HTTPFlow(None, None)  # type: ignore[arg-type]
    del flow.client_conn, flow.server_conn
    _take(flow, state, "response", "_response")
    _take(flow, state, "websocket", "websocket")
    _take(flow, state, "error", "error")
    flow.id, flow.marked, flow.comment = state["id"], state["marked"], state["comment"]
    flow.metadata = {name: note for name, note in state["metadata"].items() if name not in _OF_OURS}
    flow.is_replay, flow.intercepted = state["is_replay"], state["intercepted"]
    flow.timestamp_created = state["timestamp_created"]
    flow.request = Request._checked(state["request"], "flow.request")
    return flow


def _take(flow: HTTPFlow, state: State, key: str, slot: str) -> None:
    if state.get(key) is NOT_READ:
        delattr(flow, slot)
