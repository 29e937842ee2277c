"""What a secret looks like in a message, and the name that stands in its place.

The addon redact uses it. Everything works on bytes, as messages are, and never raises: what cannot be looked at in time
is left out as a whole. It changes what it is given and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator

from midstream.flows.headers import HeaderFields
from midstream.text.patterns import Pattern, TooSlow
from midstream.text.sizes import human_size

MOST_NAMES = 100_000
"""Different secrets that get names of their own; those beyond are all called `<secret>`."""

LARGEST = 512 * 1024
"""Bytes of a body, without its content encoding, that is looked into; a larger one is left out as a whole."""

_MOST_FOUND = 2000  # by one rule of a user, in one text

_WORD = (
    rb"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|credential|private[_-]?key|(?:api|access|auth)[_-]?key"
    rb"|session[_-]?id|jwt|otp|authorization)"
)
_HAS_WORD = re.compile(_WORD, re.IGNORECASE)


class _Named:
    """A field whose name ends so, written in one of several languages; the second group is its value."""

    def __init__(self, name: bytes, rest: bytes, quote: bytes = b"") -> None:
        self.pattern = re.compile(b"(" + name + b")s?" + rest, re.IGNORECASE)
        self.quote = quote


def _named(name: bytes) -> tuple[_Named, ...]:
    # A text may break off in the middle of a value.
    return (
        _Named(name, rb'"\s*:\s*"((?:[^"\\]|\\.)*+)'),  # JSON
        _Named(name, rb'"\s*:\s*(-?[0-9][0-9.eE+-]*)', quote=b'"'),
        _Named(name, rb'\\+"\s*:\s*\\+"((?:[^"\\])*+)'),  # JSON in a string of JSON
        _Named(name, rb"(?:%5D|\])?=([^&\s\"'<>#;]+)"),  # forms and queries
        _Named(name, rb"(?:\s[^<>]{0,200})?>([^<>]+)(?=<)"),  # XML
        _Named(name, rb'"(?:\r?\n[^\r\n]+){0,4}(?:\r?\n){2}((?:(?!\r?\n--)[\s\S]){1,8192})'),  # multipart
    )


_NAMED = _named(_WORD)
_BARE = (
    (b"jwt", re.compile(rb"(eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*)")),
    (b"token", re.compile(rb"\bbearer\s+([A-Za-z0-9._~+/-]{8,}=*)", re.IGNORECASE)),
    (b"password", re.compile(rb"://[^/\s:@\"'<>]{1,100}:([^/\s@\"'<>]{1,200})@")),
    (
        b"key",
        re.compile(
            rb"\b(gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|sk_(?:live|test)_\w{10,})"
        ),
    ),
)
_HEADER = re.compile(
    rb"(?:^|[_-])(?:auth|token|secret|password|credential|session(?:[_-]?id)?"
    rb"|(?:api|access|auth|secret|private|subscription|functions|master|admin|app|client)[_-]?key)s?$|^apikey$",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"([A-Za-z0-9_-]+)(: )(.*)")
_CREDENTIALS = (b"authorization", b"proxy-authorization")
_KINDS = ((b"pass", b"password"), (b"pwd", b"password"), (b"key", b"key"), (b"session", b"session"))


class Names:
    """The names of secrets: the same secret has the same one as long as the program runs. It keeps no secret."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._names: dict[bytes, bytes] = {}
        self._counts: Counter[bytes] = Counter()
        self._ours: set[bytes] = set()

    def name(self, secret: bytes, kind: bytes) -> bytes:
        """`<token-1>`; what is a name already stays."""
        if secret in self._ours or not secret.strip():
            return secret
        digest = hashlib.blake2b(secret, key=self._key, digest_size=12).digest()
        name = self._names.get(digest)
        if name is None:
            if len(self._names) >= MOST_NAMES:
                return b"<secret>"
            self._counts[kind] += 1
            name = self._names[digest] = b"<%b-%d>" % (kind, self._counts[kind])
            self._ours.add(name)
        return name


class Rules:
    """What a user added: names of headers and of fields, and expressions."""

    def __init__(self, rules: Iterable[str] = ()) -> None:
        names: list[bytes] = []
        self.headers: set[bytes] = set()
        """In lower case."""
        self.expressions: list[tuple[Pattern[bytes], bytes]] = []
        for rule in rules:
            what, colon, name = rule.partition(":")
            if what == "header" and colon:
                self.headers.add(_checked(name).lower())
            elif what == "field" and colon:
                names.append(re.escape(_checked(name)))
            else:
                self.expressions.append((_expression(rule), b"secret"))
        self.fields = _named(rb"(?<![\w-])(?:" + b"|".join(names) + b")") if names else ()


