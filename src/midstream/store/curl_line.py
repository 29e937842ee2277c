r"""A `curl …` command line, as browsers and documentation offer it, read as a request. Nothing is executed or opened.

The composer of the console calls it. The words are split as a POSIX shell would split them, `$'…'` of bash included;
variables and substitutions stay text, but for the form in which our own exports write bytes. Options that only say how
curl behaves are passed over; what would read a file is refused, since the request would not be the one that was meant.
The opposite is `exports/curl.py`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote_plus

from midstream.flows.multipart import escaped, new_boundary
from midstream.text.backslashes import expand_bytes

LONGEST = 1024 * 1024
"""Characters of a command line that is read."""


# How our own exports write bytes that are no plain text (`exports/shell.py`): nothing but octal escapes.
_PRINTED = re.compile(r"\"\$\(printf '((?:[^'\\%]|\\[0-3][0-7]{2})*)'\)\"")


class CurlRequest(NamedTuple):
    """What a command line asks for. `ignored` are options that mean nothing here."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    ignored: list[str]


class BadCurl(ValueError):
    """A text that is no curl command, or one that cannot be read without its files."""


def looks_like_curl(text: str) -> bool:
    """Whether a pasted text begins as one."""
    return text.lstrip().removeprefix("$ ").startswith(("curl ", "curl.exe ", "curl\t"))


def read_curl(text: str) -> CurlRequest:
    """The request of a command line. BadCurl says what is wrong with it."""
    if len(text) > LONGEST:
        raise BadCurl(f"the curl command is longer than {LONGEST // 1024} kB")
    words = split_words(text.strip().removeprefix("$ "))
    if not words or words[0] not in ("curl", "curl.exe"):
        raise BadCurl("a curl command begins with curl")
    reader = _Reader()
    rest = iter(words[1:])
    for word in rest:
        reader.take(word, lambda: next(rest, None))
    return reader.result()


def split_words(text: str) -> list[str]:
    """Words as a POSIX shell makes them, up to the end of the command."""
    words: list[str] = []
    word: list[str] | None = None
    at = 0
    while at < len(text):
        character = text[at]
        if character in " \t\r\n":
            if word is not None:
                words.append("".join(word))
                word = None
            if character == "\n":
                break  # the next line is another command
            at += 1
            continue
        if text.startswith(("\\\n", "\\\r\n"), at):
            at = text.find("\n", at) + 1
            continue
        if word is None:
            if character == "#" or character in ";|&<>":
                break
            word = []
        elif character in ";|&<>":
            break
        piece, at = _piece(text, at)
        word.append(piece)
    if word is not None:
        words.append("".join(word))
    return words


def _piece(text: str, at: int) -> tuple[str, int]:
    character = text[at]
    if character == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise BadCurl(f"column {at + 1}: this ' is not closed")
        return text[at + 1 : end], end + 1
    if text.startswith("$'", at):
        return _ansi(text, at)
    if character == '"':
        return _double(text, at)
    if character == "\\":
        follower = text[at + 1 : at + 2]
        return follower, at + 2
    return character, at + 1


def _ansi(text: str, at: int) -> tuple[str, int]:
    end = at + 2
    while end < len(text) and text[end] != "'":
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        raise BadCurl(f"column {at + 1}: this $' is not closed")
    try:
        inner = _with_unicode(text[at + 2 : end])
        return expand_bytes(inner).decode("utf-8", "surrogateescape"), end + 1
    except ValueError as error:
        raise BadCurl(f"column {at + 1}: {error}") from None


def _with_unicode(text: str) -> str:
    r"""`\uNNNN` as the character, which `expand_bytes` does not know."""
    parts = text.split("\\u")
    made = [parts[0]]
    for part in parts[1:]:
        digits = part[:4]
        is_escape = len(digits) == 4 and all(each in "0123456789abcdefABCDEF" for each in digits)
        escaped_before = (len(made[-1]) - len(made[-1].rstrip("\\"))) % 2
        made.append(chr(int(digits, 16)) + part[4:] if is_escape and not escaped_before else "\\u" + part)
    joined = "".join(made)
    # Two halves of a pair are one character.
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _double(text: str, at: int) -> tuple[str, int]:
    if printed := _PRINTED.match(text, at):
        return expand_bytes(printed[1]).decode("utf-8", "surrogateescape"), printed.end()
    made, end = [], at + 1
    while end < len(text) and text[end] != '"':
        if text[end] == "\\" and text[end + 1 : end + 2] in ('"', "\\", "$", "`", "\n"):
            made.append("" if text[end + 1] == "\n" else text[end + 1])
            end += 2
        else:
            made.append(text[end])
            end += 1
    if end >= len(text):
        raise BadCurl(f'column {at + 1}: this " is not closed')
    return "".join(made), end + 1


