"""What the events of TLS tell."""

import logging

from mitmproxy import connection, tls


class Watch:
    def tls_clienthello(self, data: tls.ClientHelloData):
        hello = data.client_hello
        logging.info(f"hello {hello.sni} {len(hello.cipher_suites) > 0} {b'http/1.1' in hello.alpn_protocols}")

    def tls_established_client(self, data: tls.TlsData):
        assert isinstance(data.conn, connection.Client)
        logging.info(f"client {data.conn.tls_established} {data.conn.tls_version} {data.conn.sni}")

    def tls_established_server(self, data: tls.TlsData):
        assert isinstance(data.conn, connection.Server)
        names = [n.value for n in data.conn.certificate_list[0].altnames]
        logging.info(f"server {data.conn.address[0]} {data.conn.tls} {len(names)}")

    def tls_failed_client(self, data: tls.TlsData):
        logging.warning(f"failed {data.conn.peername[0]}")


addons = [Watch()]
