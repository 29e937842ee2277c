"""Count the bytes of each host in both directions, and print the tally at the end.

middump -s examples/addons/byte_tally.py
"""

import logging
from collections import defaultdict

from midstream import http


class ByteTally:
    def __init__(self) -> None:
        self.up: dict[str, int] = defaultdict(int)
        self.down: dict[str, int] = defaultdict(int)

    def response(self, flow: http.HTTPFlow) -> None:
        host = flow.request.pretty_host
        # raw_content is what went over the wire; None when it was streamed and not kept.
        self.up[host] += len(flow.request.raw_content or b"")
        self.down[host] += len(flow.response.raw_content or b"") if flow.response else 0

    def done(self) -> None:
        for host in sorted(self.down, key=self.down.__getitem__, reverse=True):
            logging.info("%s: %d bytes up, %d bytes down", host, self.up[host], self.down[host])


addons = [ByteTally()]
