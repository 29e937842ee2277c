"""What TLS events carry: `from midstream import tls`."""

from midstream.flows.tls import ClientHello, ClientHelloData, QuicTlsData, QuicTlsSettings, TlsData

__all__ = ["ClientHello", "ClientHelloData", "QuicTlsData", "QuicTlsSettings", "TlsData"]
