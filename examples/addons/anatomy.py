"""The anatomy of an addon: an option, a command, the life of an addon, and a tally of what passes.

    middump -s examples/addons/anatomy.py --set tally_hosts=true

An addon is a plain object. Methods whose names are events are called when the event happens, all others are yours.
Everything is optional: an addon that only has `response` is fine (see add_header.py).
"""

import logging
from collections import Counter

from midstream import command, ctx, exceptions, http
from midstream.addonmanager import Loader

logger = logging.getLogger(__name__)


class Anatomy:
    def __init__(self) -> None:
        self.requests = 0
        self.responses: Counter[str] = Counter()

    # --- its life -----------------------------------------------------------------------------------------------------

    def load(self, loader: Loader) -> None:
        """First of all: declare options. Flags, completion, `--options` and the options pane follow from this line."""
        loader.add_option("tally_hosts", bool, False, "Tally by host instead of by status code.")
        loader.add_option("tally_limit", int, 0, "Say so once after this many responses; 0 is never.")

    def configure(self, updated: set[str]) -> None:
        """Once at the start and whenever options change. Refusing a value takes the whole change back."""
        if "tally_limit" in updated and ctx.options.tally_limit < 0:
            raise exceptions.OptionsError("tally_limit: a number of responses is not negative")
        if "tally_hosts" in updated:
            self.responses.clear()

    def running(self) -> None:
        """The proxy listens now."""
        logger.info("tally: counting by %s", "host" if ctx.options.tally_hosts else "status code")

    def done(self) -> None:
        """The end, also of an addon that is about to be reloaded."""
        logger.info("tally: %s", self.show())

    # --- the traffic --------------------------------------------------------------------------------------------------

    def request(self, flow: http.HTTPFlow) -> None:
        """A request is complete and has not been sent on. An `async def` may wait here; the client waits with it."""
        self.requests += 1
        flow.metadata["tally"] = self.requests  # yours to use; shown by `~meta` and saved with the flow

    def response(self, flow: http.HTTPFlow) -> None:
        """The server's answer is complete and has not been sent back. It goes out as it is when this returns."""
        assert flow.response is not None
        self.responses[flow.request.pretty_host if ctx.options.tally_hosts else str(flow.response.status_code)] += 1
        logger.info("tally: %d %s: %s", flow.metadata["tally"], flow.request.pretty_url, self.show())
        if self.responses.total() == ctx.options.tally_limit:
            logger.warning("tally: that was response number %d", ctx.options.tally_limit)

    # --- what a person can ask for ------------------------------------------------------------------------------------

    @command.command("tally.show")
    def show(self) -> str:
        """What was counted so far. In the console: `: tally.show`."""
        return ", ".join(f"{count}x {what}" for what, count in self.responses.most_common()) or "nothing yet"

    @command.command("tally.clear")
    def clear(self) -> None:
        """Start counting from nothing."""
        self.requests = 0
        self.responses.clear()


addons = [Anatomy()]
