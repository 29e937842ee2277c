"""`flow` and `flow[]`: flows named by a spec such as `@focus`, `@all` or a filter.

The program that stores flows has a command that resolves specs; a program without that command has no flows to name.
`flow[]` results may be lazy sequences: they are never walked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.arguments.argument import Argument, Commands, starting_with

RESOLVER = "view.flows.resolve"

SPECS = ("@all", "@focus", "@hidden", "@marked", "@shown", "@unmarked")
# The operators people complete most; the filter bar offers all of them, with their meaning.
OPERATORS = ("~a", "~b", "~c", "~d", "~e", "~h", "~hq", "~hs", "~m", "~q", "~s", "~t", "~u")


def resolve(manager: Commands, spec: str) -> Sequence[Flow]:
    """The flows that `spec` names; CommandError when this program stores none or the spec is wrong."""
    if RESOLVER not in manager.commands:
        raise CommandError(f"flows cannot be named here ({spec!r}): this program keeps none; use midstream")
    flows: Sequence[Flow] = manager.call(RESOLVER, spec)
    return flows


class FlowArgument(Argument):
    typ = Flow
    display = "flow"

    def parse(self, manager: Commands, t: Any, s: str) -> Flow:
        flows = resolve(manager, s)
        if len(flows) != 1:
            raise ValueError(f"{s!r} names {len(flows) or 'no'} flows; exactly one is needed")
        return flows[0]

    def accepts(self, manager: Commands, t: Any, s: str) -> bool:
        if s.startswith("@"):
            return super().accepts(manager, t, s)
        # How many flows a filter names is found out by looking at all of them.
        try:
            resolve(manager, s)
        except CommandError:
            return False
        return True

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, Flow)

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return starting_with(s, SPECS + OPERATORS)


class FlowsArgument(Argument):
    typ = Sequence[Flow]
    display = "flow[]"

    def parse(self, manager: Commands, t: Any, s: str) -> Sequence[Flow]:
        return resolve(manager, s)

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        if isinstance(val, list | tuple):
            return all(isinstance(item, Flow) for item in val)
        return isinstance(val, Sequence) and not isinstance(val, str | bytes)

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return starting_with(s, SPECS + OPERATORS)
