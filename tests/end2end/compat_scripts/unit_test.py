"""A test of an addon, as its author wrote it: run by hand."""

import asyncio

from mitmproxy import ctx
from mitmproxy.test import taddons, tflow, tutils


class Addon:
    def load(self, loader):
        loader.add_option("greeting", str, "hello", "What to say.")

    def response(self, flow):
        flow.response.headers["greeting"] = ctx.options.greeting


async def main():
    addon = Addon()
    with taddons.context(addon) as tctx:
        tctx.configure(addon, greeting="good day")
        flow = tflow.tflow(resp=tutils.tresp(status_code=404))
        await tctx.cycle(addon, flow)
        assert flow.response.headers["greeting"] == "good day"
        print(f"{flow.request.pretty_url} {flow.response.status_code} {flow.response.headers['greeting']}")


if __name__ == "__main__":
    asyncio.run(main())
