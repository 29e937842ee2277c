"""What a secret looks like in a message, and the name that stands in its place.

The addon redact uses it. Everything works on bytes, as messages are, and never raises: what cannot be looked at in time
is left out as a whole. It changes what it is given and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from midstream.flows.headers import HeaderFields
from midstream.text.patterns import Pattern, TooSlow
from midstream.text.sizes import human_size

MOST_NAMES = 100_000
"""Different secrets that get names of their own; those beyond are all called `<secret>`."""

LARGEST = 512 * 1024
"""Bytes of a body, without its content encoding, that is looked into; a larger one is left out as a whole."""

PATIENCE = 0.03
"""Seconds of this thread for one text: somebody waits for it. What is not looked at by then is left out."""

_NO_TIME = b"<the rest, which redact had no time to look into>"

# What keys are for, so that `key` alone, which is mostly none, is not taken for a secret.
_KEYS = (b"api", b"access", b"auth", b"secret", b"private", b"client", b"master", b"signing", b"encryption")
_IS_KEY = b"|".join([rb"(?<=%b%bkey)" % (what, joint) for what in _KEYS for joint in (b"", b"_", b"-")])
# The ends of names of fields, in lower case. Each begins with a plain text, which makes it ten times as fast.
_WORDS = re.compile(
    rb"key(?:" + _IS_KEY + rb")|pass(?:word|wd|phrase|code|(?<![a-z]pass)(?![a-z]))|pwd|secret|token|credential"
    rb"|sess(?:ion[_-]?)?id|jwt|otp|authorization|signature|samlresponse|cookie"
)

# What follows the name, in one of several languages; the group that is found is the value. A text may break off in the
# middle of it. Nothing here may look at more than a bounded stretch without taking it as the value.
_VALUE = re.compile(
    rb"s?(?:"
    rb'"\s*:\s*"((?:[^"\\]|\\.)*+)'  # JSON
    rb'|"\s*:\s*(?P<bare>-?[0-9][0-9.eE+-]*+|\[[^\[\]{}]*+)'
    rb'|"\s*,\s*"value"\s*:\s*"((?:[^"\\]|\\.)*+)'  # {"name": …, "value": …}
    rb'|\\+"\s*:\s*\\+"([^"\\]*+)'  # JSON in a string of JSON
    rb"|(?:%5B)?(?:%5D|\[?\])?=([^&\s\"'<>#;]++)"  # forms and queries
    rb"|\s{0,20}=\s{0,20}(?:\"([^\"\r\n]*+)|'([^'\r\n]*+))"  # attributes, programs
    rb"|[\"']\s[^<>]{0,200}?\b(?:value|content)\s{0,20}=\s{0,20}(?:\"([^\"]*+)|'([^']*+))"  # forms in HTML
    rb"|(?:\s[^<>]{0,200})?>\s{0,100}<!\[CDATA\[((?:[^\]]|\](?!\]>))*+)"  # XML
    rb"|(?:\s[^<>]{0,200})?>([^<>]++)(?=<|\Z)"
    rb"|'\s{0,20}:\s{0,20}'((?:[^'\\\r\n]|\\.)*+)"
    # Lines of a head, and of YAML
    rb"|:[ \t]{1,20}(?:basic|digest|negotiate|bearer)[ \t]{1,20}([^\s\"'\\,]++)"
    rb"|:[ \t]{1,20}([^\s\"'\\,<>(){}\[\]][^\r\n\"'\\,<>(){}\[\]]{0,4000}+)(?=[\r\n]|\Z)"
    rb")",
    re.IGNORECASE,
)
# A part of a multipart body whose head says the name: everything up to the next boundary.
_PART = re.compile(
    rb"^content-disposition:([^\r\n]*+)(?:\r?\n[^\r\n]++){0,8}+\r?\n\r?\n((?:[^\r\n]++|\r?\n(?!--)|\r(?!\n))*+)",
    re.IGNORECASE | re.MULTILINE,
)
_PART_NAME = re.compile(rb"\bname\s{0,9}=\s{0,9}\"?([^\";]{1,300})", re.IGNORECASE)

# A text that has to be there, and the expression; what matches without its group is passed over.
_BARE = (
    (b"jwt", b"eyJ", re.compile(rb"(eyJ[\w-]{5,}+\.[\w-]{4,}+\.[\w-]*+)|eyJ[\w-]*+")),
    (b"token", b"earer", re.compile(rb"earer\s{1,20}([A-Za-z0-9._~+/-]{8,}+=*)", re.IGNORECASE)),
    (b"password", b"://", re.compile(rb"://[^/\s:@\"'<>]{1,100}+:([^/\s@\"'<>]{1,200})@")),
    (b"key", b"gh", re.compile(rb"(gh[pousr]_[A-Za-z0-9]{20,})")),
    (b"key", b"xox", re.compile(rb"(xox[abprs]-[A-Za-z0-9-]{10,})")),
    (b"key", b"A", re.compile(rb"(AKIA[0-9A-Z]{16}|AIza[\w-]{35})")),
    (b"key", b"sk_", re.compile(rb"(sk_(?:live|test)_\w{10,})")),
)
_HEADER = re.compile(
    rb"(?:token|secret|password|passwd|credential|(?:^|[_-])(?:auth|session(?:[_-]?id)?)"
    rb"|(?:api|access|auth|secret|private|subscription|functions|master|admin|app|client)[_-]?key)s?$",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"([A-Za-z0-9_-]+)(: )(.*)")
_KINDS = (
    (b"pass", b"password"),
    (b"pwd", b"password"),
    (b"key", b"key"),
    (b"sess", b"session"),
    (b"cookie", b"cookie"),
    (b"authorization", b"token"),
)


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
        self.expressions: list[Pattern[bytes]] = []
        for rule in rules:
            what, colon, name = rule.partition(":")
            if what == "header" and colon:
                self.headers.add(_checked(name).lower())
            elif what == "field" and colon:
                names.append(re.escape(_checked(name).lower()))
            else:
                self.expressions.append(_expression(rule))
        names.sort(key=len, reverse=True)
        self.fields = re.compile(rb"(?<![\w-])(?:" + b"|".join(names) + b")") if names else None
        """The names, in lower case."""


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
        end = time.thread_time() + PATIENCE
        for pattern in self._rules.expressions:
            data = self._masked(data, _by_rule(pattern, data), end)
        if self._rules.fields is not None:
            data = self._masked(data, _fields(self._rules.fields, data), end)
        if b"form-data" in data:
            data = self._masked(data, _parts(data), end)
        data = self._masked(data, _fields(_WORDS, data), end)
        for kind, needed, bare in _BARE:
            if needed in data:
                data = self._masked(data, _by_itself(bare, kind, data), end)
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
        if name.endswith(b"authorization"):
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

    def _masked(self, data: bytes, spots: Iterator[_Spot | None], end: float) -> bytes:
        """With names in the spots, as far as there is time until `end`."""
        pieces: list[bytes] = []
        done = 0
        try:
            for spot in spots:
                if time.thread_time() > end:
                    return b"".join([*pieces, data[done : spot.start] if spot else b"", _NO_TIME])
                if spot is not None:
                    name = self._names.name(data[spot.start : spot.end], spot.kind)
                    pieces += [data[done : spot.start], spot.quote, name, spot.quote]
                    done = spot.end
        except TooSlow:
            return b"<a text that the rule of redact_rules is too slow for>"
        return b"".join([*pieces, data[done:]]) if pieces else data


class _Spot(NamedTuple):
    """A secret in a text."""

    start: int
    end: int
    kind: bytes
    quote: bytes = b""
    """What its name needs around it."""


# The spots in a text, in their order; None now and then, so that who asks can look at the clock.
_Spots = Iterator[_Spot | None]


def _fields(names: re.Pattern[bytes], data: bytes) -> _Spots:
    """What stands after the names of fields."""
    done = 0
    for name in names.finditer(data.lower()):
        found = _VALUE.match(data, name.end()) if name.start() >= done else None
        if found is None or found.lastindex is None:
            yield None
            continue
        start, done = found.span(found.lastindex)
        is_bare = found.lastgroup == "bare"
        is_list = is_bare and data[start : start + 1] == b"["
        yield _Spot(start + is_list, done, _kind(name[0]), b'"' if is_bare else b"")


def _parts(data: bytes) -> _Spots:
    """What is in the parts of a multipart body that have such names."""
    for part in _PART.finditer(data):
        name = _PART_NAME.search(part[1][:1000])
        word = _WORDS.search(name[1].lower()) if name is not None else None
        yield _Spot(*part.span(2), _kind(word[0])) if word is not None else None


def _by_itself(bare: re.Pattern[bytes], kind: bytes, data: bytes) -> _Spots:
    """What looks like a secret by itself."""
    for found in bare.finditer(data):
        yield _Spot(*found.span(1), kind) if found[1] is not None else None


def _by_rule(pattern: Pattern[bytes], data: bytes) -> _Spots:
    """What a rule of a user finds. TooSlow."""
    begin = 0
    while found := pattern.find(data[begin:]):
        if found.end() == 0:
            return
        start, end = found.span(1) if found.re.groups and found.start(1) >= 0 else found.span()
        yield _Spot(begin + start, begin + end, b"secret")
        begin += found.end()


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
