"""Send connections elsewhere, choose protocols, and tell kinds of flows apart."""

import logging

from mitmproxy import connection, ctx, flow, http, tcp, websocket
from mitmproxy.proxy import layer, layers
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.utils import human


class Redirect:
    def load(self, loader):
        loader.add_option("send_to", int, 0, "The port to which everything goes.")

    def client_connected(self, client: connection.Client):
        logging.info(f"client {client.peername[0]} {client.proxy_mode.full_spec} {client.state}")

    def server_connect(self, data: ServerConnectionHookData):
        logging.info(f"wanted {human.format_address(data.server.address)}")
        data.server.address = ("127.0.0.1", ctx.options.send_to)

    def next_layer(self, nextlayer: layer.NextLayer):
        if nextlayer.data_client().startswith(b"RAW"):
            nextlayer.layer = layers.TCPLayer(nextlayer.context)

    def request(self, f: flow.Flow):
        kinds = [isinstance(f, kind) for kind in (http.HTTPFlow, tcp.TCPFlow, websocket.WebSocketMessage)]
        logging.info(f"kinds {kinds} {f.type} {f.websocket}")

    def tcp_message(self, f: tcp.TCPFlow):
        f.messages[-1].content = f.messages[-1].content.upper()


addons = [Redirect()]
