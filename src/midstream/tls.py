"""What TLS events carry: `from midstream import tls`.

    def tls_clienthello(data: tls.ClientHelloData) -> None:
        if data.client_hello.sni == "bank.example":
            data.ignore_connection = True  # its bytes pass untouched

TlsData is what the events of handshakes carry.
"""

from midstream.flows.tls import ClientHello, ClientHelloData, QuicTlsData, QuicTlsSettings, TlsData

__all__ = ["ClientHello", "ClientHelloData", "QuicTlsData", "QuicTlsSettings", "TlsData"]
