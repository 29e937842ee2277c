"""Replace parts of bodies by rules of `modify_body`: of requests until there is a response, then of responses.

The rules work on bodies as people see them: the content encoding is undone and applied again. They need the whole body,
so an event stream or another text that passes line by line is held for a rule that matches its head. What streams all
the same is left as it is, and named.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from functools import partial

from midstream.addons.rules import Aside, Telling, by_rule, compiled, is_open, kind
from midstream.filters.rules import Replacement, body_pattern, parse_rule, why
from midstream.flows import encodings
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.text.patterns import TooSlow, literal

IN_PLACE = 128 * 1024
"""A body up to this size, that has no encoding, is changed on the spot; everything else in a thread."""

LARGEST = 64 * 1024 * 1024
"""A body that is larger when decoded is left as it is."""

HELD = frozenset({"application/jsonl", "application/stream+json", "application/x-ndjson", "text/event-stream"})
"""Of the kinds that pass as they come, those that are text. Changing others would break the lengths inside of them."""

logger = logging.getLogger(__name__)


class BodyRule:
    """One rule."""

    def __init__(self, text: str) -> None:
        rule = parse_rule(text)
        self.text = text
        self.matches = rule.matches
        self.pattern = body_pattern(rule)
        self.replacement = Replacement(rule)

    @classmethod
    def checked(cls, text: str) -> BodyRule:
        """The same, if its file is there."""
        rule = cls(text)
        rule.replacement.check(parse_rule(text))
        return rule

    def applied_to(self, raw: bytes, encoding: str, *, in_thread: bool) -> bytes:
        """The body with its replacements, encoded as it was. Raises OSError, TooSlow, BodyTooLarge."""
        try:
            content, encoding_again = encodings.decode(raw, encoding, LARGEST), encoding
        except encodings.BodyTooLarge:
            raise
        except ValueError:  # an encoding that is unknown, or not what it says: the bytes themselves are searched
            content, encoding_again = raw, ""
        new = self.pattern.replace(content, literal(self.replacement.read()), in_thread=in_thread)
        return raw if new is content else encodings.encode(new, encoding_again)


class ModifyBody:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What changes bodies, while there are rules."""
        self._aside = Aside()

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "modify_body",
            Sequence[str],
            [],
            "Replace what a regex matches in bodies, by rules [/filter]/regex/replacement; @file takes it from a file.",
            kind=kind(BodyRule.checked),
        )

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        if "modify_body" in updated:
            rules = compiled("modify_body", BodyRule)
            self.addons[:] = [Replacing(rules, self._aside)] if rules else []
            ctx.master.addons.rebind()
        if updated & {"modify_body", "stream_large_bodies"} and self.addons and options.stream_large_bodies:
            logger.warning(
                "modify_body leaves bodies beyond stream_large_bodies (%s) as they are", options.stream_large_bodies
            )

    def done(self) -> None:
        self._aside.close()


class Replacing:
    """The rules at work."""

    name = "modify_body"

    def __init__(self, rules: list[BodyRule], aside: Aside) -> None:
        self._rules = rules
        self._aside = aside
        self._telling = Telling(self.name)

    def requestheaders(self, flow: HTTPFlow) -> None:
        self._want_whole(flow, flow.request)

    def responseheaders(self, flow: HTTPFlow) -> None:
        if flow.response is not None:
            self._want_whole(flow, flow.response)

    def request(self, flow: HTTPFlow) -> Awaitable[None] | None:
        return self._start(flow, flow.request) if is_open(flow) else None

    def response(self, flow: HTTPFlow) -> Awaitable[None] | None:
        response = flow.response
        if response is None or flow.error is not None or not flow.live or _has_no_body(flow.request, response):
            return None
        return self._start(flow, response)

    def _want_whole(self, flow: HTTPFlow, message: Request | Response) -> None:
        if message.stream is False and media_type(message) in HELD and any(rule.matches(flow) for rule in self._rules):
            message.stream = None

    def _start(self, flow: HTTPFlow, message: Request | Response) -> Awaitable[None] | None:
        """What to await once a rule matches; None for the other flows."""
        for index, rule in enumerate(self._rules):
            if rule.matches(flow):
                return self._go_on(flow, message, index)
        return None

    async def _go_on(self, flow: HTTPFlow, message: Request | Response, first: int) -> None:
        """The rules in their order, the first of which matches; each looks at what the ones before have made."""
        for index, rule in enumerate(self._rules[first:]):
            if not index or rule.matches(flow):
                await self._apply(rule, flow, message)

    async def _apply(self, rule: BodyRule, flow: HTTPFlow, message: Request | Response) -> None:
        raw = message.raw_content
        if message.stream or raw is None:
            self._telling.skipped(rule.text, flow, "the body has streamed by")
            return
        encoding = message.headers.get("content-encoding", "")
        is_small = len(raw) <= IN_PLACE and not encoding and rule.replacement.path is None
        work = partial(rule.applied_to, raw, encoding, in_thread=not is_small)
        try:
            new = work() if is_small else await self._aside.run(work)
        except (TooSlow, encodings.BodyTooLarge) as error:
            self._telling.skipped(rule.text, flow, error)
        except OSError as error:
            self._telling.skipped(rule.text, flow, f"cannot read its file: {why(error)}")
        else:
            if new is not raw:
                with by_rule(flow, self.name, rule.text):
                    _put(message, new)


def _has_no_body(request: Request, response: Response) -> bool:
    """RFC 9112 §6.3: whatever its head says."""
    return request.method == "HEAD" or response.status_code in (204, 304)


def _put(message: Request | Response, raw: bytes) -> None:
    message.raw_content = raw
    if "transfer-encoding" not in message.headers:  # RFC 9112 §6.2: one framing or the other
        message.headers["content-length"] = str(len(raw))


def media_type(message: Request | Response) -> str:
    """Of a body, without parameters."""
    kind: str = message.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()
