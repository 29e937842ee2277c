"""Names of mitmproxy for what events carry: flows, messages, connections, TLS, certificates, content views."""

from __future__ import annotations

from midstream.compat.rows import Names, absent, everything, same, shim

_DATA = "message.data and message.get_state() show the parts of a message"
_CERTIFICATES = "midstream.certs.authority.Authority.load_or_create(folder) makes a CA, and CertStore its leaves"

DATA: dict[str, Names] = {
    "http": {
        **same("http", "HTTPFlow Headers Message Request Response"),
        **same("websocket", "WebSocketData"),
        **same("flows.message", "MessageData"),
        **absent(_DATA, "RequestData ResponseData"),
    },
    "flow": same("flow", "Error Flow"),
    "websocket": same("websocket", "WebSocketData WebSocketMessage"),
    "tcp": same("tcp", "TCPFlow TCPMessage"),
    "udp": same("udp", "UDPFlow UDPMessage"),
    "dns": same("dns", "DNSFlow DNSMessage HTTPSRecord Question ResourceRecord classes op_codes response_codes types"),
    "connection": same("connection", "Address Client Connection ConnectionState Server TransportProtocol"),
    "tls": same("tls", "ClientHello ClientHelloData TlsData"),
    "certs": {
        **same("certs", "Cert CertStore CertStoreEntry"),
        **shim("certificates", "CA_EXPIRY CERT_EXPIRY CERT_VALIDITY_OFFSET dummy_cert load_pem_private_key"),
        **absent(_CERTIFICATES, "create_ca dummy_crl CRL_EXPIRY"),
        **absent("OpenSSL chooses the parameters of Diffie-Hellman groups by itself", "DHParams DEFAULT_DHPARAM"),
    },
    "coretypes": {},
    "coretypes.multidict": same("http", "MultiDict MultiDictView"),
    "coretypes.bidi": shim("records", "BiDi"),
    "coretypes.serializable": {
        **shim("records", "Serializable"),
        **absent("write get_state, set_state and from_state of a Serializable by hand", "SerializableDataclass"),
    },
    "net": {},
    "net.dns": {},
    "net.dns.classes": everything("wire.dns_classes"),
    "net.dns.op_codes": everything("wire.dns_op_codes"),
    "net.dns.response_codes": everything("wire.dns_response_codes"),
    "net.dns.types": everything("wire.dns_types"),
    "net.dns.https_records": same("wire.dns_https", "HTTPSRecord pack unpack"),
    "net.dns.domain_names": shim("domain_names", "pack unpack unpack_from"),
}
