"""Flow files: what was captured, to be read again later or by another program. The format is the reference's.

Scripts read and write through the door `midstream.io`, the program through `loading` and the addons that save. A file
is one item of `items` after the other; `tnetstring` tells what an item holds, `flows` what makes a flow of it, and
`upgrades` what older versions meant. Files may be foreign, cut or hostile: whatever can be read is, and then one
FlowReadException says what is wrong and where.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from midstream.filters import Filter, match
from midstream.flows.connection import Client, Server, checked_client, checked_server
from midstream.flows.errors import FlowReadException
from midstream.flows.flow import FLOW_FORMAT_VERSION, Flow
from midstream.flows.state import Check, State, StateError
from midstream.store.formats.glance import Glance
from midstream.store.formats.items import MAX_ITEM, Item, Items, ReadableFile
from midstream.store.formats.packed import opened
from midstream.store.formats.tnetstring import Parser, TNetstringError
from midstream.store.formats.tnetstring_dump import Written, dump
from midstream.store.formats.upgrades import Upgrades


class WritableFile(Protocol):
    """What is asked of a file to write to."""

    def write(self, data: bytes, /) -> Any: ...
    def flush(self) -> Any: ...


# --- reading


class FlowReader:
    """Reads flows from a file that is opened in binary mode. It need not be able to seek."""

    def __init__(self, fo: ReadableFile) -> None:
        self.fo = fo

    def stream(self, filter_: Filter | None = None) -> Iterator[Flow]:
        """Each flow as soon as it is read. No more than one is held, but for small ones of old versions.

        With a filter those that match; what a flow holds that does not need not be right then. A flow that cannot be
        understood is passed over. At the end, or at damage behind which nothing can be found, a
        FlowReadException then names the first thing that was wrong and its offset.
        """
        making = _Making()
        first: FlowReadException | None = None
        passed_over = 0
        try:
            file, kind = opened(self.fo)
            if kind == "json":
                yield from (flow for flow in _har(file) if filter_ is None or filter_(flow))
                return
            glance = Glance(filter_) if filter_ is not None else None
            for item in Items(file):
                if glance is not None and item.data is not None and glance.rejects(item.data):
                    continue
                try:
                    flow = making.flow(item)
                except StateError as error:
                    first = first or FlowReadException(f"byte {item.offset}: {error}", item.offset)
                    passed_over += 1
                else:
                    if filter_ is None or filter_(flow):
                        yield flow
        except TNetstringError as error:
            raise first or FlowReadException(f"byte {error.offset}: {error}", error.offset) from None
        except (OSError, EOFError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise FlowReadException(f"it cannot be read: {reason or error}") from None
        if first is not None:
            others = f"; {passed_over} flows in all could not be read" if passed_over > 1 else ""
            raise FlowReadException(f"{first}{others}", first.offset)


def _har(file: ReadableFile) -> Iterator[Flow]:
    # Imported here: few files are HAR.
    from midstream.store.formats.har_read import read_har

    return read_har(file)


class _Making:
    """Makes flows of the items of one file. Those of one connection share its record, as they did in the proxy."""

    def __init__(self) -> None:
        self._parser = Parser(shared=frozenset(_CONNECTIONS), tables=_TABLES)
        self._upgrades = Upgrades()
        self._records: dict[int, tuple[State, str, Client | Server]] = {}

    def flow(self, item: Item) -> Flow:
        """Raises StateError for a whole item that is no flow, TNetstringError for what cannot be a whole item."""
        if item.data is None:
            raise StateError(f"the flow is larger than {MAX_ITEM >> 20} MB")
        if not item.data.endswith(b"}"):
            # Lists and lone values are no mistakes that writers make; more likely a length is wrong.
            raise TNetstringError("expected a flow, and found something else", item.offset)
        try:
            state = self._parser.parse(item.data)
        except TNetstringError as error:
            raise StateError(f"the flow is damaged at byte {item.offset + (error.offset or 0)}: {error}") from None
        if state.get("version") != FLOW_FORMAT_VERSION:
            state = self._upgrades.upgraded(_to_be_changed(state), len(item.data))
        for key, check in _CONNECTIONS.items():
            if isinstance(state.get(key), dict):
                state[key] = self._record(state[key], key, check)
        if state.get("backup") is not None:
            state["backup"] = _usable(state["backup"], state)
        return Flow.from_state(state)

    def _record(self, state: State, key: str, check: Check) -> Client | Server:
        known = self._records.get(id(state))
        if known is None or known[0] is not state or known[1] != key:
            if len(self._records) >= _MOST_RECORDS:
                self._records.clear()
            known = self._records[id(state)] = state, key, check(state, f"flow.{key}")
        return known[2]


_CONNECTIONS: dict[str, Check] = {"client_conn": checked_client, "server_conn": checked_server}
_TABLES = frozenset({"headers", "trailers"})
_MOST_RECORDS = 512


def _to_be_changed(state: State) -> State:
    """The state with connections of its own: the same dicts may stand in other flows."""
    return {**state, **{key: dict(state[key]) for key in _CONNECTIONS if isinstance(state.get(key), dict)}}


def _usable(backup: Any, state: State) -> State | None:
    """What a revert can go back to; None when it would fail, since an edit that cannot be undone is still a flow."""
    if not isinstance(backup, dict) or backup.get("type") != state.get("type"):
        return None
    try:
        # The reference leaves the version of a backup as it was.
        backup = {**Upgrades().upgraded(_to_be_changed(backup)), "backup": None, "id": state.get("id")}
        # By way of a flow, since whether a flow is modified is a comparison with what its `get_state` says.
        return Flow.from_state(backup).get_state()
    except StateError:
        return None


def read_flows_from_paths(paths: Iterable[str | os.PathLike[str]]) -> list[Flow]:
    """The flows of all these files; `~` is understood. Raises FlowReadException when anything cannot be read."""
    flows: list[Flow] = []
    for path in paths:
        try:
            with open(os.path.expanduser(path), "rb") as file:
                flows.extend(FlowReader(file).stream())
        except OSError as error:
            raise FlowReadException(f"{os.fspath(path)}: {error.strerror or error}") from None
        except FlowReadException as error:
            raise FlowReadException(f"{os.fspath(path)}: {error}", error.offset) from None
    return flows


# --- writing


class Unsavable(ValueError):
    """A flow holds, elsewhere than in the notes of addons, what has no form in a file."""


class Saver:
    """Makes bytes of many flows. Those of one connection share its record, which is written out once."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], tuple[State, Written]] = {}

    def saved(self, flow: Flow) -> tuple[bytes, Sequence[str]]:
        """A flow as it stands in a file, and what had to be left out: notes of addons that have no form there.

        Raises Unsavable.
        """
        state = flow.get_state()
        try:
            for key in _CONNECTIONS:
                state[key] = self._record(key, state[key])
            return dump(state, "flow"), ()
        except TNetstringError:
            left_out: list[str] = []
            state["metadata"] = _writable(state["metadata"], "flow.metadata", left_out)
            if isinstance(state["backup"], dict):
                state["backup"] = {**state["backup"], "metadata": state["metadata"]}
        try:
            return dump(state, "flow"), left_out
        except TNetstringError as error:
            raise Unsavable(str(error)) from None

    def _record(self, key: str, state: State) -> Written:
        """The bytes of a connection; it may have changed since the last of its flows."""
        known = self._records.get((key, state["id"]))
        if known is None or known[0] != state:
            if len(self._records) >= _MOST_RECORDS:
                self._records.clear()
            known = self._records[key, state["id"]] = state, Written(dump(state, f"flow.{key}"))
        return known[1]


def _writable(notes: Mapping[Any, Any], where: str, left_out: list[str]) -> State:
    kept = {}
    for key, value in notes.items():
        try:
            dump({key: value}, where)
        except TNetstringError as error:
            left_out.append(str(error))
        else:
            kept[key] = value
    return kept


class FlowWriter:
    """Writes flows to a file that is opened in binary mode."""

    def __init__(self, fo: WritableFile) -> None:
        self.fo = fo

    def add(self, flow: Flow) -> None:
        """Append a flow by one write. Raises ValueError, and writes nothing, when it holds what has no form in a file,
        such as an object that an addon left in its metadata.
        """
        self.fo.write(dump(flow.get_state(), "flow"))


class FilteredFlowWriter:
    """Writes the flows that match, each of them at once. Without a filter all do."""

    def __init__(self, fo: WritableFile, flt: Filter | None) -> None:
        self.fo = fo
        self.flt = flt
        self._writer = FlowWriter(fo)

    def add(self, flow: Flow) -> None:
        """Append a flow if it matches. Raises ValueError as `FlowWriter.add` does."""
        if match(self.flt, flow):
            self._writer.add(flow)
            self.fo.flush()
