"""What one event costs its emitter, with nobody listening and with a few plain handlers.

python dispatch.py [--rounds 9] [--check]

Prints nanoseconds of `await events.request(flow)` (an event with a flow) and `await events.client_connected(client)`
(one without). The goals are those of the design: nobody listening < 200 ns, four handlers < 1000 ns; `--check` makes
missing them the exit status. Of all rounds the quickest counts: the others met somebody else's work.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter

from midstream.flows.connection import Client, Server
from midstream.flows.http import HTTPFlow, Request
from midstream.hub.events import Events

EMITS = 100_000
GOALS = {0: 200, 1: 1000, 4: 1000}  # nanoseconds by number of handlers


class Listener:
    """An addon with nothing to do."""

    def request(self, flow: HTTPFlow) -> None: ...

    def client_connected(self, client: Client) -> None: ...


async def cost(emit: Callable[..., Awaitable[None]], argument: object, rounds: int) -> float:
    """Nanoseconds of one awaited event."""
    best = float("inf")
    for _ in range(rounds):
        started = perf_counter()
        for _ in range(EMITS):
            await emit(argument)
        best = min(best, perf_counter() - started)
    return best / EMITS * 1e9


async def measure(rounds: int) -> bool:
    """Print the table; whether every goal is met."""
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0.0)
    flow = HTTPFlow(client, Server(address=("a.test", 80)))
    flow.request = Request.make("GET", "http://a.test/")
    met = True
    print(f"{'handlers':>8}  {'with a flow':>12}  {'without':>12}  {'goal':>8}")
    for handlers, goal in GOALS.items():
        events = Events()
        events.bind([Listener() for _ in range(handlers)])
        with_flow = await cost(events.request, flow, rounds)
        without = await cost(events.client_connected, client, rounds)
        print(f"{handlers:>8}  {with_flow:>9.0f} ns  {without:>9.0f} ns  {goal:>5} ns")
        met = met and max(with_flow, without) < goal
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="of 100,000 events each (default: 9)")
    parser.add_argument("--check", action="store_true", help="exit with status 1 when a goal is missed")
    options = parser.parse_args()
    met = asyncio.run(measure(options.rounds))
    return 1 if options.check and not met else 0


if __name__ == "__main__":
    sys.exit(main())
