"""Send requests elsewhere: rules of `map_remote` replace parts of their URLs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from midstream.addons.rules import OnRequest, Telling, by_rule, compiled, kind
from midstream.filters.rules import Rule, RuleError, parse_rule, shown, text_pattern
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.server import Proxy
from midstream.text.escape import visible
from midstream.text.patterns import TooSlow, check_template

_MOST_SAID = 200  # characters of a URL that was made wrong


class UrlRule:
    """One rule."""

    def __init__(self, text: str) -> None:
        rule = parse_rule(text)
        self.text = text
        self.matches = rule.matches
        self.pattern = text_pattern(rule)
        self.template = rule.replacement
        _check_template(rule)


class MapRemote:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.addons: list[object] = []
        """What rewrites, while there are rules."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "map_remote",
            Sequence[str],
            [],
            r"Replace parts of URLs before requests are sent, by rules [/filter]/regex/replacement; \1 is a group.",
            kind=kind(UrlRule),
        )

    def configure(self, updated: set[str]) -> None:
        if "map_remote" in updated:
            rules = compiled("map_remote", UrlRule)
            self.addons[:] = [Rewriting(self._proxy, rules)] if rules else []
            ctx.master.addons.rebind()


class Rewriting(OnRequest):
    """The rules at work."""

    name = "map_remote"

    def __init__(self, proxy: Proxy, rules: list[UrlRule]) -> None:
        super().__init__(proxy)
        self._rules = rules
        self._telling = Telling(self.name)

    def concerns(self, flow: HTTPFlow) -> bool:
        return any(rule.matches(flow) for rule in self._rules)

    def act(self, flow: HTTPFlow) -> None:
        """Each rule in turn; a later one sees what an earlier one made."""
        for rule in self._rules:
            if rule.matches(flow):
                self._apply(rule, flow)

    def _apply(self, rule: UrlRule, flow: HTTPFlow) -> None:
        request = flow.request
        before = request.pretty_url
        try:
            after = rule.pattern.replace(before, rule.template)
            if after != before:  # else nothing is touched, the spelling of Host neither
                with by_rule(flow, self.name, rule.text):
                    request.url = after
        except TooSlow as slow:
            self._telling.skipped(rule.text, flow, slow)
        except ValueError as error:
            made = visible(after[:_MOST_SAID])
            self._telling.skipped(rule.text, flow, f"what it makes is no URL: {made} ({visible(str(error))})")


def _check_template(rule: Rule) -> None:
    try:
        check_template(rule.subject, 0, rule.replacement)
    except re.error as error:
        raise RuleError(f"{shown(rule.text)}: in the replacement: {error.msg}") from None