class _Reader:
    def __init__(self) -> None:
        self.method = ""
        self.urls: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.data: list[bytes] = []
        self.form: list[tuple[str, str]] = []
        self.is_json = self.is_get = self.is_head = self.is_compressed = False
        self.user = ""
        self.ignored: list[str] = []

    def take(self, word: str, following: Callable[[], str | None]) -> None:
        """One word, and what belongs to it."""
        if not word.startswith("-") or word == "-":
            self.urls.append(word)
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            self._long(name[2:], value if equals else None, following)
        else:
            self._short(word[1:], following)

    def _short(self, letters: str, following: Callable[[], str | None]) -> None:
        for at, letter in enumerate(letters):
            name = _LETTERS.get(letter)
            if name is None:
                self.ignored.append(f"-{letter}")
            elif name in _WITH_VALUE or name in _PASSED_WITH_VALUE:
                self._long(name, letters[at + 1 :] or None, following)
                return
            else:
                self._long(name, None, following)

    def _long(self, name: str, value: str | None, following: Callable[[], str | None]) -> None:
        if name in _FLAGS:
            _FLAGS[name](self)
            return
        if name in _WITH_VALUE or name in _PASSED_WITH_VALUE:
            if value is None and (value := following()) is None:
                raise BadCurl(f"--{name} needs a value behind it")
            if name in _WITH_VALUE:
                _WITH_VALUE[name](self, value)
                return
        self.ignored.append(f"--{name}")

    def header(self, value: str) -> None:
        name, colon, content = value.partition(":")
        if value.startswith("@"):
            raise BadCurl(f"-H {value}: files are not read here; paste the headers themselves")
        if colon and content.strip():
            self.headers.append((name.strip(), content.strip()))
        elif not colon and value.endswith(";"):
            self.headers.append((value[:-1].strip(), ""))  # as curl does it: a header without a value

    def add_data(self, value: str, *, may_be_file: bool = True, strip: bool = False) -> None:
        if may_be_file and value.startswith("@"):
            raise BadCurl(f"-d {value}: files are not read here; paste the body itself")
        if strip:
            value = value.replace("\r", "").replace("\n", "")
        self.data.append(value.encode("utf-8", "surrogateescape"))

    def urlencode(self, value: str) -> None:
        name, equals, content = value.partition("=")
        if not equals and "@" in value:
            raise BadCurl(f"--data-urlencode {value}: files are not read here; paste the value itself")
        name, content = (name, content) if equals else ("", value)
        quoted = quote_plus(content, errors="surrogateescape")
        self.data.append((f"{name}={quoted}" if name else quoted).encode())

    def add_form(self, value: str) -> None:
        name, equals, content = value.partition("=")
        if not equals:
            raise BadCurl(f"-F {value}: a field is name=value")
        if content.startswith(("@", "<")):
            raise BadCurl(f"-F {value}: files are not read here; paste the value itself")
        self.form.append((name, content))

    def cookie(self, value: str) -> None:
        if "=" not in value:
            raise BadCurl(f"-b {value}: files are not read here; paste the cookies themselves")
        self.headers.append(("Cookie", value))

    def refuse_file(self, value: str) -> None:
        raise BadCurl(f"-T {value}: files are not read here; paste the body with --data-binary")

    def add_json(self, value: str) -> None:
        self.is_json = True
        self.add_data(value)

    def result(self) -> CurlRequest:
        if not self.urls:
            raise BadCurl("the curl command names no URL")
        url = self.urls[0] if "://" in self.urls[0] else f"http://{self.urls[0]}"
        self.ignored += self.urls[1:]
        body = (b"" if self.is_json else b"&").join(self.data)
        if self.is_get and body:
            url += ("&" if "?" in url else "?") + body.decode("utf-8", "surrogateescape")
            body = b""
        has_body = bool(self.data) and not self.is_get
        if self.form:
            body, boundary = _multipart(self.form)
            self._default("Content-Type", f"multipart/form-data; boundary={boundary}")
        elif self.is_json:
            self._default("Content-Type", "application/json")
            self._default("Accept", "application/json")
        elif has_body:
            self._default("Content-Type", "application/x-www-form-urlencoded")
        if self.is_compressed:  # a header of its own, also a later one, wins, as in curl
            self._default("Accept-Encoding", "deflate, gzip, br, zstd")
        if self.user:
            token = base64.b64encode(self.user.encode("utf-8", "surrogateescape")).decode("ascii")
            self._default("Authorization", f"Basic {token}")
        method = self.method or ("HEAD" if self.is_head else "POST" if self.form or has_body else "GET")
        return CurlRequest(method, url, self.headers, body, self.ignored)

    def _default(self, name: str, value: str) -> None:
        if all(have.lower() != name.lower() for have, _ in self.headers):
            self.headers.append((name, value))


