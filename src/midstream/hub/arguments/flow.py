"""`flow` and `flow[]`: flows named by a spec such as `@focus`, `@all` or a filter.

A command of the program resolves specs: the addon that stores flows has it, or the one that knows those in flight.
`flow[]` values may be lazy sequences: they are never walked here, unless the command wants one kind of flow only.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.arguments.argument import Argument, Commands, ask, starting_with
from midstream.hub.option_kinds import FILTER

RESOLVER = "view.flows.resolve"

SPECS = ("@all", "@focus", "@hidden", "@marked", "@shown", "@unmarked")
_LOOKED_FOR = frozenset({"@hidden", "@marked", "@unmarked"})


def resolve(manager: Commands, spec: str) -> Sequence[Flow]:
    """The flows that `spec` names; CommandError when this program knows none or the spec is wrong."""
    if RESOLVER not in manager.commands:
        raise CommandError(f"flows cannot be named here ({spec!r}): this program keeps none; use midstream")
    flows: Sequence[Flow] = ask(RESOLVER, lambda: manager.call(RESOLVER, spec))
    return flows


def complete_spec(text: str) -> list[str]:
    """What a spec may become: one of the words, or a filter."""
    words = starting_with(text, SPECS)
    return words if words and text else [*words, *complete_filter(text or "~")]


def complete_filter(text: str) -> list[str]:
    """A filter with its last operator in full. One that takes an argument ends in a space: the filter goes on."""
    from midstream.filters import OPERATORS  # at first use: the grammar costs a start milliseconds

    takes_more = {operator.name for operator in OPERATORS if operator.argument}
    found = FILTER.complete(text) if FILTER.complete is not None else []
    return [f"{choice} " if choice[choice.rindex("~") :] in takes_more else choice for choice in found]


class FlowArgument(Argument):
    """A spec that names exactly one flow."""

    typ = Flow
    display = "flow"
    examples = ("@focus",)

    def parse(self, manager: Commands, t: type[Flow], s: str) -> Flow:
        flows = resolve(manager, s)
        if not flows and s.strip() == "@focus":
            raise ValueError("no flow is under the cursor")
        if len(flows) != 1:
            raise ValueError(f"{s!r} names {len(flows) or 'no'} flows; exactly one is needed")
        flow = flows[0]
        if not isinstance(flow, t):
            raise ValueError(f"{s!r} is {_kind(type(flow))}; {_kind(t)} is needed")
        return flow

    def accepts(self, manager: Commands, t: Any, s: str) -> bool:
        if s.startswith("@") and s not in _LOOKED_FOR:
            return super().accepts(manager, t, s)
        # How many flows these and filters name is found out by looking at all of them: too long for a key press.
        try:
            resolve(manager, s)
        except CommandError:
            return False
        return True

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, t)

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return complete_spec(s)


class FlowsArgument(Argument):
    """A spec that names any number of flows."""

    typ = Sequence[Flow]
    display = "flow[]"
    examples = ("@focus", "@marked", "@shown", "'~d shop & ~c 500'")

    def parse(self, manager: Commands, t: Any, s: str) -> Sequence[Flow]:
        flows = resolve(manager, s)
        wanted = typing.get_args(t)[0]
        return flows if wanted is Flow else [flow for flow in flows if isinstance(flow, wanted)]

    def accepts(self, manager: Commands, t: Any, s: str) -> bool:
        try:
            resolve(manager, s)
        except CommandError:
            return False
        return True

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        if isinstance(val, list | tuple):
            return all(isinstance(item, Flow) for item in val)
        return isinstance(val, Sequence) and not isinstance(val, str | bytes)

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return complete_spec(s)


def _kind(t: type[Flow]) -> str:
    return "an http flow" if t.type == "http" else f"a {t.type} flow"
