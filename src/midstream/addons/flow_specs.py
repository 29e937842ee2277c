"""Flow specs in programs that store no flows: `@all`, `@marked`, `@unmarked`, `@ID` and filters name those alive.

Alive is a flow in flight, and one that somebody still holds: a script, a task. So `flow.kill`, `flow.mark` and
`script.run` work from scripts in `middump` too. Where flows are stored the view resolves specs (addons/view.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import ref

from midstream import filters
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.commands import command
from midstream.store.specs import ids_of


class FlowSpecs:
    """The addon; see the module."""

    name = "flow_specs"

    def __init__(self) -> None:
        # In order of arrival, which a WeakSet would forget; it also is slower.
        self._living: dict[ref[Flow], None] = {}
        self._forget = self._living.pop

    def requestheaders(self, flow: Flow) -> None:
        self._living[ref(flow, self._forget)] = None

    tcp_start = udp_start = dns_request = requestheaders
    # What was refused before its head was understood begins and ends here.
    error = requestheaders

    @command("view.flows.resolve")
    def resolve(self, flow_spec: str) -> Sequence[Flow]:
        """The flows that a spec names: @all @marked @unmarked, @ID,... or a filter; of those that are alive."""
        alive, word = self._alive(), flow_spec.strip()
        match word:
            case "@all":
                return list(alive.values())
            case "@marked":
                return [flow for flow in alive.values() if flow.marked]
            case "@unmarked":
                return [flow for flow in alive.values() if not flow.marked]
            case "@focus" | "@shown" | "@hidden":
                raise CommandError(f"{word} needs the flow list of midstream; use @all, @marked, @ID or a filter here")
        try:
            named = ids_of(word)
            if named is not None:
                return [alive[id_] for id_ in named if id_ in alive]
            matches = filters.parse(flow_spec)
            return [flow for flow in alive.values() if matches(flow)]
        except ValueError as error:
            raise CommandError(str(error)) from None

    def _alive(self) -> dict[str, Flow]:
        # A list, as flows may go while this walks.
        return {flow.id: flow for one in list(self._living) if (flow := one()) is not None}
