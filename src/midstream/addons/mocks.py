"""Mock rules: `mock.freeze` makes a flow's response the answer to all requests like it, without a server.

Rules have a filter, can be turned off and on and are counted; the file that the option `mock_rules` names keeps them,
see store/formats/mock_file.py. They answer behind the scripts, so that these see the request first.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakSet

from midstream.addons.rules import by_rule
from midstream.filters import parse
from midstream.flows.connection import Client
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.headers import Headers, to_bytes
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.hub.types import Path as PathType
from midstream.store import files
from midstream.store.formats.mock_file import MockFile, MockFileError, MockRule
from midstream.text.escape import visible
from midstream.text.sizes import human_size
from midstream.text.url import hostport
from midstream.wire.http1 import HOP_BY_HOP

logger = logging.getLogger("midstream.mocks")

_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_NOT_FROZEN = frozenset({*_LENGTHS, b"connection", *HOP_BY_HOP})


class Mocks:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What answers, while a rule is on."""
        self._file = MockFile()
        self._writing = asyncio.Lock()

    @property
    def rules(self) -> list[MockRule]:
        """All of them, in the order in which they are asked."""
        return self._file.rules

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "mock_rules",
            str | None,
            None,
            "Answer requests by the mock rules of this YAML file; rules that are made or turned off are kept there.",
            kind="path",
        )

    def configure(self, updated: set[str]) -> None:
        if "mock_rules" not in updated:
            return
        name = ctx.options.mock_rules
        file = MockFile(Path(os.path.expanduser(name)) if name else None)
        if file.path is not None and (file.path.exists() or not file.path.parent.is_dir()):
            try:
                file.read()
            except MockFileError as error:
                raise OptionsError(f"option mock_rules: {error}") from None
        self._file = file
        self._bind()

    def _bind(self) -> None:
        on = [rule for rule in self.rules if rule.enabled]
        self.addons[:] = [Answering(on)] if on else []
        ctx.master.addons.rebind()

    # -- commands -----------------------------------------------------------------------------------------------------

    @command("mock.freeze")
    async def freeze(self, flows: Sequence[Flow], flow_filter: str = "") -> None:
        """Answer requests like those of these flows by their responses. The filter is made of method and URL if none is
        given. A rule with the same filter that is on gives way.
        """
        for rule in [_frozen(flow, flow_filter) for flow in flows]:
            at = next((at for at, known in enumerate(self.rules) if _is_like(known, rule)), len(self.rules))
            self.rules[at : at + 1] = [rule]
            logger.log(ALERT, "mock rule %d answers %s", at + 1, visible(rule.filter.pattern))
        await self._changed()

    @command("mock.list")
    def list_(self) -> Sequence[str]:
        """All mock rules by their numbers: whether they are on, how often they have answered, what and with what."""
        return [_line(number, rule) for number, rule in enumerate(self.rules, 1)]

    @command("mock.toggle")
    async def toggle(self, number: int) -> None:
        """Turn a mock rule off, or on again."""
        rule = self._rule(number)
        rule.enabled = not rule.enabled
        await self._changed()
        logger.log(ALERT, "mock rule %d is %s", number, "on" if rule.enabled else "off")

    @command("mock.remove")
    async def remove(self, number: int) -> None:
        """Forget a mock rule. Others behind it get other numbers."""
        self.rules.remove(self._rule(number))
        await self._changed()
        logger.log(ALERT, "mock rule %d is gone; %d left", number, len(self.rules))

    @command("mock.load")
    def load_again(self) -> None:
        """Read the file of mock rules again, after you have edited it. Counts begin anew."""
        if self._file.path is None:
            raise CommandError("mock.load: the option mock_rules names no file")
        try:
            self._file.read()
        except MockFileError as error:
            raise CommandError(f"mock.load: {error}; the rules are those of before") from None
        self._bind()

    @command("mock.save")
    async def save(self, path: PathType) -> None:
        """Write the mock rules to a YAML file."""
        target = Path(files.target(path).path)
        await self._write(target)
        logger.log(ALERT, "mock rules saved in %s: %d", visible(str(target)), len(self.rules))

    def _rule(self, number: int) -> MockRule:
        if not 0 < number <= len(self.rules):
            raise CommandError(f"there is no mock rule {number}; mock.list lists {len(self.rules)}")
        return self.rules[number - 1]

    async def _changed(self) -> None:
        self._bind()
        if self._file.path is not None:
            await self._write(self._file.path)

    async def _write(self, path: Path) -> None:
        try:
            async with self._writing:  # what is written last is the newest
                if path == self._file.path and self._file.is_edited():
                    raise MockFileError(f"{path} was edited meanwhile; mock.load reads it")
                text, bodies = self._file.write(path)
                for file, body in bodies.items():
                    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    await files.replace_file(file, [body])
                await files.replace_file(path, [text])
                if path == self._file.path:
                    self._file.written()
        except MockFileError as error:
            raise CommandError(f"mock rules are not saved: {error}") from None
        except OSError as error:
            raise CommandError(f"mock rules are not saved to {path}: {files.why(error)}") from None


