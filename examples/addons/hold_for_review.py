"""Hold matching requests until somebody lets them go by a command, or until their time is up.

midstream -s examples/addons/hold_for_review.py --set review_filter='~m DELETE' --set review_seconds=30
:review.release @focus

Also works in middump, where other scripts may call the commands.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from midstream import command, ctx, flow, flowfilter, http
from midstream.addonmanager import Loader


class HoldForReview:
    def __init__(self) -> None:
        self.matches = flowfilter.match_all
        self.held: dict[str, tuple[http.HTTPFlow, asyncio.TimerHandle]] = {}

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "review_filter", str, "~m POST | ~m PUT | ~m DELETE", "Which requests are held.", kind="filter"
        )
        loader.add_option("review_seconds", int, 60, "Let a request go by itself after so long.", kind="range 1..86400")

    def configure(self, updated: set[str]) -> None:
        if "review_filter" in updated:
            text = ctx.options.review_filter
            self.matches = flowfilter.parse(text) if text else flowfilter.match_all

    def request(self, flow: http.HTTPFlow) -> None:
        if self.matches(flow):
            flow.intercept()  # the proxy waits once all addons have seen the request
            timer = asyncio.get_running_loop().call_later(ctx.options.review_seconds, self.time_is_up, flow)
            self.held[flow.id] = (flow, timer)
            logging.info("held for review: %s %s", flow.request.method, flow.request.pretty_url)

    def response(self, flow: http.HTTPFlow) -> None:
        self.forget(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """The client has left, or somebody killed the flow."""
        self.forget(flow)

    def done(self) -> None:
        """Whatever this addon holds must not wait for an addon that is gone."""
        self.release([each for each, _ in self.held.values()])

    @command.command("review.release")
    def release(self, flows: Sequence[flow.Flow]) -> None:
        """Let held requests go on to the server."""
        for each in flows:
            if self.forget(each):
                each.resume()
                ctx.master.addons.trigger("update", [each])  # the list shows that it goes on

    @command.command("review.list")
    def show(self) -> Sequence[Sequence[str]]:
        """What is held: its id, for how long, and the request."""
        now = time.time()
        return [
            [each.id, f"{now - each.request.timestamp_start:.0f} s", each.request.method, each.request.pretty_url]
            for each, _ in self.held.values()
        ]

    def time_is_up(self, flow: http.HTTPFlow) -> None:
        logging.warning("nobody reviewed %s %s: it goes on", flow.request.method, flow.request.pretty_url)
        self.release([flow])

    def forget(self, flow: flow.Flow) -> bool:
        """Whether it was held."""
        if flow.id not in self.held:
            return False
        self.held.pop(flow.id)[1].cancel()
        return True


addons = [HoldForReview()]
