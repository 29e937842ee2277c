"""Answer requests ourselves, or close their connection, where a rule of `block_list` says so.

A rule acts as soon as the head of the request is there, unless its filter looks at bodies: then nothing of a request
that is blocked ever reaches the server.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from midstream.addons.rules import by_rule, compiled, is_open, kind
from midstream.filters.rules import KILL, Blocking, parse_blocking
from midstream.flows.http import HTTPFlow, Response
from midstream.hub import ctx
from midstream.hub.addons import Loader

logger = logging.getLogger(__name__)


class BlockList:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What blocks, while there are rules."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "block_list",
            Sequence[str],
            [],
            "Answer requests that match a filter with this status, by rules /filter/status; 444 closes the connection.",
            kind=kind(parse_blocking),
        )

    def configure(self, updated: set[str]) -> None:
        if "block_list" in updated:
            rules = compiled("block_list", parse_blocking)
            self.addons[:] = [Blocked(rules)] if rules else []
            ctx.master.addons.rebind()


class Blocked:
    """The rules at work."""

    name = "block_list"

    def __init__(self, rules: list[Blocking]) -> None:
        self._early = [rule for rule in rules if not rule.matches.looks_at_bodies]
        self._all = rules
        self._is_early_enough = len(self._early) == len(rules)

    def requestheaders(self, flow: HTTPFlow) -> None:
        self._apply(self._early, flow)

    def request(self, flow: HTTPFlow) -> None:
        if not self._is_early_enough:
            self._apply(self._all, flow)

    def _apply(self, rules: list[Blocking], flow: HTTPFlow) -> None:
        """The last rule that matches decides, but what is closed is closed."""
        if not is_open(flow):
            return
        found = None
        for rule in rules:
            if rule.matches(flow):
                found = rule
                if rule.status_code == KILL:
                    break
        if found is None:
            return
        flow.metadata["blocklisted"] = True
        with by_rule(flow, self.name, found.text):
            if found.status_code == KILL:
                flow.kill()
            else:
                flow.response = Response.make(found.status_code, headers={"Server": "midstream"})
