"""The entries of a DNS message: questions and resource records, with their data as addresses, names or text."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any, ClassVar, Self

from midstream.flows import state as s
from midstream.wire import dns_classes, dns_https, dns_names, dns_types
from midstream.wire.dns_https import HTTPSRecord

_NAME_TYPES = (dns_types.NS, dns_types.CNAME, dns_types.PTR)
_NAMED_PARAMS = {name: number for number, name in dns_https.PARAMETER_NAMES.items()}

_QUESTION: s.Schema = s.Schema({"name": s.text, "type": s.integer, "class_": s.integer})
_RECORD: s.Schema = s.Schema({**_QUESTION, "ttl": s.integer, "data": s.binary})


@dataclass(slots=True)
class Question:
    """What a query asks for; `type` and `class_` are numbers of `dns.types` and `dns.classes`."""

    name: str
    type: int
    class_: int

    def __str__(self) -> str:
        return self.name

    def to_json(self) -> dict[str, Any]:
        """For people and tools, with names instead of numbers."""
        return {"name": self.name, "type": dns_types.to_str(self.type), "class": dns_classes.to_str(self.class_)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The opposite of `to_json`. Raises ValueError or KeyError."""
        return cls(data["name"], dns_types.from_str(data["type"]), dns_classes.from_str(data["class"]))

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        return {"name": self.name, "type": self.type, "class_": self.class_}


def checked_question(value: Any, where: str) -> Question:
    """A state check: a question."""
    return Question(**s.read(value, where, _QUESTION))


