"""Brings the flows of an earlier run back into the view: their rows, for the flows themselves stay on the disk.

Used by `addons/session.py` in the background, while the proxy serves and the list fills. What was in flight when that
run ended is over now, and says so. What is damaged is counted and left out.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.state import StateError
from midstream.hub.jobs import Job
from midstream.store.rows import Row
from midstream.store.session import Session
from midstream.store.session_codec import Stored, unpack_flow
from midstream.store.session_file import SessionFile
from midstream.store.session_links import Links
from midstream.store.session_records import flows_noted, last_number, read_connection, scan, taken
from midstream.store.view import View
from midstream.work.slices import Budget

CUT_OFF: Final = "midstream ended while this was in flight."
"""The error of a flow whose end nobody has seen."""


@dataclass(slots=True)
class Brought:
    """What came back, and what did not. `problem` is what is wrong with the first of the `damaged` ones; `connections`
    are those that are lost, though their flows are there.
    """

    flows: int = 0
    cut_off: int = 0
    damaged: int = 0
    connections: int = 0
    problem: str = ""

    def expect(self, flows: int | None) -> None:
        """So many flows ought to be there, where that is known: those of which nothing was found are lost as well."""
        missing = (flows or 0) - self.flows - self.damaged
        if missing > 0:
            self.damaged += missing
            self.problem = self.problem or "the file is damaged, and nothing is left of them"


async def bring_back(view: View, session: Session, last: int, job: Job, expected: int | None = None) -> Brought:
    """Put the flows with numbers up to `last` into the list, the oldest first. Ends early when the job is stopped.

    `expected` is how many there ought to be, if that is known.
    """
    brought = Brought()
    budget, after = Budget(), 0
    while after < last and not job.stopped:
        found, after = await session.reader.scan(after, last)
        for stored in found:
            problem = _bring_one(view, session, stored, brought)
            if problem:
                brought.damaged += 1
                brought.problem = brought.problem or problem
            if budget.spent():
                await budget.rest()
        job.report(after / last)
    view.sort_arrivals()
    brought.connections = session.lost_connections
    if not job.stopped:
        brought.expect(expected)
    return brought


async def take_over(view: View, source: SessionFile, job: Job) -> Brought:
    """Add the flows of another session's file as those of any file: they get numbers of this run. For one that is
    damaged, and written to no more.
    """
    brought = Brought()
    reader = source.reader()
    links = Links(lambda number: read_connection(reader, number))
    budget, after, last = Budget(), 0, last_number(reader)
    gone = await asyncio.to_thread(taken, reader)
    try:
        while after < last and not job.stopped:
            found, after = await asyncio.to_thread(scan, reader, after, last)
            for stored in found:
                if isinstance(stored, Stored) and stored.number in gone:
                    continue
                try:
                    if isinstance(stored, StateError):
                        raise stored
                    flow, _ = unpack_flow(stored, links.client, links.server)
                except (StateError, sqlite3.Error) as error:
                    brought.damaged += 1
                    brought.problem = brought.problem or str(error)
                    continue
                _give_own_id(flow, view)
                brought.cut_off += end(flow) if flow.live or flow.intercepted else False
                view.add(flow)
                brought.flows += 1
                if budget.spent():
                    await budget.rest()
            job.report(after / last)
        brought.connections = len(links.lost)
        expected = flows_noted(reader)
        if expected is not None and not job.stopped:
            brought.expect(expected - len(gone))
    finally:
        reader.close()
    return brought


def _bring_one(view: View, session: Session, stored: Stored | StateError, brought: Brought) -> str:
    """What is wrong with it, if anything."""
    if isinstance(stored, StateError):
        return str(stored)
    try:
        flow, shot = session.unpacked(stored)
    except (StateError, sqlite3.Error) as error:
        return str(error)
    _give_own_id(flow, view)
    was_live = flow.live or flow.intercepted
    if was_live:
        brought.cut_off += end(flow)
    row = Row(flow, stored.number)
    view.restore(row)
    if was_live:
        session.adopt(row, flow, stored, shot)
        session.note(row, flow)
    brought.flows += 1
    return ""


def _give_own_id(flow: Flow, view: View) -> None:
    """The same flow may be there from a file (`--resume -r FILE`), without the marks and edits of this one."""
    if flow.id in view:
        flow._id = str(uuid4())


def end(flow: Flow) -> bool:
    """Make a flow that was live in an earlier run one that is over; True when it was cut off by the end of that."""
    flow.live = flow.intercepted = False
    if flow.error is not None or not _is_cut_off(flow):
        return False
    flow.error = Error(CUT_OFF, _last_sign(flow))
    return True


def _is_cut_off(flow: Flow) -> bool:
    if isinstance(flow, HTTPFlow):
        if flow.websocket is not None:
            return flow.websocket.timestamp_end is None
        return flow.response is None or flow.response.timestamp_end is None
    return not isinstance(flow, DNSFlow) or flow.response is None


def _last_sign(flow: Flow) -> float:
    """When something was heard of it last, so that it is not shown to have taken hours."""
    times: list[float | None] = [flow.timestamp_start]
    if isinstance(flow, HTTPFlow):
        times += [flow.request.timestamp_end]
        if flow.response is not None:
            times += [flow.response.timestamp_start, flow.response.timestamp_end]
        times += [message.timestamp for message in flow.websocket.messages[-1:]] if flow.websocket else []
    else:
        times += [message.timestamp for message in getattr(flow, "messages", ())[-1:]]
    return max(time for time in times if time is not None)
