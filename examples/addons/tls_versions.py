"""Log what each TLS handshake agreed on, with clients and with servers, and warn of what is outdated.

middump -s examples/addons/tls_versions.py
"""

import logging

from midstream import tls

OUTDATED = {"SSLv3", "TLSv1", "TLSv1.1"}


def tls_established_client(data: tls.TlsData) -> None:
    report("client", data)


def tls_established_server(data: tls.TlsData) -> None:
    report("server", data)


def report(side: str, data: tls.TlsData) -> None:
    conn = data.conn
    host, port = (conn.peername or ("somewhere", 0))[:2]
    level = logging.WARNING if conn.tls_version in OUTDATED else logging.INFO
    logging.log(level, "%s %s:%d (%s) speaks %s with %s", side, host, port, conn.sni, conn.tls_version, conn.cipher)


def tls_failed_server(data: tls.TlsData) -> None:
    logging.warning("no TLS with %s: %s", data.conn.sni, data.conn.error)
