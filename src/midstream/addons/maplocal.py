"""Answer requests from files: rules of `map_local` name a file, or a folder in which the rest of the URL is looked up.

Files are found and read in threads. Small ones are read at once; a large one is read while it is sent, so that it never
lies in memory as a whole.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Sequence
from functools import partial
from typing import Any

from midstream.addons.local_file import LocalFile, open_again, open_target
from midstream.addons.rules import Aside, OnRequest, Telling, by_rule, compiled, kind
from midstream.filters.rules import RuleError, expanded, parse_rule, shown, text_pattern, why
from midstream.flows.http import HTTPFlow, Response
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.server import Proxy
from midstream.text.patterns import TooSlow

logger = logging.getLogger("midstream.rules")

PIECE = 256 * 1024
"""Bytes that are read of a large file at a time."""


class LocalRule:
    """One rule."""

    def __init__(self, text: str) -> None:
        rule = parse_rule(text)
        self.text = text
        self.matches = rule.matches
        self.pattern = text_pattern(rule)
        if not rule.replacement:
            raise RuleError(f"{shown(text)}: the path is missing; . is the current folder")
        self.path = expanded(rule, rule.replacement).absolute()

    @classmethod
    def checked(cls, text: str) -> LocalRule:
        """The same, if its path is there."""
        rule = cls(text)
        try:
            rule.path.stat()
        except (OSError, ValueError) as error:
            raise RuleError(f"{shown(text)}: cannot find {shown(str(rule.path))}: {why(error)}") from None
        return rule


class MapLocal:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.addons: list[object] = []
        """What answers, while there are rules."""
        self._aside = Aside()

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "map_local",
            Sequence[str],
            [],
            "Answer requests from files, by rules [/filter]/url-regex/path; in a folder the rest of the URL is a name.",
            kind=kind(LocalRule.checked),
        )

    def configure(self, updated: set[str]) -> None:
        if "map_local" in updated:
            rules = compiled("map_local", LocalRule)
            self.addons[:] = [Answering(self._proxy, rules, self._aside)] if rules else []
            ctx.master.addons.rebind()

    def done(self) -> None:
        self._aside.close()


class Answering(OnRequest):
    """The rules at work."""

    name = "map_local"

    def __init__(self, proxy: Proxy, rules: list[LocalRule], aside: Aside) -> None:
        super().__init__(proxy)
        self._rules = rules
        self._aside = aside
        self._telling = Telling(self.name)

    def concerns(self, flow: HTTPFlow) -> bool:
        return any(self._suffix(rule, flow) is not None for rule in self._rules)

    def act(self, flow: HTTPFlow) -> Awaitable[None] | None:
        """What to await once a rule matches; None for the other flows."""
        for index, rule in enumerate(self._rules):
            if (suffix := self._suffix(rule, flow)) is not None:
                return self._answer(flow, index, suffix)
        return None

    async def _answer(self, flow: HTTPFlow, first: int, suffix: str | None) -> None:
        """By the first of the rules that match and have such a file; if none has it, by 404: this URL is theirs."""
        missing = ""
        for index, rule in enumerate(self._rules[first:]):
            wanted = suffix if index == 0 else self._suffix(rule, flow)
            if wanted is None:
                continue
            try:
                file = await self._aside.run(partial(open_target, rule.path, wanted))
            except OSError as error:
                self._telling.skipped(rule.text, flow, f"cannot read its file: {why(error)}")
                continue
            if file is not None:
                with by_rule(flow, self.name, rule.text):
                    flow.response = _response(file, self._aside)
                return
            missing = missing or rule.text
            logger.info(
                "map_local: there is no file for %s in %s", flow.request.pretty_url, rule.path, extra={"flow": flow.id}
            )
        if missing:
            with by_rule(flow, self.name, missing):
                flow.response = Response.make(404)

    def _suffix(self, rule: LocalRule, flow: HTTPFlow) -> str | None:
        """What the URL has to say about the name of the file; None if the rule does not match."""
        if not rule.matches(flow):
            return None
        url = flow.request.pretty_url
        try:
            found: Any = rule.pattern.find(url)
        except TooSlow as slow:
            self._telling.skipped(rule.text, flow, slow)
            return None
        if found is None:
            return None
        if found.re.groups:
            return found[1] or ""
        rest = url[found.end() :]
        return rest.partition("?")[0]


def _response(file: LocalFile, aside: Aside) -> Response:
    headers = {"Server": "midstream"}
    if file.media_type is not None:
        headers["Content-Type"] = file.media_type
    if file.content is not None:
        return Response.make(200, file.content, headers)
    response = Response.make(200, headers=headers)
    response.headers["Content-Length"] = str(file.size)
    made_later: Any = partial(_pieces, file, aside)
    response.raw_content, response.stream = None, made_later
    return response


async def _pieces(file: LocalFile, aside: Aside, _: bytes) -> AsyncIterator[bytes]:
    """The content of a large file, while it is sent. As much as was promised: the file may grow meanwhile."""
    descriptor = await aside.run(partial(open_again, file.path))
    try:
        left = file.size
        while left and (piece := await aside.run(partial(os.read, descriptor, min(PIECE, left)))):
            left -= len(piece)
            yield piece
    finally:
        os.close(descriptor)
