"""A proxy beside code that knows no asyncio: a test with a browser, a script with `urllib` or `requests`.

    python examples/embedding/in_a_thread.py http://example.com/

fetches the URL through a proxy of its own and prints what went over the wire.
"""

import asyncio
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from midstream import http
from midstream.master import DumpMaster
from midstream.options import Options


@contextmanager
def proxy_in_thread(*addons: object, **options: object) -> Iterator[str]:
    """The address of a proxy that runs in a thread for the length of the block."""
    started: Future[DumpMaster] = Future()

    async def serve() -> None:
        values = {"listen_host": "127.0.0.1", "listen_port": 0} | options
        master = DumpMaster(Options(**values), with_termlog=False, with_dumper=False)
        master.addons.add(*addons)
        async with master:
            started.set_result(master)
            await master.until_exit()

    def run() -> None:
        try:
            asyncio.run(serve())
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)  # whoever waits for the start gets it

    thread = threading.Thread(target=run, name="proxy")
    thread.start()
    try:
        master = started.result()
        host, port = master.addresses[0]
        try:
            yield f"http://{host}:{port}"
        finally:
            master.shutdown()  # may be called from any thread
    finally:
        thread.join()


class Recorder:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def response(self, flow: http.HTTPFlow) -> None:
        if flow.response:
            self.lines.append(f"{flow.request.method} {flow.request.url} -> {flow.response.status_code}")


def main(url: str) -> None:
    recorder = Recorder()
    with proxy_in_thread(recorder) as address:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": address}))
        with opener.open(url) as answer:
            answer.read()
    print("\n".join(recorder.lines))


if __name__ == "__main__":
    main(sys.argv[1])
