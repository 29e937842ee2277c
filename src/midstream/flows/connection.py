"""The two connections that a flow went over: from the client to us, and from us to the server.

Made and updated by the proxy, read by addons, filters and panes; saved with each flow. These are records: the live
byte streams are `proxy.streams`.
"""

import time
from collections.abc import Sequence
from enum import Flag
from typing import Any, Literal, Self
from uuid import uuid4

from midstream.flows import state as s
from midstream.flows.certificate import Cert, checked_cert
from midstream.flows.proxy_mode import ProxyMode
from midstream.flows.server_spec import SCHEMES, ServerSpec
from midstream.wire.client_hello import parse_message
from midstream.wire.fingerprints import ja3, ja4

Address = tuple[str, int]
"""Host and port; socket addresses of IPv6 may hold flow label and scope after these."""

TransportProtocol = Literal["tcp", "udp"]

TLS_VERSIONS = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv0.9", "DTLSv1", "DTLSv1.2", "QUICv1")


class ConnectionState(Flag):
    """What can still be done with a connection."""

    CLOSED = 0
    CAN_READ = 1
    CAN_WRITE = 2
    OPEN = CAN_READ | CAN_WRITE


def _proxy_mode(value: Any, where: str) -> ProxyMode:
    try:
        return ProxyMode.parse(s.text(value, where))
    except s.StateError:
        raise
    except ValueError as exc:
        raise s.StateError(f"{where}: {exc}") from None


_timestamp = s.optional(s.number)

_COMMON: s.Schema = s.Schema(
    {
        "peername": s.optional(s.address),
        "sockname": s.optional(s.address),
        "id": s.text,
        "transport_protocol": s.one_of("tcp", "udp"),
        "error": s.optional(s.text),
        "tls": s.flag,
        "certificate_list": s.listed(checked_cert),
        "alpn": s.optional(s.binary),
        "alpn_offers": s.listed(s.binary),
        "cipher": s.optional(s.text),
        "cipher_list": s.listed(s.text),
        "tls_version": s.optional(s.one_of(*TLS_VERSIONS)),
        "sni": s.optional(s.text),
        "timestamp_start": _timestamp,
        "timestamp_end": _timestamp,
        "timestamp_tls_setup": _timestamp,
    }
)
_CLIENT: s.Schema = s.Schema(
    {
        **_COMMON,
        "peername": s.address,
        "sockname": s.address,
        "timestamp_start": s.number,
        "mitmcert": s.optional(checked_cert),
        "proxy_mode": _proxy_mode,
    }
)
checked_via = s.optional(s.row(s.one_of(*SCHEMES), s.address))
"""A state check: the parent of a server connection."""
_SERVER: s.Schema = s.Schema(
    {
        **_COMMON,
        "address": s.optional(s.address),
        "timestamp_tcp_setup": _timestamp,
        "via": checked_via,
    }
)


