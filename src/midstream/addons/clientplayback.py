"""Send requests again: flows of the list, of scripts, and of files.

Each attempt is a flow of its own (`flows/attempt.py`), so that nothing that was captured is overwritten. Attempts wait
in a queue and go one after the other, or several at once; how one is sent is the business of `proxy/replay.py`. Of a
file so much is read at a time as the queue takes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import aclosing

from midstream.flows.attempt import attempt_of, draft_of, why_not
from midstream.flows.errors import CommandError, FlowReadException, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.proxy_mode import ProxyMode, UpstreamMode
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.option_kinds import Kind
from midstream.hub.types import Path
from midstream.proxy.server import Proxy
from midstream.store.specs import takes_long
from midstream.text.escape import visible
from midstream.work.slices import cooperate

logger = logging.getLogger(__name__)

MOST_PARALLEL = 100
"""Replays at once, where the option sets no limit."""
READ_AHEAD = 100
"""So many flows wait in the queue, and no more of a file is read."""
READ_AHEAD_BYTES = 32 * 1024 * 1024
"""The same for their bodies and messages."""

# More flows are looked at in slices, so that the loop goes on meanwhile.
_MANY = 2000


class ClientPlayback:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._queue: deque[HTTPFlow] = deque()
        self._files: deque[str] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._in_flight = 0
        self._most = 1
        self._is_on = False

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "client_replay",
            Sequence[str],
            [],
            "Flow files whose requests are sent again, at the start or when this is set; may be given more than once.",
            kind="path",
        )
        loader.add_option(
            "client_replay_concurrency",
            int,
            1,
            f"How many requests are replayed at once: 1 is one after the other, -1 as many as go (up to "
            f"{MOST_PARALLEL}).",
            kind=Kind("range", editor="range", low=-1, high=MOST_PARALLEL),
        )

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        if "client_replay_concurrency" in updated:
            wanted = options.client_replay_concurrency
            if wanted == 0:
                raise OptionsError("client_replay_concurrency: 0 would replay nothing; 1 is one after the other")
            self._most = wanted if wanted > 0 else MOST_PARALLEL
            self._go_on()
        if "client_replay" in updated and options.client_replay:
            for path in options.client_replay:
                if problem := _problem_of(path):
                    raise OptionsError(f"client_replay: {path}: {problem}")
            self._files += options.client_replay
            self._go_on()

    def running(self) -> None:
        ctx.master.background.spawn(self._begin(), "begin to replay")

    async def _begin(self) -> None:
        """Nothing is sent before the start has succeeded."""
        await ctx.master.is_up.wait()
        if not ctx.master.should_exit.is_set():
            self._is_on = True
            self._go_on()

    def done(self) -> None:
        self._is_on = False
        self._forget()

    # -- commands -----------------------------------------------------------------------------------------------------

    @command("replay.client")
    def start_replay(self, flows: Sequence[Flow]) -> None:
        """Send the requests of flows again, each as a new flow. A flow that was never sent is sent itself."""
        if takes_long(flows, _MANY):
            ctx.master.background.spawn(self._take_in_slices(flows), "queue replays")
        else:
            self._take(flows)

    @command("replay.client.draft")
    def draft(self, flow: Flow) -> None:
        """Add the request of a flow to the list once more, without an answer: to be edited, and then replayed."""
        if why := why_not(flow):
            raise CommandError(f"{_name(flow)} cannot be replayed: {why}")
        if not hasattr(ctx.master, "view"):
            raise CommandError("this program keeps no list of flows; in a script, flow.copy() does the same")
        if isinstance(flow, HTTPFlow):
            # Imported here: programs without a list do without it.
            from midstream.addons.view_steps import Addition

            draft, view = draft_of(flow), ctx.master.view
            view.add(draft)
            ctx.master.undo.add(Addition(view, "draft", [draft]))
            if draft.id in view.shown:
                view.set_focus(draft.id)

    @command("replay.client.file")
    def load_file(self, path: Path) -> None:
        """Send the requests of a flow file again."""
        if problem := _problem_of(path):
            raise CommandError(f"{path}: {problem}")
        self._files.append(path)
        self._go_on()

    @command("replay.client.count")
    def count(self) -> int:
        """How many replays are queued or under way; a file that is not read to its end counts as one more."""
        return len(self._queue) + self._in_flight + len(self._files)

    @command("replay.client.stop")
    def stop_replay(self) -> None:
        """Send nothing more of what is queued. What is under way goes on."""
        count = len(self._queue) + len(self._files)
        self._forget()
        if count:
            logger.info("%s taken off the queue", _counted(count, "replay"))

    # -- the queue ----------------------------------------------------------------------------------------------------

    def _take(self, flows: Sequence[Flow]) -> None:
        refused: Counter[str] = Counter()
        named = ""
        for flow in flows:
            if why := why_not(flow):
                refused[why] += 1
                named = named or _name(flow)
            elif isinstance(flow, HTTPFlow):
                self._queue.append(flow)
        for why, count in refused.items():
            what = named if count == 1 and len(refused) == 1 else _counted(count, "flow")
            logger.warning("%s cannot be replayed: %s", what, why)
        self._go_on()

    async def _take_in_slices(self, flows: Sequence[Flow]) -> None:
        async for some in cooperate(flows):
            self._take(some)

    def _forget(self) -> None:
        self._queue.clear()
        self._files.clear()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _go_on(self) -> None:
        """Send what may be sent now."""
        if not self._is_on:
            return
        while self._queue and self._in_flight < self._most:
            self._in_flight += 1
            ctx.master.background.spawn(self._send(self._queue.popleft()), "replay")
        self._room.set()
        if self._files and self._reading is None:
            self._reading = ctx.master.background.spawn(self._read(), "read flows to replay")

    async def _send(self, parent: HTTPFlow) -> None:
        try:
            if why := why_not(parent):  # much may have happened since it was queued
                logger.warning("%s cannot be replayed: %s", _name(parent), why)
                return
            recorded = parent.websocket.copy() if parent.websocket is not None else None
            await self._proxy.replay(attempt_of(parent), recorded, _parent_proxy())
        except Exception:
            # One that cannot be sent, for whatever reason, keeps none of the others back.
            logger.exception("a replay of %s failed unexpectedly", _name(parent))
        finally:
            self._in_flight -= 1
            self._go_on()

    async def _read(self) -> None:
        """Queue the flows of the files, as there is room."""
        while self._files:
            path = self._files[0]
            try:
                await self._read_one(path)
            except FlowReadException as error:
                logger.error("client_replay: %s: %s", visible(path), error)
                if not hasattr(ctx.master, "view"):  # nobody is there who reads the line: scripts look at the status
                    ctx.master.exit_status = 1
            except Exception:
                # What cannot be read, for whatever reason, keeps no other file back, and not the end of the program.
                logger.exception("replaying %s failed unexpectedly", visible(path))
            self._files.popleft()
        self._reading = None

    async def _read_one(self, path: str) -> None:
        # Imported here: few runs read a file.
        from midstream.store.formats.loading import batches

        with ctx.master.jobs.begun(f"replaying {visible(path)}") as job:
            async with aclosing(batches(path, job)) as read:
                async for batch in read:
                    for flow in batch:
                        flow.resume()  # whoever held it when it was saved is gone
                        if isinstance(flow, HTTPFlow) and flow.response is not None:
                            flow.response.raw_content = None  # nobody is going to ask for it
                    self._take(batch)
                    await self._until_room()

    async def _until_room(self) -> None:
        while len(self._queue) >= READ_AHEAD or sum(map(_size, self._queue)) > READ_AHEAD_BYTES:
            self._room.clear()
            await self._room.wait()


def _size(flow: HTTPFlow) -> int:
    """What a queued flow takes of memory, more or less."""
    messages = flow.websocket.messages if flow.websocket is not None else ()
    return len(flow.request.raw_content or b"") + sum(len(message.content) for message in messages)


def _parent_proxy() -> UpstreamMode | None:
    """The first mode, if that is to a parent proxy: there is no client that came by any."""
    modes = ctx.options.mode
    mode = ProxyMode.parse(modes[0]) if modes else None
    return mode if isinstance(mode, UpstreamMode) else None


def _problem_of(path: str) -> str:
    # Imported here: few runs read a file.
    from midstream.store.formats.loading import problem_of

    return problem_of(path)


def _name(flow: Flow) -> str:
    return f"{flow.request.method} {flow.request.url}" if isinstance(flow, HTTPFlow) else "the flow"


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"
