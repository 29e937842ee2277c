"""Cookie and Set-Cookie headers (RFC 6265) as pairs.

Used by `Request.cookies` and `Response.cookies`. Reading is as lenient as browsers are; writing leaves untouched what
nobody changed. It keeps no jar and decides nothing about which cookie goes where.
"""

import re
from typing import Any

from midstream.flows.multidict import MultiDict, spliced

_NEEDS_QUOTES = re.compile(r"[\s,;\\\"]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')

# Their values hold commas or slashes as a matter of course and are never quoted.
_NEVER_QUOTED = frozenset({"expires", "path", "domain", "max-age", "samesite"})


class CookieAttrs(MultiDict[str, str | None]):
    """The attributes of a Set-Cookie header. Names ignore case; flags such as HttpOnly have the value None."""

    __slots__ = ()

    @staticmethod
    def _folded(key: Any) -> Any:
        return key.lower() if isinstance(key, str) else key


Pair = tuple[str, str]
SetCookie = tuple[str, tuple[str | None, CookieAttrs]]


def read_cookie_header(value: str) -> list[tuple[Pair, str]]:
    """The pairs of a Cookie header, each with the text in which it came."""
    result = []
    for raw in _split(value):
        name, _, text = raw.partition("=")
        result.append(((name.strip(), _unquoted(text.strip())), raw))
    return result


def write_cookie_header(pairs: list[Pair], before: str) -> str:
    """A Cookie header of these pairs; those that stood in the old header keep their spelling."""
    return "; ".join(spliced(read_cookie_header(before), pairs, lambda pair: f"{pair[0]}={_quoted(pair[1])}"))


def read_set_cookie(header: str) -> SetCookie:
    """Name, value and attributes of one Set-Cookie header.

    The value is None when there is no equals sign. RFC 6265 §3: several cookies are never joined by commas.
    """
    first, *rest = _split(header, keep_empty_first=True)
    name, equals, text = first.partition("=")
    attributes: list[tuple[str, str | None]] = []
    for part in rest:
        key, has_value, attribute = part.partition("=")
        attributes.append((key.strip(), _unquoted(attribute.strip()) if has_value else None))
    return name.strip(), (_unquoted(text.strip()) if equals else None, CookieAttrs(attributes))


def write_set_cookie(cookie: tuple[str, Any]) -> str:
    """A Set-Cookie header. The attributes may be any mapping or pairs."""
    name, (value, attributes) = _plain(cookie)
    parts = [name if value is None else f"{name}={_quoted(value)}"]
    for key, attribute in attributes:
        if attribute is None:
            parts.append(key)
        else:
            parts.append(f"{key}={attribute if key.lower() in _NEVER_QUOTED else _quoted(attribute)}")
    return "; ".join(parts)


def write_set_cookies(cookies: list[tuple[str, Any]], before: list[str]) -> list[str]:
    """Set-Cookie headers of these cookies; those that stood there before keep their spelling."""
    old = [(_plain(read_set_cookie(header)), header) for header in before]
    return spliced(old, map(_plain, cookies), write_set_cookie)


def _plain(cookie: tuple[str, Any]) -> tuple[str, tuple[str | None, tuple[tuple[str, str | None], ...]]]:
    name, content = cookie
    if isinstance(content, str) or len(content) != 2:
        raise ValueError(f"cookie {name!r}: expected a pair of value and attributes, like ('1', {{'Path': '/'}})")
    return name, (content[0], _attribute_pairs(content[1]))


def _attribute_pairs(attributes: Any) -> tuple[tuple[str, str | None], ...]:
    if isinstance(attributes, MultiDict):
        return attributes.fields
    return tuple((key, value) for key, value in (attributes.items() if hasattr(attributes, "items") else attributes))


def _split(value: str, keep_empty_first: bool = False) -> list[str]:
    """The parts between semicolons outside of quotes, without blanks around them and without empty ones."""
    stripped = (part.strip() for part in raw_parts(value))
    return [part for index, part in enumerate(stripped) if part or (keep_empty_first and index == 0)]


def raw_parts(value: str) -> list[str]:
    """The same with everything that stands in them: joined by semicolons they are the value again."""
    parts = []
    start = pos = 0
    while pos < len(value):
        if value[pos] == ";":
            parts.append(value[start:pos])
            start = pos = pos + 1
        elif value[pos] == '"' and value[pos - 1 : pos] == "=" and (found := _QUOTED.match(value, pos)):
            pos = found.end()
        else:
            pos += 1
    parts.append(value[start:])
    return parts


def _unquoted(text: str) -> str:
    if len(text) >= 2 and (match := _QUOTED.fullmatch(text)):
        return re.sub(r"\\(.)", r"\1", match[1])
    return text


def _quoted(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
