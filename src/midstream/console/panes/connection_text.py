"""The connection tab of the detail pane: both connections, their certificates, what it repeats, and notes."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from midstream.console.panes.facts import blank, facts, heading, sentence
from midstream.console.widgets.pieces import Piece
from midstream.flows.certificate import Cert
from midstream.flows.connection import Client, Connection, Server
from midstream.flows.flow import Flow
from midstream.text.url import hostport

_MOST_NAMES = 40
_MOST_IN_CHAIN = 20
_DAY = 86_400


def connection_pieces(flow: Flow) -> list[Piece]:
    """Everything that is known beside the messages."""
    pieces: list[Piece] = []
    if flow.comment or flow.marked or flow.is_replay:
        pieces += [heading("Notes"), *facts(_notes(flow)), blank()]
    pieces += [heading("Client connection"), *facts(_client(flow.client_conn))]
    if flow.client_conn.mitmcert is not None:
        pieces += [
            heading("  Certificate shown to the client", role="strong"),
            *_certificate(flow.client_conn.mitmcert, flow.timestamp_start),
        ]
    pieces += _chain(flow.client_conn, "  Certificate of the client", flow.timestamp_start)
    pieces += [blank(), heading("Server connection")]
    if flow.server_conn.address is None and flow.server_conn.timestamp_start is None:
        pieces.append(sentence("none was needed", "dim"))
    else:
        pieces += facts(_server(flow.server_conn))
    pieces += _chain(flow.server_conn, "  Certificate of the server", flow.timestamp_start)
    if flow.metadata:
        pairs = ((str(name), repr(value)[:1000]) for name, value in list(flow.metadata.items())[:100])
        pieces += [blank(), heading("Metadata"), *facts(pairs)]
    return pieces


def _chain(connection: Connection, title: str, then: float) -> list[Piece]:
    """What the other side showed: all of its certificate, and a line for each that came with it."""
    shown = list(connection.certificate_list)
    if not shown:
        return []
    return [
        heading(f"{title}, chain of {len(shown)}", role="strong"),
        *_certificate(shown[0], then),
        *facts([("signed by", _subject(cert)) for cert in shown[1:_MOST_IN_CHAIN]]),
    ]


def _subject(cert: Cert) -> str:
    try:
        return f"{_name(cert.subject)}, valid to {cert.notafter:%Y-%m-%d}"
    except Exception as error:  # as below
        return f"it cannot be read: {error}"


def _notes(flow: Flow) -> Iterator[tuple[str, str]]:
    if flow.comment:
        yield "comment", flow.comment
    if flow.marked:
        yield "marked", flow.marked
    if flow.is_replay:
        yield "replayed", flow.is_replay


def _common(connection: Connection) -> Iterator[tuple[str, str]]:
    if connection.tls:
        version = connection.tls_version or ("not established" if not connection.tls_established else "yes")
        resumed = "(session resumed)" if connection.tls_resumed else None
        yield "tls", " ".join(filter(None, [version, connection.cipher, resumed]))
        if connection.sni:
            yield "sni", connection.sni
    if connection.alpn:
        yield "alpn", connection.alpn.decode("utf-8", "surrogateescape")
    if connection.alpn_offers:
        yield "alpn offers", " ".join(offer.decode("utf-8", "surrogateescape") for offer in connection.alpn_offers)
    if isinstance(connection, Client) and connection.ja3 and connection.ja4:
        yield "ja3", connection.ja3
        yield "ja4", connection.ja4
    if connection.error:
        yield "error", connection.error


def _client(client: Client) -> Iterator[tuple[str, str]]:
    yield "address", _address(client.peername)
    yield "came in by", f"{client.proxy_mode.full_spec}, {_address(client.sockname)}"
    yield from _common(client)


def _server(server: Server) -> Iterator[tuple[str, str]]:
    if server.address is not None:
        yield "address", _address(server.address)
    if server.peername is not None and server.peername != server.address:
        yield "resolved to", _address(server.peername)
    if server.via is not None:
        yield "via", f"{server.via[0]}://{_address(server.via[1])}"
    yield from _common(server)


def _address(address: tuple[str, int] | None) -> str:
    return hostport("", address[0], address[1]) if address else "unknown"


def _certificate(cert: Cert, then: float) -> list[Piece]:
    try:
        return facts(list(_certificate_facts(cert, then)))
    except Exception as error:  # whatever a hostile certificate makes the parser raise
        return [sentence(f"it cannot be read: {error}", "failed")]


def _certificate_facts(cert: Cert, then: float) -> Iterator[tuple[str, str]]:
    yield "subject", _name(cert.subject)
    yield "issuer", "itself" if cert.issuer == cert.subject else _name(cert.issuer)
    names = [str(name.value) for name in cert.altnames]
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield "names", ", ".join(names[:_MOST_NAMES]) + more
    span = f"{cert.notbefore:%Y-%m-%d %H:%M} to {cert.notafter:%Y-%m-%d %H:%M} UTC"
    yield "valid", f"{span}, {_left(cert, then)}" if isfinite(then) else span
    kind, bits = cert.keyinfo
    yield "key", f"{kind}, {bits} bits" if bits > 0 else kind
    yield "serial", f"{cert.serial:x}"
    yield "sha-256", cert.fingerprint().hex(":")


def _left(cert: Cert, then: float) -> str:
    """How long it was still good when the flow began."""
    if then < cert.notbefore.timestamp():
        return "not valid yet at that time"
    days = int((cert.notafter.timestamp() - then) // _DAY)
    if days < 0:
        return "expired at that time"
    return f"{days:,} day{'' if days == 1 else 's'} left at that time"


def _name(pairs: list[tuple[str, str]]) -> str:
    return ", ".join(f"{short}={value}" for short, value in pairs) or "(empty)"
