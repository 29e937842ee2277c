"""Tell programs apart by what they offer in TLS: which JA4 asked for which hosts, and how often.

midstream -s examples/addons/fingerprints.py, then :fingerprints.show
"""

from collections import Counter
from collections.abc import Sequence

from midstream import command, ctx, tls
from midstream.addonmanager import Loader


class Fingerprints:
    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()

    def load(self, loader: Loader) -> None:
        loader.add_option("fingerprints_most", int, 1000, "How many pairs are remembered.", kind="range 1..")

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        pair = data.context.client.ja4 or "unknown", data.client_hello.sni or "no name"
        if pair in self.seen or len(self.seen) < ctx.options.fingerprints_most:
            self.seen[pair] += 1

    @command.command("fingerprints.show")
    def show(self) -> Sequence[Sequence[str]]:
        """Fingerprints, hosts, and how often, the most frequent first."""
        return [[ja4, host, str(times)] for (ja4, host), times in self.seen.most_common()]


addons = [Fingerprints()]
