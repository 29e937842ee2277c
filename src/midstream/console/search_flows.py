"""Search through heads, bodies and messages of all shown flows, newest first: what `tab` adds to `/` in the flow list.

It runs beside everything else: flows come in slices (`view.walk`, also from disk), small bodies are searched at once,
the others in the worker process. It is a job, with its share in the status bar, and esc stops it. An expression that
backtracks is stopped in each body after two seconds, and given up after a few. search.py owns it and hops through what
it found; with each hop it goes on with flows that have come since, or were not over then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

from midstream.console import search_body
from midstream.console.finder import Finder
from midstream.console.panes.detail_tabs import MESSAGES, REQUEST, RESPONSE
from midstream.filters.subjects import dns_text
from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message
from midstream.flows.tunnel import TunnelFlow
from midstream.hub.jobs import Job
from midstream.text.escape import visible
from midstream.work.slices import Budget, Generation, Token
from midstream.work.worker import WorkerFailed

if TYPE_CHECKING:
    from midstream.console.console import Console

Piece: TypeAlias = tuple[str, bytes | Message]

_IN_PLACE = 64 * 1024  # bytes of a body that are searched on the loop
_ENCODED_IN_PLACE = 8 * 1024
_MOST_SLOW = 3  # bodies in which the expression took too long
_GLANCE = 0.1  # seconds between two reports
_GRACE = 1.0  # for decoding, and for the way to the worker


class FlowSearch:
    """See the module. `found` says in which tab of a flow it was found, by the flow's id."""

    def __init__(self, console: Console, progress: Callable[[], object]) -> None:
        self._console = console
        self._progress = progress
        self._newest = Generation()
        self._task: asyncio.Task[object] | None = None
        self._finder = Finder("")
        self._slow = 0
        self._told_at = 0.0
        self._last = 0  # the number of the newest flow that was looked at
        self._unfinished: set[str] = set()  # those that were not over then
        self._is_done = False
        self.found: dict[str, str] = {}
        self.share: float | None = None  # while it runs
        self.problem = ""

    @property
    def is_running(self) -> bool:
        return self.share is not None

    @property
    def note(self) -> str:
        """How far it is."""
        count = len(self.found)
        flows = f"{count:,} flow{'' if count == 1 else 's'}"
        if self.problem:
            return f"bodies: {flows}, stopped: {self.problem}"
        return f"bodies: {flows}" if self.share is None else f"bodies: {self.share:.0%} · {flows}"

    def start(self, pattern: str) -> None:
        """Begin anew."""
        self.forget()
        if pattern:
            self._finder = Finder(pattern)
            view = self._console.view
            newest_last = view.order == "time" and not view.reversed
            self._begin(list(reversed(view.shown)) if newest_last else list(view.shown))

    def go_on(self) -> None:
        """Look at the flows that have come since it was done."""
        if self._is_done and (ids := self._since()):
            self._begin(ids)

    def _begin(self, ids: list[str]) -> None:
        self.share, self._is_done = 0.0, False
        self._console.spawn(self._run(ids, self._newest.begin()), "search in bodies")

    def _since(self) -> list[str]:
        view = self._console.view
        newest_first = reversed(tuple(view.all_ids))
        come = takewhile(lambda id_: view.row(id_).number > self._last, newest_first)
        return [id_ for id_ in (*come, *self._unfinished) if id_ in view.shown and id_ not in self.found]

    def stop(self) -> bool:
        """End it and keep what was found; False: it does not run."""
        was_running, self.share = self.is_running, None
        self._newest.cancel()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return was_running

    def forget(self) -> None:
        """End it, and forget what was found."""
        self.stop()
        self.found = {}
        self.problem, self._slow = "", 0
        self._last, self._is_done = 0, False
        self._unfinished.clear()

    # --- the work ---------------------------------------------------------------------------------------------------

    async def _run(self, ids: list[str], token: Token) -> None:
        if not token.current:
            return
        self._task = asyncio.current_task()
        view = self._console.view
        with self._console.master.jobs.begun(f"search for {visible(self._finder.pattern[:20])}") as job:
            walk = view.walk(ids, token=token)
            async for flow in walk:
                self._note(flow)
                if tab := await self._where(flow):
                    self.found[flow.id] = tab
                if not token.current:
                    return
                if job.stopped or self.problem:
                    break
                self._report(job, walk.examined / len(ids))
            self._is_done = not job.stopped and not self.problem
        self._task = self.share = None
        self._progress()

    def _note(self, flow: Flow) -> None:
        """What is new to the next search, and what need not be looked at again."""
        self._unfinished.discard(flow.id)
        if flow.live:
            self._unfinished.add(flow.id)
        if flow.id in self._console.view:
            self._last = max(self._last, self._console.view.row(flow.id).number)

    def _report(self, job: Job, share: float) -> None:
        self.share = share
        now = time.monotonic()
        if now - self._told_at >= _GLANCE:
            self._told_at = now
            job.report(share)
            self._progress()

    async def _where(self, flow: Flow) -> str:
        """The tab of the flow in which it is found, "" for none."""
        budget = Budget()
        for tab, piece in _pieces(flow):
            if budget.spent():
                await budget.rest()
            found = await self._in_body(piece) if isinstance(piece, Message) else await self._in_bytes(piece, "")
            if found:
                return tab
            if self.problem:
                break
        return ""

    async def _in_body(self, message: Message) -> bool:
        raw = message.raw_content
        if not raw:
            return False
        encoding = message.headers.get("content-encoding") or ""
        if encoding and len(raw) <= _ENCODED_IN_PLACE:
            try:
                return await self._in_bytes(message.get_content(limit=_IN_PLACE) or b"", "")
            except ValueError:  # larger than that, or broken
                pass
        return await self._in_bytes(raw, encoding)

    async def _in_bytes(self, data: bytes, encoding: str) -> bool:
        if len(data) <= _IN_PLACE and not encoding:
            if self._finder.holds(data):
                return True
            if not self._finder.problem:
                return False
            self._finder = Finder(self._finder.pattern)
        worker, seconds = self._console.master.worker, search_body.SECONDS
        found: bool | None
        try:
            asked = (data, encoding, self._finder.pattern, seconds)
            found = await worker.run(search_body.holds, *asked, seconds=seconds + _GRACE)
        except TimeoutError:
            found = None
        except (WorkerFailed, ValueError):  # it does not fit in memory, or the process was killed
            found = False
        if found is None:
            self._slow += 1
            if self._slow >= _MOST_SLOW:
                self.problem = f"the regular expression {self._finder.pattern!r} takes too long"
        return bool(found)


def _pieces(flow: Flow) -> Iterator[Piece]:
    """What is searched of a flow, and the tab that shows it. Its URL is in its row."""
    if isinstance(flow, HTTPFlow):
        yield REQUEST, bytes(flow.request.headers)
        yield REQUEST, flow.request
        if flow.response is not None:
            yield RESPONSE, bytes(flow.response.headers)
            yield RESPONSE, flow.response
        if flow.websocket is not None:
            for frame in flow.websocket.messages:
                yield MESSAGES, frame.content
    elif isinstance(flow, TunnelFlow):
        for chunk in flow.messages:
            yield MESSAGES, chunk.content
    elif isinstance(flow, DNSFlow):
        yield REQUEST, dns_text(flow.request)
        if flow.response is not None:
            yield RESPONSE, dns_text(flow.response)
