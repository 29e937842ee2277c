"""What TLS and QUIC events carry.

The proxy makes these, addons answer by setting attributes: which engine a handshake uses, or that there is to be none.
The handshake itself is driven by `proxy.streams`; QUIC by whoever implements it.
"""

import ssl
from typing import Any

from midstream.flows.connection import Client, Connection
from midstream.flows.context import Context
from midstream.wire import client_hello


class ClientHello:
    """A TLS ClientHello that a client sent.

    `raw` is the handshake message without its four header bytes, or what `wire.client_hello.parse` returned.
    Raises ValueError when it is broken.
    """

    __slots__ = ("_dtls", "_message")

    def __init__(self, raw: "bytes | client_hello.ClientHelloMessage", dtls: bool = False) -> None:
        if isinstance(raw, bytes):
            raw = client_hello.parse_message(b"\x01" + len(raw).to_bytes(3, "big") + raw)
        self._message = raw
        self._dtls = dtls

    def raw_bytes(self, wrap_in_record: bool = True) -> bytes:
        """The hello as sent: in one TLS record with its handshake header, or the bare message body without either."""
        raw = self._message.raw
        if not wrap_in_record:
            return raw[4:]
        if self._dtls:
            # RFC 6347 §4.1, §4.2.2: epoch, sequence numbers and fragment offset are all zero in a first flight.
            body = raw[:4] + bytes(2) + bytes(3) + raw[1:4] + raw[4:]
            return b"\x16\xfe\xfd" + bytes(8) + len(body).to_bytes(2, "big") + body
        return b"\x16\x03\x01" + len(raw).to_bytes(2, "big") + raw

    @property
    def cipher_suites(self) -> list[int]:
        """The cipher suites offered, by number."""
        return list(self._message.cipher_suites)

    @property
    def sni(self) -> str | None:
        """The server name asked for."""
        return self._message.sni

    @property
    def alpn_protocols(self) -> list[bytes]:
        """The application protocols offered."""
        return list(self._message.alpn_protocols)

    @property
    def extensions(self) -> list[tuple[int, bytes]]:
        """All extensions in order, by number, with their raw data."""
        return list(self._message.extensions)

    def __repr__(self) -> str:
        return f"ClientHello(sni: {self.sni}, alpn_protocols: {self.alpn_protocols})"


class ClientHelloData:
    """For `tls_clienthello`: set `ignore_connection` to pass everything on untouched, `establish_server_tls_first` to
    shake hands with the server before answering the client."""

    __slots__ = {
        "client_hello": "What the client sent.",
        "context": "The client and the server of this connection.",
        "establish_server_tls_first": "Set it to shake hands with the server before answering the client.",
        "ignore_connection": "Set it to pass everything on untouched.",
    }

    def __init__(
        self,
        context: Context,
        client_hello: ClientHello,
        ignore_connection: bool = False,
        establish_server_tls_first: bool = False,
    ) -> None:
        self.context = context
        self.client_hello = client_hello
        self.ignore_connection = ignore_connection
        self.establish_server_tls_first = establish_server_tls_first


class TlsData:
    """For `tls_start_*`, `tls_established_*` and `tls_failed_*`: the engine of one handshake.

    A handler of a start event sets `ssl_conn`, by `wrap` in most cases; the first that does decides. An engine of
    other making must read from `incoming` and write to `outgoing`.
    """

    __slots__ = {
        "conn": "The connection that the handshake is on: a Client or a Server.",
        "context": "Both connections.",
        "incoming": "The ssl.MemoryBIO that the engine reads from.",
        "is_dtls": "Whether this is TLS over datagrams.",
        "outgoing": "The ssl.MemoryBIO that the engine writes to.",
        "ssl_conn": "The engine, an ssl.SSLObject; None until somebody chose one.",
    }

    def __init__(
        self, conn: Connection, context: Context, ssl_conn: ssl.SSLObject | None = None, is_dtls: bool = False
    ) -> None:
        self.conn = conn
        self.context = context
        self.ssl_conn = ssl_conn
        self.is_dtls = is_dtls
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()

    def wrap(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, session: ssl.SSLSession | None = None
    ) -> ssl.SSLObject:
        """Make the engine from an `ssl.SSLContext` and set it. We are the server if `conn` is a client's."""
        server_side = isinstance(self.conn, Client)
        self.ssl_conn = ssl_context.wrap_bio(
            self.incoming,
            self.outgoing,
            server_side=server_side,
            server_hostname=None if server_side else server_hostname,
            session=session,
        )
        return self.ssl_conn


class QuicTlsSettings:
    """How a QUIC handshake is to be done: all that its engine wants to know."""

    __slots__ = {
        "alpn_protocols": "The application protocols to offer, or to choose from.",
        "ca_file": "A file of certificates to trust.",
        "ca_path": "A folder of certificates to trust.",
        "certificate": "The certificate to show.",
        "certificate_chain": "What to show beside it.",
        "certificate_private_key": "The key of the certificate.",
        "cipher_suites": "The cipher suites that may be used; None for the usual ones.",
        "verify_mode": "Whether the peer's certificate is checked, as in the module ssl.",
    }

    def __init__(
        self,
        alpn_protocols: list[str] | None = None,
        certificate: Any = None,
        certificate_chain: list[Any] | None = None,
        certificate_private_key: Any = None,
        cipher_suites: list[Any] | None = None,
        ca_path: str | None = None,
        ca_file: str | None = None,
        verify_mode: int | None = None,
    ) -> None:
        self.alpn_protocols = alpn_protocols
        self.certificate = certificate
        self.certificate_chain: list[Any] = [] if certificate_chain is None else certificate_chain
        self.certificate_private_key = certificate_private_key
        self.cipher_suites = cipher_suites
        self.ca_path = ca_path
        self.ca_file = ca_file
        self.verify_mode = verify_mode


class QuicTlsData(TlsData):
    """For `quic_start_*`: a handler fills in `settings`."""

    __slots__ = {"settings": "What the handshake is to be done by; None until somebody chose it."}

    def __init__(self, conn: Connection, context: Context, settings: QuicTlsSettings | None = None) -> None:
        super().__init__(conn, context, is_dtls=False)
        self.settings = settings
