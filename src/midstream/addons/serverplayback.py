"""Answer requests with what was recorded, without asking any server.

Flows with answers come from files, from the list and from scripts. What becomes of a request without a recorded answer
is said by server_replay_extra; unless it is forwarded, no connection to any server is opened as long as this is on,
whatever asks for one. It is on from the first answers until `replay.server.stop`, also when all have been given.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from midstream.flows.answers import Answers, Matching, why_no_answer
from midstream.flows.errors import CommandError, FlowReadException, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.repeats import Repeats
from midstream.hub.types import Path
from midstream.proxy.server import Proxy
from midstream.store.specs import takes_long
from midstream.text.escape import visible
from midstream.work.slices import cooperate, let_go

logger = logging.getLogger(__name__)

FORWARD, KILL = "forward", "kill"
EXTRA = (FORWARD, KILL, "204", "400", "404", "500")

NO_SERVER = "server replay is on, and server_replay_extra lets nothing through to a server"

_MATCHING = {f"server_replay_{name}" for name in Matching._fields}
# More flows are dealt with in slices, so that the loop goes on meanwhile.
_MANY = 500

Job = Callable[[], Awaitable[None]]

_OLD_NAMES = {
    "server_replay_kill_extra": "server_replay_extra=kill",
    "server_replay_nopop": "server_replay_reuse",
}


class ServerPlayback:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.answers = Answers()
        self.addons: list[object] = []
        """What answers, while this is on."""
        self.extra = FORWARD
        self.is_closed = False
        """Nothing goes to a server, whatever answers are left; the console shows it."""
        self.reuse = self.refresh = False
        # What takes long and is still to be done, in this order; requests wait until it is.
        self._jobs: deque[Job] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def load(self, loader: Loader) -> None:
        _declare(loader.add_option)

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        paths = options.server_replay
        if "server_replay" in updated:
            for path in paths:
                if problem := _problem_of(path):
                    raise OptionsError(f"server_replay: {path}: {problem}")
        for name in _OLD_NAMES:
            if name in updated and getattr(options, name):
                logger.warning("%s is an old name: use %s", name, _OLD_NAMES[name])
        self.extra = KILL if options.server_replay_kill_extra else options.server_replay_extra
        self.reuse = options.server_replay_reuse or options.server_replay_nopop
        self.refresh = options.server_replay_refresh
        if updated & _MATCHING:
            self._match_by(_matching(options))
        if "server_replay" in updated and (paths or self.addons):
            self._forget()
            for path in paths:
                self._soon(partial(self._load, path))
            self._switch(on=bool(paths))
        elif self.addons:
            self._switch(on=True)

    def running(self) -> None:
        if self._jobs:
            self._start()

    def done(self) -> None:
        self._forget()

    # -- commands -----------------------------------------------------------------------------------------------------

    @command("replay.server")
    def load_flows(self, flows: Sequence[Flow]) -> None:
        """Answer requests with the recorded answers of these flows, instead of those that there were."""
        self._forget()
        self.add_flows(flows)

    @command("replay.server.add")
    def add_flows(self, flows: Sequence[Flow]) -> None:
        """Add the recorded answers of these flows to those that there are."""
        self._switch(on=True)
        if not takes_long(flows, _MANY) and not self._jobs:
            left_out: Counter[str] = Counter()
            for flow in flows:
                self._add(flow, left_out)
            _tell(left_out)
        else:
            self._soon(partial(self._add_many, flows))

    @command("replay.server.file")
    def load_file(self, path: Path) -> None:
        """Answer requests with the recorded answers of a flow file, instead of those that there were."""
        if problem := _problem_of(path):
            raise CommandError(f"{path}: {problem}")
        self._forget()
        self._switch(on=True)
        self._soon(partial(self._load, path))

    @command("replay.server.stop")
    def clear(self) -> None:
        """Forget the recorded answers: requests go to their servers again."""
        self._forget()
        self._switch(on=False)

    @command("replay.server.count")
    def count(self) -> int:
        """How many recorded answers are left; at least one while they are read."""
        return max(len(self.answers), 1 if self._jobs else 0)

    # -- filling ------------------------------------------------------------------------------------------------------

    def _switch(self, *, on: bool) -> None:
        """Answer, or leave everything alone, in which case no handler is bound."""
        # Also for requests that were held before this, and would go on over a connection that there is.
        self.is_closed = on and self.extra != FORWARD
        self._proxy.settings = replace(self._proxy.settings, no_server=NO_SERVER if self.is_closed else "")
        if on:
            kind = Closed if self.is_closed else Answering
            if [type(addon) for addon in self.addons] == [kind]:
                return
            self.addons[:] = [kind(self)]
        elif self.addons:
            self.addons[:] = []
        else:
            return
        ctx.master.addons.rebind()

    def _forget(self) -> None:
        self._jobs.clear()
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None
        gone: list[Flow] = [*self.answers.clear()]
        if len(gone) > _MANY:
            ctx.master.background.spawn(let_go(gone), "free flows")
        self._idle.set()

    def _match_by(self, matching: Matching) -> None:
        if matching == self.answers.matching:
            return
        numbers = self.answers.unfile(matching)
        if len(numbers) <= _MANY and not self._jobs:
            for number in numbers:
                self.answers.file(number)
        else:
            self._soon(self._file_again)

    def _soon(self, job: Job) -> None:
        self._jobs.append(job)
        self._idle.clear()
        if self._worker is None and ctx.master.is_running:
            self._start()

    def _start(self) -> None:
        self._worker = ctx.master.background.spawn(self._work(), "prepare recorded answers")

    async def _work(self) -> None:
        while self._jobs:
            try:
                await self._jobs[0]()
            except Exception:
                # A flow of a script may be anything, and requests must not wait for ever.
                logger.exception("some recorded answers could not be taken in")
            self._jobs.popleft()
        self._worker = None
        self._idle.set()

    async def _file_again(self) -> None:
        async for some in cooperate(self.answers.unfile(self.answers.matching)):
            for number in some:
                self.answers.file(number)

    async def _load(self, path: str) -> None:
        from midstream.store.formats.loading import batches

        before, left_out, shown = len(self.answers), Counter[str](), visible(path)
        try:
            with ctx.master.jobs.begun(f"reading {shown}") as job:
                async with aclosing(batches(path, job)) as read:
                    async for batch in read:
                        async for some in cooperate(batch):
                            for flow in some:
                                self._add(flow, left_out)
        except FlowReadException as error:
            logger.error("server_replay: %s: %s", shown, error)
            if not hasattr(ctx.master, "view"):  # nobody is there who reads the line: scripts look at the status
                ctx.master.exit_status = 1
        _tell(left_out)
        logger.info("%s: %s recorded", shown, _counted(len(self.answers) - before, "answer"))

    async def _add_many(self, flows: Sequence[Flow]) -> None:
        left_out: Counter[str] = Counter()
        async for some in cooperate(flows):
            for flow in some:
                self._add(flow, left_out)
        _tell(left_out)

    def _add(self, flow: Flow, left_out: Counter[str]) -> None:
        if why := why_no_answer(flow):
            left_out[why] += 1
        elif isinstance(flow, HTTPFlow):
            self.answers.add(flow)

    async def ready(self) -> None:
        """Wait until all answers are there."""
        while self._jobs:  # others may have come when it is this one's turn
            await self._idle.wait()


class Answering:
    """Gives the answers; what has none is forwarded."""

    name = "serverplayback_answering"

    def __init__(self, owner: ServerPlayback) -> None:
        self.owner = owner

    async def requestheaders(self, flow: HTTPFlow) -> None:
        """A body that streams is on its way to the server before anybody has seen it whole."""
        await self.owner.ready()
        if flow.request.stream is False and self.owner.answers.may_know(flow.request):
            flow.request.stream = None

    async def request(self, flow: HTTPFlow) -> None:
        await self.owner.ready()
        if flow.response is not None or flow.error is not None:
            return
        recorded = self.owner.answers.take(flow.request, keep=self.owner.reuse)
        if recorded is None:
            self.without_answer(flow)
            return
        response = recorded.copy()
        if self.owner.refresh:
            response.refresh()
        response.timestamp_start = response.timestamp_end = time.time()
        flow.response, flow.is_replay = response, "response"

    def without_answer(self, flow: HTTPFlow) -> None:
        """Nothing was recorded for this, or not so often."""


class Closed(Answering):
    """The same where nothing may reach a server."""

    name = "serverplayback_closed"

    def __init__(self, owner: ServerPlayback) -> None:
        super().__init__(owner)
        self._repeats = Repeats()

    async def requestheaders(self, flow: HTTPFlow) -> None:
        if flow.request.stream is False:
            flow.request.stream = None

    def without_answer(self, flow: HTTPFlow) -> None:
        extra = self.owner.extra
        if extra == KILL:
            self._repeats.warn(
                logger, "no recorded answer is left, killed", f"{flow.request.method} {flow.request.url}"
            )
            if flow.killable:
                flow.kill()
        else:
            flow.response = Response.make(int(extra))
            flow.is_replay = "response"

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Tunnels go on without a server. Asked for names, servers do no harm: those of mode dns are left alone."""
        if data.server.transport_protocol == "tcp" and data.client.proxy_mode.type_name != "dns":
            data.postponed = NO_SERVER