@dataclass(slots=True)
class ResourceRecord:
    """One record. `data` is the truth; the properties read and write it in the form that its type has.

    Reading a form that the data does not have raises ValueError. `ttl` is in seconds.
    """

    DEFAULT_TTL: ClassVar[int] = 60

    name: str
    type: int
    class_: int
    ttl: int
    data: bytes

    def __str__(self) -> str:
        return str(self._data_json())

    @property
    def text(self) -> str:
        """The strings of a TXT record, joined."""
        try:
            content = b"".join(dns_https.unpack_strings(self.data))
        except ValueError:
            content = self.data
        return content.decode("utf-8", "surrogateescape")

    @text.setter
    def text(self, value: str) -> None:
        content = value.encode("utf-8", "surrogateescape")
        # RFC 1035 §3.3.14: one or more strings of at most 255 bytes.
        pieces = [content[i : i + 255] for i in range(0, len(content), 255)] or [b""]
        self.data = dns_https.pack_strings(pieces)

    @property
    def ipv4_address(self) -> IPv4Address:
        """The address of an A record."""
        return IPv4Address(self.data)

    @ipv4_address.setter
    def ipv4_address(self, address: IPv4Address) -> None:
        self.data = address.packed

    @property
    def ipv6_address(self) -> IPv6Address:
        """The address of an AAAA record."""
        return IPv6Address(self.data)

    @ipv6_address.setter
    def ipv6_address(self, address: IPv6Address) -> None:
        self.data = address.packed

    @property
    def domain_name(self) -> str:
        """The name in a CNAME, NS or PTR record."""
        wire, end = dns_names.read(self.data, 0, {})
        if end != len(self.data) or wire != self.data:
            raise ValueError("the data of the DNS record is no domain name")
        return dns_names.to_text(wire)

    @domain_name.setter
    def domain_name(self, name: str) -> None:
        self.data = dns_names.to_wire(name)

    @property
    def https_alpn(self) -> tuple[bytes, ...] | None:
        """The protocols that an HTTPS record offers, None if it says nothing of them."""
        value = dns_https.unpack(self.data).params.get(dns_https.ALPN)
        return None if value is None else dns_https.unpack_strings(value)

    @https_alpn.setter
    def https_alpn(self, alpn: Iterable[bytes] | None) -> None:
        self._set_param(dns_https.ALPN, None if alpn is None else dns_https.pack_strings(alpn))

    @property
    def https_ech(self) -> str | None:
        """The encrypted-hello configuration of an HTTPS record in base64, None if there is none."""
        value = dns_https.unpack(self.data).params.get(dns_https.ECH)
        return None if value is None else base64.b64encode(value).decode("ascii")

    @https_ech.setter
    def https_ech(self, ech: str | None) -> None:
        self._set_param(dns_https.ECH, None if ech is None else base64.b64decode(ech.encode("ascii")))

    def _set_param(self, key: int, value: bytes | None) -> None:
        record = dns_https.unpack(self.data)
        record.params.pop(key, None)
        if value is not None:
            record.params[key] = value
        self.data = dns_https.pack(record)

    # --- constructors by type

    @classmethod
    def A(cls, name: str, ip: IPv4Address, *, ttl: int = DEFAULT_TTL) -> Self:
        """An IPv4 address."""
        return cls(name, dns_types.A, dns_classes.IN, ttl, ip.packed)

    @classmethod
    def AAAA(cls, name: str, ip: IPv6Address, *, ttl: int = DEFAULT_TTL) -> Self:
        """An IPv6 address."""
        return cls(name, dns_types.AAAA, dns_classes.IN, ttl, ip.packed)

    @classmethod
    def CNAME(cls, alias: str, canonical: str, *, ttl: int = DEFAULT_TTL) -> Self:
        """Another name for a host."""
        return cls(alias, dns_types.CNAME, dns_classes.IN, ttl, dns_names.to_wire(canonical))

    @classmethod
    def PTR(cls, inaddr: str, ptr: str, *, ttl: int = DEFAULT_TTL) -> Self:
        """The name that belongs to an address."""
        return cls(inaddr, dns_types.PTR, dns_classes.IN, ttl, dns_names.to_wire(ptr))

    @classmethod
    def TXT(cls, name: str, text: str, *, ttl: int = DEFAULT_TTL) -> Self:
        """Text."""
        record = cls(name, dns_types.TXT, dns_classes.IN, ttl, b"")
        record.text = text
        return record

    @classmethod
    def HTTPS(cls, name: str, record: HTTPSRecord, *, ttl: int = DEFAULT_TTL) -> Self:
        """How HTTPS is to be spoken with a host."""
        return cls(name, dns_types.HTTPS, dns_classes.IN, ttl, dns_https.pack(record))

    # --- JSON and state

    def _data_json(self) -> str | dict[str, Any]:
        try:
            if self.type == dns_types.A:
                return str(self.ipv4_address)
            if self.type == dns_types.AAAA:
                return str(self.ipv6_address)
            if self.type in _NAME_TYPES:
                return self.domain_name
            if self.type == dns_types.TXT:
                return b"".join(dns_https.unpack_strings(self.data)).decode("utf-8", "surrogateescape")
            if self.type == dns_types.HTTPS:
                return _https_json(dns_https.unpack(self.data))
        except ValueError:
            return f"0x{self.data.hex()} (invalid {dns_types.to_str(self.type)} data)"
        return f"0x{self.data.hex()}"

    def to_json(self) -> dict[str, Any]:
        """For people and tools: names instead of numbers, data in the form of its type, else in hexadecimal."""
        return {
            "name": self.name,
            "type": dns_types.to_str(self.type),
            "class": dns_classes.to_str(self.class_),
            "ttl": self.ttl,
            "data": self._data_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The opposite of `to_json`. Raises ValueError or KeyError."""
        record = cls(
            data["name"], dns_types.from_str(data["type"]), dns_classes.from_str(data["class"]), data["ttl"], b""
        )
        record._set_data_json(data["data"])
        return record

    def _set_data_json(self, value: Any) -> None:
        if isinstance(value, dict):
            self.data = dns_https.pack(_https_from_json(value))
        elif value.startswith("0x") and (self.type != dns_types.TXT or value.endswith(" (invalid TXT data)")):
            self.data = bytes.fromhex(value[2:].partition(" ")[0])
        elif self.type == dns_types.A:
            self.ipv4_address = IPv4Address(value)
        elif self.type == dns_types.AAAA:
            self.ipv6_address = IPv6Address(value)
        elif self.type in _NAME_TYPES:
            self.domain_name = value
        elif self.type == dns_types.TXT:
            self.text = value
        else:
            raise ValueError(f"the data of a {dns_types.to_str(self.type)} record must be hexadecimal, like 0x00ff")

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        return {"name": self.name, "type": self.type, "class_": self.class_, "ttl": self.ttl, "data": self.data}


def checked_record(value: Any, where: str) -> ResourceRecord:
    """A state check: a record."""
    return ResourceRecord(**s.read(value, where, _RECORD))


def _https_json(record: HTTPSRecord) -> dict[str, Any]:
    params = {
        dns_https.PARAMETER_NAMES.get(key, f"key{key}"): value.decode("latin-1")
        .encode("unicode_escape")
        .decode("ascii")
        for key, value in record.params.items()
    }
    return {"target_name": record.target_name, "priority": record.priority, **params}


def _https_from_json(data: dict[str, Any]) -> HTTPSRecord:
    params = {}
    for name, value in data.items():
        if name in ("target_name", "priority"):
            continue
        key = _NAMED_PARAMS.get(name)
        if key is None:
            key = int(name.removeprefix("key"))
        params[key] = value.encode("ascii").decode("unicode_escape").encode("latin-1")
    return HTTPSRecord(data["priority"], data["target_name"], params)
