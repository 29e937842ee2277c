"""Cookies that servers have set, and which of them belong to a request (RFC 6265).

Used by `stickycookie`. Kept in memory only. Unlike in a browser a cookie belongs to one port, and one without a path to
the whole site; there is no list of public suffixes, so a Domain needs a dot in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from ipaddress import ip_address

from midstream.flows.cookies import CookieAttrs, read_set_cookie, write_set_cookie

MOST = 3000
"""Cookies that are kept (RFC 6265 §6.1); then the one that was set longest ago goes."""

MOST_OF_HOST = 180
"""The same for each domain and port."""

LARGEST = 4096
"""Bytes of name and value."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One of them. `pair` is `name=value` as the server wrote it, `expires` a time since the epoch, or None."""

    name: str
    pair: str
    path: str
    host_only: bool
    secure: bool
    expires: float | None


class CookieJar:
    """The cookies of all hosts."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._now = clock
        self._jars: dict[tuple[str, int], dict[tuple[str, str], Cookie]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def take(self, headers: Iterable[str], host: str, port: int, *, over_tls: bool) -> None:
        """Keep what the Set-Cookie headers of a response from `host` say, and forget what they end."""
        now = self._now()
        for header in headers:
            name, (_, attributes) = read_set_cookie(header)
            domain = _domain(attributes.get("domain"), host.lower())
            pair = _pair(header)
            if domain is None or not pair or len(pair.encode("utf-8", "replace")) > LARGEST:
                continue
            secure = "secure" in attributes
            if secure and not over_tls:
                continue  # anybody on the way could have set it
            path = attributes.get("path") or "/"
            cookie = Cookie(
                name,
                pair,
                path if path.startswith("/") else "/",
                host_only=not (attributes.get("domain") or "").strip("."),
                secure=secure,
                expires=_expiry(attributes, now),
            )
            self._put(cookie, (domain, port), now)

    def fitting(self, host: str, port: int, path: str, *, over_tls: bool) -> list[Cookie]:
        """The cookies for a request, those with longer paths first (RFC 6265 §5.4)."""
        now, host = self._now(), host.lower()
        path = path.partition("?")[0]
        found = []
        for domain in _domains_above(host):
            for cookie in list(self._jars.get((domain, port), {}).values()):
                if cookie.expires is not None and cookie.expires <= now:
                    self._drop(cookie, (domain, port))
                elif (
                    (not cookie.host_only or domain == host)
                    and (over_tls or not cookie.secure)
                    and _covers(cookie.path, path)
                ):
                    found.append(cookie)
        return sorted(found, key=lambda cookie: -len(cookie.path))

    def _put(self, cookie: Cookie, place: tuple[str, int], now: float) -> None:
        self._drop(cookie, place)
        if cookie.expires is not None and cookie.expires <= now:
            return
        jar = self._jars.get(place, {})
        full = place if len(jar) >= MOST_OF_HOST else next(iter(self._jars)) if self._count >= MOST else None
        if full is not None:
            self._drop(next(iter(self._jars[full].values())), full)
        self._jars.setdefault(place, {})[cookie.path, cookie.name] = cookie
        self._count += 1

    def _drop(self, cookie: Cookie, place: tuple[str, int]) -> None:
        jar = self._jars.get(place)
        if jar is not None and jar.pop((cookie.path, cookie.name), None) is not None:
            self._count -= 1
            if not jar:
                del self._jars[place]


def _pair(header: str) -> str:
    """The cookie itself, in the server's own spelling."""
    first = header.partition(";")[0].strip()
    if first.count('"') != 1:
        return first
    name, (value, _) = read_set_cookie(header)  # a quoted value with a semicolon in it
    return write_set_cookie((name, (value, ())))


def _domain(named: str | None, host: str) -> str | None:
    """The domain that a cookie is kept for; None when `host` may not set one for that (RFC 6265 §5.3)."""
    domain = (named or "").strip().removeprefix(".").lower()
    if not domain or domain == host:
        return host
    if "." not in domain or _is_address(host) or not host.endswith("." + domain):
        return None
    return domain


def _domains_above(host: str) -> list[str]:
    """The host, and every domain that it lies in."""
    if _is_address(host):
        return [host]
    labels = host.split(".")
    return [".".join(labels[index:]) for index in range(len(labels))]


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _covers(cookie_path: str, path: str) -> bool:
    """RFC 6265 §5.1.4."""
    if not path.startswith(cookie_path):
        return False
    return cookie_path.endswith("/") or path[len(cookie_path) :][:1] in ("", "/")


def _expiry(attributes: CookieAttrs, now: float) -> float | None:
    """When a cookie ends; Max-Age is stronger than Expires (RFC 6265 §5.3)."""
    age = (attributes.get("max-age") or "").strip()
    digits = age.removeprefix("-")
    if digits.isascii() and digits.isdecimal():
        if digits != age:
            return now
        return now + int(age) if len(age) < 12 else None  # beyond any clock
    date = attributes.get("expires")
    try:
        parsed = parsedate_tz(date) if date else None
        return mktime_tz(parsed) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None
