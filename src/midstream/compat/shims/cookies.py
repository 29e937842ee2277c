"""`mitmproxy.net.http.cookies`: Cookie and Set-Cookie headers as lists of pairs and triples."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate, mktime_tz, parsedate_tz

from midstream.flows.cookies import (
    CookieAttrs,
    read_cookie_header,
    read_set_cookie,
    write_cookie_header,
    write_set_cookie,
)

# RFC 6265 §5.2: the attributes; a pair of another name begins the next cookie.
_ATTRIBUTES = {"expires", "path", "comment", "max-age", "secure", "httponly", "version", "domain", "samesite"}

SetCookie = tuple[str, str | None, CookieAttrs]


def parse_cookie_header(line: str) -> list[list[str]]:
    """The pairs of a Cookie header."""
    return [list(pair) for pair, _ in read_cookie_header(line)]


def parse_cookie_headers(cookie_headers: Iterable[str]) -> list[list[str]]:
    """The pairs of several Cookie headers."""
    return [pair for header in cookie_headers for pair in parse_cookie_header(header)]


def format_cookie_header(lst: Iterable[tuple[str, str | None]]) -> str:
    """A Cookie header; a value of None gives the bare name."""
    pieces = [name if value is None else write_cookie_header([(name, value)], "") for name, value in lst]
    return "; ".join(pieces)


def parse_set_cookie_header(line: str) -> list[SetCookie]:
    """The cookie of a Set-Cookie header. RFC 6265 §3: there is one in each, whatever commas it holds."""
    if not line.strip():
        return []
    name, (value, attributes) = read_set_cookie(line)
    return [(name, value, attributes)]


def parse_set_cookie_headers(headers: Iterable[str]) -> list[SetCookie]:
    """The cookies of several Set-Cookie headers."""
    return [cookie for header in headers for cookie in parse_set_cookie_header(header)]


def format_set_cookie_header(set_cookies: Iterable[SetCookie]) -> str:
    """The cookies as one text, separated by commas."""
    return ", ".join(write_set_cookie((name, (value, attributes))) for name, value, attributes in set_cookies)


def refresh_set_cookie_header(c: str, delta: float) -> str:
    """A Set-Cookie header whose expiry is `delta` seconds later; an expiry that cannot be read is left out."""
    cookies = parse_set_cookie_header(c)
    for _, _, attributes in cookies:
        if "expires" in attributes:
            expires = _timestamp(attributes["expires"])
            if expires is None:
                del attributes["expires"]
            else:
                attributes["expires"] = formatdate(expires + delta, usegmt=True)
    return format_set_cookie_header(cookies)


def get_expiration_ts(cookie_attrs: CookieAttrs) -> float | None:
    """When a cookie expires; None when its attributes do not say."""
    expires = _timestamp(cookie_attrs.get("expires"))
    if expires is not None:
        return expires
    try:
        return time.time() + int(cookie_attrs.get("max-age") or "")
    except ValueError:
        return None


def is_expired(cookie_attrs: CookieAttrs) -> bool:
    """Whether a cookie of these attributes is to be forgotten now."""
    expires = get_expiration_ts(cookie_attrs)
    return expires is not None and expires <= time.time()


def group_cookies(pairs: Iterable[tuple[str, str | None]]) -> list[SetCookie]:
    """Pairs that were read one by one, each cookie with the attributes that follow it."""
    found: list[tuple[str, str | None, list[tuple[str, str | None]]]] = []
    for name, value in pairs:
        if found and name.lower() in _ATTRIBUTES:
            found[-1][2].append((name, value))
        else:
            found.append((name, value, []))
    return [(name, value, CookieAttrs(attributes)) for name, value, attributes in found]


def _timestamp(date: str | None) -> float | None:
    try:
        parsed = parsedate_tz(date) if date else None
        return mktime_tz(parsed) if parsed else None
    except (ValueError, OverflowError):
        return None
