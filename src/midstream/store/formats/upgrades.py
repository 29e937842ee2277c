"""What older versions of the flow format meant: one small step from each version to the next, up to ours.

Used by `native` on the state of every flow that it reads. Steps repair nothing and check only what they touch: what is
wrong with a state is found when a flow is made of it. The first versions were those of the program, from 0.18 on; what
is older had other containers in part, and is refused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from midstream.flows.flow import FLOW_FORMAT_VERSION
from midstream.flows.state import State, StateError, integer

# The numbers that the versions of the program would have had.
_PROGRAMS = {(0, 18): 1, (0, 19): 2, (1, 0): 2, (2, 0): 3, (3, 0): 4}
_FIRST_NUMBER = 4

# A WebSocket was a flow of its own up to version 11. Its handshake comes before it, but not for ever.
_HANDSHAKES_KEPT = 64
_LARGEST_HANDSHAKE = 1 << 20


class Upgrades:
    """Brings the states of one file to the present version. One object for each file: old flows refer to others."""

    def __init__(self) -> None:
        self._handshakes: OrderedDict[str, State] = OrderedDict()

    def upgraded(self, state: State, size: int = 0) -> State:
        """The state in the present version; the given one may be changed. Raises StateError.

        `size` is what it takes in the file: large ones are not remembered.
        """
        version = _version(state)
        if version <= 11:
            state = self._without_websocket_flows(state, version, size)
            version = _version(state)
        for number in range(version, FLOW_FORMAT_VERSION):
            _STEPS[number](state)
        state["version"] = FLOW_FORMAT_VERSION
        return state

    def _without_websocket_flows(self, state: State, version: int, size: int) -> State:
        """Fold a WebSocket flow into the HTTP flow of its handshake, and remember those that will be asked for."""
        metadata = _dict(state, "metadata")
        if state.get("type") != "websocket":
            if isinstance(metadata.get("websocket_flow"), str) and size <= _LARGEST_HANDSHAKE:
                self._handshakes[str(state.get("id"))] = {**state, "metadata": dict(metadata)}
                if len(self._handshakes) > _HANDSHAKES_KEPT:
                    self._handshakes.popitem(last=False)
            return state
        for number in range(version, 11):
            _STEPS[number](state)
        handshake = self._handshakes.pop(str(metadata.pop("websocket_handshake", "")), None)
        return _folded(state, handshake)


def _folded(state: State, handshake: State | None) -> State:
    """The HTTP flow that a WebSocket flow of version 11 and its handshake are now. It keeps the id of the former: the
    handshake has been read as a flow already.
    """
    if handshake is None:
        request, response = dict(_UNKNOWN_REQUEST), None
    else:
        for number in range(_version(handshake), 12):
            _STEPS[number](handshake)
        request, response = _dict(handshake, "request"), handshake.get("response")
    sender = state.get("close_sender")
    websocket = {
        "messages": state.get("messages"),
        "closed_by_client": None if sender is None else sender == "client",
        "close_code": state.get("close_code"),
        "close_reason": state.get("close_reason"),
        "timestamp_end": _dict(state, "server_conn").get("timestamp_end"),
    }
    for key in _OF_WEBSOCKET_FLOWS:
        state.pop(key, None)
    return {**state, "version": 12, "type": "http", "request": request, "response": response, "websocket": websocket}


_OF_WEBSOCKET_FLOWS = (
    "messages", "close_sender", "close_code", "close_message", "close_reason", "client_key", "client_protocol",
    "client_extensions", "server_accept", "server_protocol", "server_extensions",
)  # fmt: skip

_UNKNOWN_REQUEST: State = {
    "http_version": b"HTTP/1.1", "headers": [], "content": None, "trailers": None, "timestamp_start": 0,
    "timestamp_end": 0, "host": "unknown", "port": 80, "method": b"GET", "scheme": b"http", "authority": b"",
    "path": b"/",
}  # fmt: skip


def _version(state: State) -> int:
    version = state.get("version")
    if isinstance(version, list):
        program = tuple(version[:2])
        number = next((number for known, number in _PROGRAMS.items() if known == program), 0)
    else:
        number = integer(version, "flow.version")
        if number > FLOW_FORMAT_VERSION:
            raise StateError(
                f"it has version {number} of the format, and {FLOW_FORMAT_VERSION} is the newest that can be read;"
                " update midstream"
            )
        number = number if number >= _FIRST_NUMBER else 0
    if not number:
        raise StateError(f"it has version {version} of the format, and that of mitmproxy 0.18 is the oldest we read")
    return number


def _dict(state: State, key: str) -> State:
    """A part of a state that must be a dict; also one of the values that may be None, given as an empty dict."""
    part = state.get(key)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise StateError(f"flow.{key}: expected a dict, got {type(part).__name__}")
    return part


def _connections(state: State) -> tuple[State, State]:
    return _dict(state, "client_conn"), _dict(state, "server_conn")


def _rename(state: State, old: str, new: str) -> None:
    if old in state:
        state[new] = state.pop(old)


# --- the steps, named after the version that they end in


def _to_2(state: State) -> None:
    """0.19: flows have metadata, and connections tell more of TLS."""
    client, server = _connections(state)
    state.setdefault("metadata", {})
    for key in ("alpn_proto_negotiated", "cipher_name", "sni", "tls_version"):
        client.setdefault(key, None)
    server.setdefault("alpn_proto_negotiated", None)


def _to_3(state: State) -> None:
    """2.0: addresses are no dicts any more."""
    for connection in _connections(state):
        for key in ("address", "ip_address", "source_address"):
            value = connection.get(key)
            if isinstance(value, dict):
                connection[key] = value.get("address")


def _to_4(state: State) -> None:
    """3.0: the certificate that was shown, and the version of TLS upstream."""
    client, server = _connections(state)
    client.setdefault("mitmcert", None)
    server.setdefault("tls_version", None)


def _to_5(state: State) -> None:
    """Connections have ids."""
    for connection in _connections(state):
        connection.setdefault("id", str(uuid4()))


def _to_6(state: State) -> None:
    """SSL is called TLS."""
    for connection in _connections(state):
        _rename(connection, "ssl_established", "tls_established")
        _rename(connection, "timestamp_ssl_setup", "timestamp_tls_setup")


def _to_7(state: State) -> None:
    """Extensions of the ClientHello were added, and dropped again later."""


def _to_8(state: State) -> None:
    """Requests have an authority instead of a form of the first line, and hosts are text; messages have trailers."""
    for key in ("request", "response"):
        if message := _dict(state, key):
            message.setdefault("trailers", None)
    if request := _dict(state, "request"):
        request.pop("first_line_format", None)
        request.setdefault("authority", b"")
        host = request.get("host")
        if isinstance(host, bytes):
            request["host"] = host.decode("utf-8", "surrogateescape")


def _to_9(state: State) -> None:
    """What was replayed is said by the flow."""
    replayed = [key for key in ("request", "response") if _dict(state, key).pop("is_replay", False)]
    state.setdefault("is_replay", replayed[0] if replayed else None)


def _to_10(state: State) -> None:
    """Connections have lists of certificates, ciphers and ALPN offers, and say whether TLS is meant to be spoken."""
    client, server = _connections(state)
    for connection, certificate in ((client, "clientcert"), (server, "cert")):
        connection.setdefault("certificate_list", _listed(connection.pop(certificate, None)))
        connection.setdefault("alpn_offers", _listed(connection.get("alpn_proto_negotiated")))
        connection.setdefault("cipher_name", None)
        connection.setdefault("cipher_list", _listed(connection["cipher_name"]))
        connection.setdefault("tls", connection.get("tls_established", False))
        connection.setdefault("error", None)
    client.setdefault("sockname", ["", 0])
    server.setdefault("via2", None)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _to_11(state: State) -> None:
    """Another name for the ALPN protocol."""
    for connection in _connections(state):
        _rename(connection, "alpn_proto_negotiated", "alpn")


def _to_12(state: State) -> None:
    """HTTP flows hold the messages of their WebSocket; see `_folded`."""
    if state.get("type") == "http":
        state.setdefault("websocket", None)


def _to_13(state: State) -> None:
    """Flows can be marked in several ways."""
    if isinstance(state.get("marked"), bool):
        state["marked"] = ":default:" if state["marked"] else ""


def _to_14(state: State) -> None:
    """Flows can have a comment."""
    state.setdefault("comment", "")


def _to_15(state: State) -> None:
    """WebSocket messages can be injected."""
    messages = _dict(state, "websocket").get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, list) and len(message) == 5:
            message.append(False)


def _to_16(state: State) -> None:
    """Flows tell when they were created."""
    started = _dict(state, "request" if state.get("type") == "http" else "client_conn").get("timestamp_start")
    state.setdefault("timestamp_created", 0 if started is None else started)


def _to_17(state: State) -> None:
    """The mode of the proxy was no property of HTTP flows any more …"""
    state.pop("mode", None)


def _to_18(state: State) -> None:
    """… but one of their clients."""
    _dict(state, "client_conn").setdefault("proxy_mode", "regular")


def _to_19(state: State) -> None:
    """The addresses of connections have the names that sockets give them."""
    client, server = _connections(state)
    _rename(client, "address", "peername")
    _rename(server, "ip_address", "peername")
    _rename(server, "source_address", "sockname")
    if "via2" in server:
        server["via"] = server.pop("via2")
    if client.get("timestamp_start") is None:
        client["timestamp_start"] = 0.0
    for connection in (client, server):
        _rename(connection, "cipher_name", "cipher")
        connection.setdefault("transport_protocol", "udp" if state.get("type") == "udp" else "tcp")
        connection.pop("tls_established", None)
        connection.pop("tls_extensions", None)


def _to_20(state: State) -> None:
    """Whether a connection is open is not saved."""
    for connection in _connections(state):
        connection.pop("state", None)


def _to_21(state: State) -> None:
    """QUIC has versions."""
    for connection in _connections(state):
        if connection.get("tls_version") == "QUIC":
            connection["tls_version"] = "QUICv1"


_STEPS: dict[int, Callable[[State], None]] = {
    1: _to_2, 2: _to_3, 3: _to_4, 4: _to_5, 5: _to_6, 6: _to_7, 7: _to_8, 8: _to_9, 9: _to_10, 10: _to_11, 11: _to_12,
    12: _to_13, 13: _to_14, 14: _to_15, 15: _to_16, 16: _to_17, 17: _to_18, 18: _to_19, 19: _to_20, 20: _to_21,
}  # fmt: skip
"""By the version that they begin with."""
