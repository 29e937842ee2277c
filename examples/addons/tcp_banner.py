"""Change what a raw server says first, such as the greeting of a mail server.

middump --mode reverse:tcp://127.0.0.1:25@2525 -s examples/addons/tcp_banner.py --set tcp_banner="220 mail ready"
"""

from midstream import ctx, tcp
from midstream.addonmanager import Loader


class TcpBanner:
    def load(self, loader: Loader) -> None:
        loader.add_option("tcp_banner", str, "", "What raw servers say first, instead of the first line of their own.")

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        message = flow.messages[-1]
        if ctx.options.tcp_banner and len(flow.messages) == 1 and not message.from_client:
            _, newline, rest = message.content.partition(b"\n")
            message.content = ctx.options.tcp_banner.encode() + b"\r" * bool(newline) + newline + rest


addons = [TcpBanner()]