class Connection:
    """What client and server connections have in common. Two are equal when their ids are.

    Timestamps are seconds since the epoch. `error` says why the connection failed; an addon sets it to refuse one.
    `tls` says that TLS is or will be spoken, `certificate_list` is the peer's chain, leaf first.
    """

    __slots__ = {  # the texts are what pydoc says of each
        "__dict__": "",  # scripts keep notes on connections, too
        "__weakref__": "",
        "_id": "",
        "alpn": "The application protocol that TLS agreed on, as bytes.",
        "alpn_offers": "The application protocols that were offered, as bytes.",
        "certificate_list": "The certificates of the peer, the leaf first.",
        "cipher": "The cipher that TLS agreed on.",
        "cipher_list": "The ciphers that may be used.",
        "error": "Why the connection failed; an addon sets it to refuse one.",
        "peername": "Address and port of the other end.",
        "sni": "The server name in the TLS handshake.",
        "sockname": "Address and port of our end.",
        "state": "Whether it can be read and written.",
        "timestamp_end": "When it was closed.",
        "timestamp_start": "When it was accepted, or dialled.",
        "timestamp_tls_setup": "When the TLS handshake was done.",
        "tls": "Whether TLS is or will be spoken.",
        "tls_resumed": "Whether TLS resumed an earlier session, in which no certificates are sent.",
        "tls_version": "The version of TLS, such as `TLSv1.3`.",
        "transport_protocol": "`tcp` or `udp`.",
    }

    _SCHEMA: s.Schema = _COMMON

    peername: Address | None
    sockname: Address | None

    def __init__(
        self,
        *,
        peername: Address | None = None,
        sockname: Address | None = None,
        state: ConnectionState = ConnectionState.CLOSED,
        id: str = "",
        transport_protocol: TransportProtocol = "tcp",
        error: str | None = None,
        tls: bool = False,
        certificate_list: Sequence[Cert] = (),
        alpn: bytes | None = None,
        alpn_offers: Sequence[bytes] = (),
        cipher: str | None = None,
        cipher_list: Sequence[str] = (),
        tls_version: str | None = None,
        sni: str | None = None,
        timestamp_start: float | None = None,
        timestamp_end: float | None = None,
        timestamp_tls_setup: float | None = None,
    ) -> None:
        self.peername = peername
        self.sockname = sockname
        self.state = state
        self._id = id
        self.transport_protocol: TransportProtocol = transport_protocol
        self.error = error
        self.tls = tls
        self.certificate_list = certificate_list
        self.alpn = alpn
        self.alpn_offers = alpn_offers
        self.cipher = cipher
        self.cipher_list = cipher_list
        self.tls_resumed = False
        self.tls_version = tls_version
        self.sni = sni
        self.timestamp_start = timestamp_start
        self.timestamp_end = timestamp_end
        self.timestamp_tls_setup = timestamp_tls_setup

    @property
    def id(self) -> str:
        """A UUID, made when it is first asked for."""
        if not self._id:
            self._id = str(uuid4())
        return self._id

    @id.setter
    def id(self, value: str) -> None:
        self._id = value

    @property
    def connected(self) -> bool:
        """Whether data can go both ways."""
        return self.state is ConnectionState.OPEN

    @property
    def tls_established(self) -> bool:
        """Whether a TLS handshake was completed."""
        return self.timestamp_tls_setup is not None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Connection):
            return self is other or self.id == other.id
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds. Whether the connection is still open is not among them."""
        return {
            "peername": self.peername,
            "sockname": self.sockname,
            "id": self.id,
            "transport_protocol": self.transport_protocol,
            "error": self.error,
            "tls": self.tls,
            "certificate_list": [cert.to_pem() for cert in self.certificate_list],
            "alpn": self.alpn,
            "alpn_offers": list(self.alpn_offers),
            "cipher": self.cipher,
            "cipher_list": list(self.cipher_list),
            "tls_version": self.tls_version,
            "sni": self.sni,
            "timestamp_start": self.timestamp_start,
            "timestamp_end": self.timestamp_end,
            "timestamp_tls_setup": self.timestamp_tls_setup,
        }

    def set_state(self, state: s.State) -> None:
        """Take over the values of a state; nothing is changed when it is refused. Raises ValueError."""
        for name, value in s.read(state, type(self).__name__, self._SCHEMA).items():
            setattr(self, name, value)

    def copy(self) -> Self:
        """Another closed connection with the same values and a new id."""
        return type(self).from_state({**self.get_state(), "id": str(uuid4())})

    @classmethod
    def from_state(cls, state: s.State) -> Self:
        """A closed connection with these values. Raises ValueError."""
        return cls(**s.read(state, cls.__name__, cls._SCHEMA))

    @property
    def cipher_name(self) -> str | None:
        """Old name of `cipher`."""
        return self.cipher

    @property
    def alpn_proto_negotiated(self) -> bytes | None:
        """Old name of `alpn`."""
        return self.alpn

    def _described(self, address: Address | None) -> str:
        where = f"{address[0]}:{address[1]}" if address else "unknown"
        tls = (f"tls, alpn={self.alpn.decode('ascii', 'replace')}" if self.alpn else "tls") if self.tls else ""
        words = [f"state={(self.state.name or str(self.state.value)).lower()}", tls]
        return f"{type(self).__name__}({', '.join([where, *filter(None, words)])})"


class Client(Connection):
    """The connection that a client opened to us. `mitmcert` is the leaf that we showed, `proxy_mode` how it came in."""

    __slots__ = {
        "_fingerprints": "",
        "hello": "The ClientHello, as bytes with the header of its message; not saved.",
        "mitmcert": "The certificate that we showed.",
        "proxy_mode": "The mode of the listener that it came by.",
    }

    _SCHEMA = _CLIENT

    peername: Address
    sockname: Address
    timestamp_start: float

    def __init__(
        self,
        *,
        peername: Address,
        sockname: Address,
        mitmcert: Cert | None = None,
        proxy_mode: ProxyMode | None = None,
        timestamp_start: float | None = None,
        **common: Any,
    ) -> None:
        if timestamp_start is None:
            timestamp_start = time.time()
        super().__init__(peername=peername, sockname=sockname, timestamp_start=timestamp_start, **common)
        self._fingerprints: tuple[str, str] | None = None
        self.hello = b""
        self.mitmcert = mitmcert
        self.proxy_mode = ProxyMode.parse("regular") if proxy_mode is None else proxy_mode

    def __repr__(self) -> str:
        return self._described(self.peername)

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        state = super().get_state()
        state["mitmcert"] = self.mitmcert.to_pem() if self.mitmcert else None
        state["proxy_mode"] = self.proxy_mode.full_spec
        return state

    @property
    def fingerprints(self) -> tuple[str, str] | None:
        """JA3 and JA4, worked out when they are first asked for; None without TLS."""
        if self._fingerprints is None and self.hello:
            hello = parse_message(self.hello)
            self._fingerprints = ja3(hello), ja4(hello, "t" if self.transport_protocol == "tcp" else "d")
        return self._fingerprints

    @fingerprints.setter
    def fingerprints(self, value: tuple[str, str] | None) -> None:
        self._fingerprints = value

    @property
    def ja3(self) -> str | None:
        """The JA3 fingerprint of what the client offered in TLS: 32 hex digits; None without TLS."""
        found = self.fingerprints
        return found[0] if found is not None else None

    @property
    def ja4(self) -> str | None:
        """The JA4 fingerprint, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`; None without TLS."""
        found = self.fingerprints
        return found[1] if found is not None else None

    @property
    def address(self) -> Address:
        """Old name of `peername`."""
        return self.peername

    @property
    def clientcert(self) -> Cert | None:
        """Old name of the first of `certificate_list`."""
        return self.certificate_list[0] if self.certificate_list else None


class Server(Connection):
    """The connection that we open to a server.

    `address` is what was asked for (a host name, usually), `peername` what it resolved to. `via` is the parent proxy
    that it goes through. Both decide where to connect, so that changing them once connected is an error.
    """

    __slots__ = {"_address": "", "_via": "", "timestamp_tcp_setup": "When the connection stood, before TLS."}

    _SCHEMA = _SERVER

    def __init__(
        self,
        *,
        address: Address | None,
        via: ServerSpec | None = None,
        timestamp_tcp_setup: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self._address: Address | None = _as_tuples(address)
        self._via: ServerSpec | None = _as_tuples(via)
        self.timestamp_tcp_setup = timestamp_tcp_setup

    @property
    def address(self) -> Address | None:
        """Host and port to connect to. Raises RuntimeError when changed while connected."""
        return self._address

    @address.setter
    def address(self, value: Address | None) -> None:
        if self.state is ConnectionState.OPEN and value != self._address:
            raise RuntimeError("The address of a server cannot be changed while its connection is open.")
        self._address = _as_tuples(value)

    @property
    def via(self) -> ServerSpec | None:
        """Scheme, host and port of the parent proxy. Raises RuntimeError when changed while connected."""
        return self._via

    @via.setter
    def via(self, value: ServerSpec | None) -> None:
        if self.state is ConnectionState.OPEN and value != self._via:
            raise RuntimeError("The parent proxy of a server cannot be changed while its connection is open.")
        self._via = _as_tuples(value)

    def __repr__(self) -> str:
        return self._described(self.address)

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        state = super().get_state()
        state["address"] = self._address
        state["timestamp_tcp_setup"] = self.timestamp_tcp_setup
        state["via"] = self._via
        return state

    @property
    def ip_address(self) -> Address | None:
        """Old name of `peername`."""
        return self.peername

    @property
    def cert(self) -> Cert | None:
        """Old name of the first of `certificate_list`."""
        return self.certificate_list[0] if self.certificate_list else None


def _as_tuples(value: Any) -> Any:
    """Lists, as they come from JSON, cannot be keys. What an addon sets is judged by who connects, and not here: what
    goes nowhere must not go where it would have gone without the addon.
    """
    return tuple(map(_as_tuples, value)) if isinstance(value, list | tuple) else value


def checked_client(value: Any, where: str) -> Client:
    """A state check: a client connection; one that was made of its state before is as good."""
    if isinstance(value, Client):
        return value
    return Client(**s.read(value, where, _CLIENT))


def checked_server(value: Any, where: str) -> Server:
    """A state check: a server connection; one that was made of its state before is as good."""
    if isinstance(value, Server):
        return value
    return Server(**s.read(value, where, _SERVER))
