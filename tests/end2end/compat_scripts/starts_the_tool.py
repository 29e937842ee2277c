"""Start the proxy from within a program, with an addon."""

import asyncio
import sys

from mitmproxy import http, options
from mitmproxy.tools.dump import DumpMaster


class Answer:
    def request(self, flow: http.HTTPFlow) -> None:
        flow.response = http.Response.make(200, b"from within")


async def main(port: int):
    master = DumpMaster(options.Options(listen_host="127.0.0.1", listen_port=port), with_dumper=False)
    master.addons.add(Answer())
    await master.run()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