def _matching(options: Any) -> Matching:
    return Matching(
        options.server_replay_ignore_content,
        options.server_replay_ignore_host,
        options.server_replay_ignore_port,
        frozenset(options.server_replay_ignore_params),
        frozenset(options.server_replay_ignore_payload_params),
        tuple(sorted({name.lower() for name in options.server_replay_use_headers})),
    )


def _problem_of(path: str) -> str:
    # Imported here: few runs read a file.
    from midstream.store.formats.loading import problem_of

    return problem_of(path)


def _tell(left_out: Counter[str]) -> None:
    for why, count in left_out.items():
        logger.warning("server replay: %s left out: %s", _counted(count, "flow"), why)


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _declare(option: Callable[..., None]) -> None:
    option(
        "server_replay",
        Sequence[str],
        [],
        "Flow files with whose answers requests are answered; may be given more than once.",
        kind="path",
    )
    option(
        "server_replay_extra",
        str,
        FORWARD,
        "What becomes of a request without a recorded answer: it is forwarded or killed, or answered with a status.",
        choices=EXTRA,
    )
    option("server_replay_reuse", bool, False, "Give a recorded answer again and again, not only once.")
    option("server_replay_refresh", bool, True, "Move dates and the expiry of cookies in recorded answers to now.")
    option("server_replay_ignore_content", bool, False, "Requests ask the same whatever their bodies are.")
    option("server_replay_ignore_host", bool, False, "Requests ask the same whatever host they go to.")
    option("server_replay_ignore_port", bool, False, "Requests ask the same whatever port they go to.")
    option(
        "server_replay_ignore_params",
        Sequence[str],
        [],
        "Names in the query in which requests that ask the same differ.",
    )
    option(
        "server_replay_ignore_payload_params",
        Sequence[str],
        [],
        "Names in the form in which requests that ask the same differ.",
    )
    option(
        "server_replay_use_headers", Sequence[str], [], "Names of headers that have to be alike, too, to ask the same."
    )
    option("server_replay_kill_extra", bool, False, "Old name of server_replay_extra=kill.")
    option("server_replay_nopop", bool, False, "Old name of server_replay_reuse.")