def _multipart(fields: list[tuple[str, str]]) -> tuple[bytes, str]:
    boundary = new_boundary()
    parts = []
    for name, value in fields:
        head = b'Content-Disposition: form-data; name="%b"' % escaped(name.encode("utf-8", "surrogateescape"))
        parts.append(b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), head, value.encode("utf-8", "surrogateescape")))
    return b"".join(parts) + b"--%b--\r\n" % boundary.encode(), boundary


def _set(name: str) -> Callable[[_Reader], None]:
    return lambda reader: setattr(reader, name, True)


_FLAGS: dict[str, Callable[[_Reader], None]] = {
    "get": _set("is_get"),
    "head": _set("is_head"),
    "compressed": _set("is_compressed"),
}
_WITH_VALUE: dict[str, Callable[[_Reader, str], None]] = {
    "request": lambda reader, value: setattr(reader, "method", value),
    "url": lambda reader, value: reader.urls.append(value),
    "header": _Reader.header,
    "data": lambda reader, value: reader.add_data(value, strip=True),
    "data-ascii": lambda reader, value: reader.add_data(value, strip=True),
    "data-binary": _Reader.add_data,
    "data-raw": lambda reader, value: reader.add_data(value, may_be_file=False),
    "data-urlencode": _Reader.urlencode,
    "json": _Reader.add_json,
    "form": _Reader.add_form,
    "form-string": lambda reader, value: reader.form.append((value.partition("=")[0], value.partition("=")[2])),
    "user": lambda reader, value: setattr(reader, "user", value),
    "user-agent": lambda reader, value: reader.headers.append(("User-Agent", value)),
    "referer": lambda reader, value: reader.headers.append(("Referer", value)),
    "cookie": _Reader.cookie,
    "range": lambda reader, value: reader.headers.append(("Range", f"bytes={value}")),
    "upload-file": _Reader.refuse_file,
    "oauth2-bearer": lambda reader, value: reader._default("Authorization", f"Bearer {value}"),
}
_PASSED_WITH_VALUE = frozenset(
    [
        *("output", "proxy", "max-time", "connect-timeout", "write-out", "cookie-jar", "cacert", "cert", "key"),
        *("resolve", "interface", "retry", "retry-delay", "limit-rate", "ciphers", "tls-max", "max-redirs", "config"),
        *("dump-header", "proxy-user", "noproxy", "connect-to", "trace", "trace-ascii", "netrc-file"),
    ]
)
"""Options whose value must not be taken for a URL."""
_LETTERS = {
    "X": "request",
    "H": "header",
    "d": "data",
    "F": "form",
    "u": "user",
    "A": "user-agent",
    "e": "referer",
    "b": "cookie",
    "G": "get",
    "I": "head",
    "o": "output",
    "x": "proxy",
    "m": "max-time",
    "w": "write-out",
    "c": "cookie-jar",
    "E": "cert",
    "r": "range",
    "K": "config",
    "T": "upload-file",
    "D": "dump-header",
    "U": "proxy-user",
}
