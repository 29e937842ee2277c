"""Two proxies in one program and one event loop, which share nothing: each has its options, addons and port.

    python examples/embedding/two_proxies.py

prints both addresses. Each proxy marks the responses that it passes on with its own tag. Every response is counted,
and after as many as the argument says (default: 10) both end.
"""

import asyncio
import sys

from midstream import ctx, http
from midstream.addonmanager import Loader
from midstream.master import DumpMaster
from midstream.options import Options


class Tag:
    """Has an option of its own. `ctx.options` are those of the proxy whose flow it is."""

    def load(self, loader: Loader) -> None:
        loader.add_option("tag", str, "", "What the header x-tag says.")

    def response(self, flow: http.HTTPFlow) -> None:
        if flow.response:
            flow.response.headers["x-tag"] = ctx.options.tag


class Countdown:
    """One object that serves both proxies: addons are plain objects."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.over = asyncio.Event()

    def response(self, flow: http.HTTPFlow) -> None:
        self.left -= 1
        if self.left <= 0:
            self.over.set()


def make(tag: str, countdown: Countdown) -> DumpMaster:
    options = Options(listen_host="127.0.0.1", listen_port=0, tag=tag)
    master = DumpMaster(options, with_termlog=False, with_dumper=False)
    master.addons.add(Tag(), countdown)
    return master


async def main(responses: int) -> None:
    countdown = Countdown(responses)
    async with make("left", countdown) as left, make("right", countdown) as right:
        for proxy in (left, right):
            host, port = proxy.addresses[0]
            print(f"{proxy.options.tag} proxy at http://{host}:{port}", flush=True)
        await countdown.over.wait()
    print("both have ended")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