class Answering:
    """The rules at work."""

    name = "mocks"

    def __init__(self, rules: list[MockRule]) -> None:
        self._rules = rules
        self._hosts = frozenset(rule.host for rule in rules if rule.host)
        self._put_off: WeakSet[Client] = WeakSet()

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """A server that a rule stands for need not be there: a tunnel to it is opened without, once for each client.
        A request that no rule answers asks again.
        """
        address = data.server.address
        if address is not None and hostport("", *address) in self._hosts and data.client not in self._put_off:
            self._put_off.add(data.client)
            data.postponed = "a mock rule answers for this server"

    def request(self, flow: HTTPFlow) -> None:
        if flow.response is not None or flow.error is not None or not flow.live:
            return
        for rule in self._rules:
            if rule.filter(flow):
                name = rule.name or rule.filter.pattern
                with by_rule(flow, self.name, name):
                    flow.response = _answer(rule)
                flow.metadata["mock"] = name
                rule.hits += 1
                return


def _answer(rule: MockRule) -> Response:
    now = time.time()
    fields = tuple(pair for pair in rule.headers if pair[0].lower() not in _LENGTHS)
    if rule.status not in (204, 304):  # RFC 9110 §8.6: these have no body, and say nothing of its length
        fields = (*fields, (b"content-length", b"%d" % len(rule.body)))
    return Response(b"HTTP/1.1", rule.status, _phrase(rule.reason), Headers(fields), rule.body, None, now, now)


def _phrase(reason: str) -> bytes:
    try:
        return reason.encode("latin-1")  # as it is read from the wire
    except UnicodeEncodeError:
        return to_bytes(reason)


def _frozen(flow: Flow, flow_filter: str) -> MockRule:
    if not isinstance(flow, HTTPFlow) or flow.response is None or flow.response.status_code < 200:
        raise CommandError("mock.freeze: only an HTTP flow with a response can be frozen")
    response = flow.response
    if response.raw_content is None:
        raise CommandError("mock.freeze: the body was not kept; stream_large_bodies or body_buffer_limit let it pass")
    try:
        matches = parse(flow_filter or _filter_for(flow))
    except ValueError as error:
        raise CommandError(f"mock.freeze: {error}") from None
    # Without its encoding the body can be read and edited in the file; one that cannot be decoded stays as it came.
    body, is_decoded = response.raw_content, False
    if "content-encoding" in response.headers:
        try:
            body, is_decoded = response.get_content() or b"", True
        except ValueError:
            pass
    skipped = _NOT_FROZEN | ({b"content-encoding"} if is_decoded else set())
    fields = tuple(pair for pair in response.headers.fields if pair[0].lower() not in skipped)
    request = flow.request
    host = hostport("", request.host, request.port) if request.scheme == "https" else ""
    name = f"{request.method} {request.pretty_url}"[:200]
    return MockRule(matches, response.status_code, response.reason, fields, body, name=name, host=host)


def _is_like(known: MockRule, rule: MockRule) -> bool:
    return known.enabled and known.filter.pattern == rule.filter.pattern


def _filter_for(flow: HTTPFlow) -> str:
    """Requests of this method for this very URL."""
    method, url = (re.escape(text) for text in (flow.request.method, flow.request.pretty_url))
    return f"~m {_quoted(f'^{method}$')} ~u {_quoted(f'^{url}$')}"


def _quoted(text: str) -> str:
    """An argument of a filter, in which a backslash takes the next character as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _line(number: int, rule: MockRule) -> str:
    state = "on" if rule.enabled else "off"
    what = f"{rule.status}, {human_size(len(rule.body))}"
    return f"{number} {state}, {rule.hits} answered: {visible(rule.name or rule.filter.pattern)} -> {what}"
