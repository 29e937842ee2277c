"""Hold flows and let them go, stream bodies through a function, remember things on the flow."""

import asyncio
import logging
import time

from mitmproxy import ctx, http


class Holder:
    def __init__(self):
        self.tasks = set()

    def request(self, flow: http.HTTPFlow):
        flow.metadata["begin"] = time.monotonic()
        flow.marked = ":red_circle:"
        if flow.request.query.get("hold"):
            flow.intercept()
            task = asyncio.create_task(self.let_go(flow))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def let_go(self, flow):
        while not flow.intercepted:
            await asyncio.sleep(0.01)
        flow.request.query["hold"] = "released"
        flow.comment = "was held"
        flow.resume()

    def responseheaders(self, flow):
        if flow.request.path == "/stream":
            flow.response.stream = lambda chunk: chunk.replace(b"plain", b"longer than plain") if chunk else b"!"

    def response(self, flow):
        before = flow.get_state()["request"]["path"]
        copy = flow.copy()
        copy.request.path = "/copy"
        took = time.monotonic() - flow.metadata["begin"]
        logging.info(
            f"done {flow.request.path} {flow.comment!r} {flow.marked} {took < 60} {copy.id != flow.id} "
            f"{before == flow.request.data.path} {hasattr(ctx.master, 'view')}"
        )


addons = [Holder()]
