"""`mitmproxy.utils.human`: sizes, durations, times and addresses as people read them, in that program's own forms."""

from __future__ import annotations

import ipaddress
import time
from typing import Any

from midstream.text import sizes

SIZE_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def pretty_size(size: float) -> str:
    """`88b`, `1.2k`, `311k`, `4.0m`."""
    if size < 1024:
        return f"{size}b"
    value, unit = next(
        (size / factor, unit) for unit, factor in SIZE_UNITS.items() if size < factor * 1024 or unit == "t"
    )
    return f"{value:.1f}{unit}" if value < 99.95 else f"{value:.0f}{unit}"


def parse_size(s: str | None) -> int | None:
    """Bytes of `512`, `10k`, `2m`; None for None, ValueError for what is no size."""
    return None if s is None else sizes.parse_size(s)


def pretty_duration(secs: float | None) -> str:
    """`92ms`, `1.50s`, `42.0s`, `100s`; nothing for None."""
    if secs is None:
        return ""
    if secs >= 100:
        return f"{secs:.0f}s"
    if secs >= 10:
        return f"{secs:.1f}s"
    return f"{secs:.2f}s" if secs >= 1 else f"{secs * 1000:.0f}ms"


def format_timestamp(s: float) -> str:
    """Date and time in the local zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(s))


def format_timestamp_with_milli(s: float) -> str:
    """The same with milliseconds."""
    return f"{format_timestamp(s)}.{int(s % 1 * 1000):03d}"


def format_address(address: tuple[Any, ...] | None) -> str:
    """`host:port`, IPv6 in brackets, `*` for every interface."""
    if address is None:
        return "<no address>"
    name, port = address[:2]
    try:
        host = ipaddress.ip_address(name)
    except ValueError:
        return f"{name}:{port}"
    if host.is_unspecified:
        return f"*:{port}"
    if isinstance(host, ipaddress.IPv4Address):
        return f"{host}:{port}"
    return f"{host.ipv4_mapped}:{port}" if host.ipv4_mapped else f"[{host}]:{port}"
