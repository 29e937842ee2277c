"""Limit the rate of requests by client, host or both: whoever asks too often gets 429 and is told when to come back.

middump -s examples/addons/rate_limiter.py --set rate_per_minute=120 --set rate_burst=20 --set rate_by=client
:rate.buckets

To find out how an app takes being turned away (`rate_filter='~u /search'`), or to spare a server (`rate_by=host`).

Each client (host, pair) has a bucket of `rate_burst` tokens, into which `rate_per_minute` tokens drip. A request takes
one; when there is none the request is answered here and never reaches the server.
"""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from midstream import command, ctx, flowfilter, http
from midstream.addonmanager import Loader

MOST = 10_000  # buckets; of more than that the one that was unused for longest is forgotten


@dataclass
class Bucket:
    tokens: float
    filled_at: float = field(default_factory=time.monotonic)
    passed: int = 0
    refused: int = 0

    def refill(self, per_second: float, burst: int) -> None:
        now = time.monotonic()
        self.tokens = min(burst, self.tokens + (now - self.filled_at) * per_second)
        self.filled_at = now

    def take(self) -> bool:
        """Whether there was a token."""
        if self.tokens < 1:
            self.refused += 1
            return False
        self.tokens -= 1
        self.passed += 1
        return True


class RateLimiter:
    def __init__(self) -> None:
        self.buckets: OrderedDict[str, Bucket] = OrderedDict()
        self.matches = flowfilter.match_all

    # --- options ------------------------------------------------------------------------------------------------------

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "rate_per_minute", int, 60, "How many requests a minute pass in the long run.", kind="range 1.."
        )
        loader.add_option("rate_burst", int, 10, "How many requests pass at once after a pause.", kind="range 1..")
        loader.add_option("rate_by", str, "client", "Whose requests are counted together.", ["client", "host", "both"])
        loader.add_option("rate_filter", str, "", "Which requests are counted; all when empty.", kind="filter")

    def configure(self, updated: set[str]) -> None:
        if "rate_filter" in updated:
            text = ctx.options.rate_filter
            self.matches = flowfilter.parse(text) if text else flowfilter.match_all
        if "rate_by" in updated:
            self.forget()  # the old names mean nothing any more

    # --- traffic ------------------------------------------------------------------------------------------------------

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Before the body: what is refused need not be uploaded first."""
        if flow.response is not None or not self.matches(flow):
            return
        name = self.name(flow)
        bucket = self.bucket(name)
        if bucket.take():
            return
        seconds = math.ceil((1 - bucket.tokens) / self.per_second)
        flow.response = http.Response.make(
            429,
            f"Too many requests from here. Try again in {seconds} s.\n",
            {"content-type": "text/plain; charset=utf-8", "retry-after": str(seconds)},
        )
        flow.comment = f"refused: the bucket of {name} is empty for {seconds} s"
        if bucket.refused == 1:
            logging.warning("rate limit reached: %s", name)

    @property
    def per_second(self) -> float:
        return float(ctx.options.rate_per_minute) / 60

    def name(self, flow: http.HTTPFlow) -> str:
        client, host = flow.client_conn.peername[0], flow.request.pretty_host
        match ctx.options.rate_by:
            case "client":
                return client
            case "host":
                return host
            case _:
                return f"{client} > {host}"

    def bucket(self, name: str) -> Bucket:
        bucket = self.buckets.setdefault(name, Bucket(ctx.options.rate_burst))
        self.buckets.move_to_end(name)
        if len(self.buckets) > MOST:
            self.buckets.popitem(last=False)
        bucket.refill(self.per_second, ctx.options.rate_burst)
        return bucket

    # --- commands -----------------------------------------------------------------------------------------------------

    @command.command("rate.buckets")
    def show(self) -> Sequence[Sequence[str]]:
        """Each bucket: whose it is, its tokens, how many requests passed and how many were refused."""
        for bucket in self.buckets.values():
            bucket.refill(self.per_second, ctx.options.rate_burst)
        return [
            [name, f"{bucket.tokens:.1f} tokens", f"{bucket.passed} passed", f"{bucket.refused} refused"]
            for name, bucket in sorted(self.buckets.items(), key=lambda item: item[1].refused, reverse=True)
        ]

    @command.command("rate.forget")
    def forget(self) -> None:
        """Start anew with full buckets."""
        self.buckets.clear()


addons = [RateLimiter()]