class Masker:
    """Masks secrets in the parts of messages. `rules` are a user's, as `read_rules` makes them."""

    largest = LARGEST

    def __init__(self, names: Names, rules: Rules) -> None:
        self._names = names
        self._rules = rules

    def text(self, data: bytes) -> bytes:
        """Any text: a body, a path, a message, a line. The same object if there is nothing in it."""
        if len(data) > LARGEST:
            return b"<%b that redact does not look into>" % human_size(len(data)).encode()
        for pattern, kind in self._rules.expressions:
            data = self._by_rule(pattern, kind, data)
        for named in self._rules.fields:
            data = self._replaced(named.pattern, data, quote=named.quote)
        if _HAS_WORD.search(data):
            for named in _NAMED:
                data = self._replaced(named.pattern, data, quote=named.quote)
        for kind, bare in _BARE:
            data = self._replaced(bare, data, kind)
        return data

    def line(self, data: bytes) -> bytes:
        """A line of text, which may be one of a head."""
        field = _FIELD.fullmatch(data)
        if field is None:
            return self.text(data)
        return field[1] + field[2] + self._value(field[1].lower(), field[3])

    def fields(self, fields: HeaderFields) -> HeaderFields:
        """Header fields, by their names and by what stands in them."""
        return tuple([(name, self._value(name.lower(), value)) for name, value in fields])

    def _value(self, name: bytes, value: bytes) -> bytes:
        if name in self._rules.headers or _HEADER.search(name):
            return self._names.name(value, _kind(name))
        if name in _CREDENTIALS:
            scheme, space, rest = value.partition(b" ")
            return scheme + space + self._names.name(rest, b"token") if space else self._names.name(value, b"token")
        if name == b"cookie":
            return b";".join(map(self._cookie, value.split(b";")))
        if name == b"set-cookie":
            first, semicolon, attributes = value.partition(b";")
            return self._cookie(first) + semicolon + attributes
        return self.text(value)

    def _cookie(self, pair: bytes) -> bytes:
        name, equals, value = pair.partition(b"=")
        return name + equals + self._names.name(value, b"cookie") if equals else self.text(pair)

    def _replaced(self, pattern: re.Pattern[bytes], data: bytes, kind: bytes = b"", quote: bytes = b"") -> bytes:
        """With the last group of each match replaced; its kind is that of the first group unless it is given."""

        def masked(found: re.Match[bytes]) -> bytes:
            start, end = (place - found.start() for place in found.span(pattern.groups))
            name = self._names.name(found[pattern.groups], kind or _kind(found[1]))
            return found[0][:start] + quote + name + quote + found[0][end:]

        return pattern.sub(masked, data) if pattern.search(data) else data

    def _by_rule(self, pattern: Pattern[bytes], kind: bytes, data: bytes) -> bytes:
        try:
            return b"".join(self._pieces(pattern, kind, data))
        except TooSlow:
            return b"<a text that the rule of redact_rules is too slow for>"

    def _pieces(self, pattern: Pattern[bytes], kind: bytes, data: bytes) -> Iterator[bytes]:
        for _ in range(_MOST_FOUND):
            found = pattern.find(data) if data else None
            if found is None or found.end() == 0:
                yield data
                return
            start, end = found.span(1) if found.re.groups and found.start(1) >= 0 else found.span()
            yield data[:start] + self._names.name(data[start:end], kind)
            yield data[end : found.end()]
            data = data[found.end() :]
        yield b"<more than the rules of redact_rules may find>" if data else b""


def _checked(name: str) -> bytes:
    if not name.strip():
        raise ValueError("a name is missing; write header:NAME, field:NAME, or a regular expression")
    return name.strip().encode()


def _expression(rule: str) -> Pattern[bytes]:
    try:
        pattern = Pattern(rule.encode())
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{rule!r} is no regular expression: {error}") from None
    if pattern.find(b"") is not None:
        raise ValueError(f"{rule!r} matches everything, also where there is nothing")
    return pattern


def _kind(name: bytes) -> bytes:
    lower = name.lower()
    return next((kind for part, kind in _KINDS if part in lower), b"token" if b"token" in lower else b"secret")
