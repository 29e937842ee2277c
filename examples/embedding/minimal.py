"""A program with a proxy inside: the smallest that does something.

    python examples/embedding/minimal.py
    curl --proxy http://127.0.0.1:8080 --head http://example.com/

Another port is given as argument; 0 picks a free one. Ctrl-C ends it.
"""

import asyncio
import contextlib
import sys

from midstream import http
from midstream.master import DumpMaster
from midstream.options import Options


class Stamp:
    """An addon like any other."""

    def response(self, flow: http.HTTPFlow) -> None:
        if flow.response:
            flow.response.headers["x-seen-by"] = "my program"


async def main(port: int) -> None:
    options = Options(listen_host="127.0.0.1", listen_port=port)
    master = DumpMaster(options, with_termlog=False, with_dumper=False)
    master.addons.add(Stamp())
    async with master as proxy:  # from here on it listens
        host, port = proxy.addresses[0]
        print(f"proxy at http://{host}:{port}", flush=True)
        await proxy.until_exit()  # any other code of yours may stand here instead


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8080))
