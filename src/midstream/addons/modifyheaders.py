"""Set and remove headers by rules of `modify_headers`, of requests and responses, streamed ones and our own included.

All rules see the message as it came: what one removes or sets does not change whether another one matches. Then the
fields that matching rules name are removed, and those with a value are added.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from midstream.addons.rules import Aside, Telling, by_rule, compiled, is_open, kind
from midstream.filters.rules import Replacement, RuleError, parse_rule, shown, why
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.text import backslashes
from midstream.wire.http1 import Refused
from midstream.wire.http1_outgoing import check_fields


class HeaderRule:
    """One rule."""

    def __init__(self, text: str) -> None:
        rule = parse_rule(text)
        self.text = text
        self.matches = rule.matches
        self.replacement = Replacement(rule)
        try:
            self.name = backslashes.expand_bytes(rule.subject)
            check_fields(((self.name, self.replacement.literal),))
        except (Refused, ValueError) as error:
            raise RuleError(f"{shown(text)}: {error}") from None

    @classmethod
    def checked(cls, text: str) -> HeaderRule:
        """The same, if its file is there."""
        rule = cls(text)
        rule.replacement.check(parse_rule(text))
        return rule

    def value(self) -> bytes:
        """What the header is set to. Raises OSError, ValueError."""
        value = self.replacement.read()
        if self.replacement.path is not None:
            value = value.rstrip(b"\r\n")  # an editor ends each file with a line break
            check_fields(((self.name, value),))
        return value


class ModifyHeaders:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What changes headers, while there are rules."""
        self._aside = Aside()

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "modify_headers",
            Sequence[str],
            [],
            "Set headers by rules [/filter]/name/value; @file reads the value from a file, an empty one removes.",
            kind=kind(HeaderRule.checked),
        )

    def configure(self, updated: set[str]) -> None:
        if "modify_headers" in updated:
            rules = compiled("modify_headers", HeaderRule)
            self.addons[:] = [Setting(rules, self._aside)] if rules else []
            ctx.master.addons.rebind()

    def done(self) -> None:
        self._aside.close()


class Setting:
    """The rules at work."""

    name = "modify_headers"

    def __init__(self, rules: list[HeaderRule], aside: Aside) -> None:
        self._rules = rules
        self._aside = aside
        self._telling = Telling(self.name)

    def requestheaders(self, flow: HTTPFlow) -> Awaitable[None] | None:
        return self._apply(flow, flow.request) if is_open(flow) else None

    def responseheaders(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if flow.response is None or flow.error is not None or not flow.live:
            return None
        return self._apply(flow, flow.response)

    def _apply(self, flow: HTTPFlow, message: Request | Response) -> Awaitable[None] | None:
        rules = [rule for rule in self._rules if rule.matches(flow)]
        if any(rule.replacement.path is not None for rule in rules):
            return self._apply_with_files(rules, flow, message)
        self._set(flow, message, [(rule, rule.replacement.literal) for rule in rules])
        return None

    async def _apply_with_files(self, rules: list[HeaderRule], flow: HTTPFlow, message: Request | Response) -> None:
        found = []
        for rule in rules:
            try:
                found.append((rule, await self._aside.run(rule.value)))
            except OSError as error:
                self._telling.skipped(rule.text, flow, f"cannot read its file: {why(error)}")
            except ValueError as error:
                self._telling.skipped(rule.text, flow, error)
        self._set(flow, message, found)

    def _set(self, flow: HTTPFlow, message: Request | Response, found: list[tuple[HeaderRule, bytes]]) -> None:
        """One rule after the other; the first for a name takes away what came with the message."""
        names: set[bytes] = set()
        for rule, value in found:
            name = rule.name.lower()
            with by_rule(flow, self.name, rule.text):
                _put(message, rule.name, value, is_first=name not in names)
            names.add(name)


def _put(message: Request | Response, name: bytes, value: bytes, *, is_first: bool) -> None:
    headers, key = message.headers, name.lower()
    fields = headers.fields
    if isinstance(message, Request) and key == b"host" and message.raw_authority:
        # Over HTTP/2 the host stands in :authority, inside a tunnel it may stand in the target as well.
        if is_first:
            message.raw_authority = value
        if "host" not in headers:
            return
    if is_first:
        fields = tuple(field for field in fields if field[0].lower() != key)
    headers.fields = (*fields, (name, value)) if value else fields
