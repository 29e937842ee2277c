"""The format `http_file`: a `.http` file for the REST clients of VS Code, JetBrains and Visual Studio.

These read more into a file than a request: variables, files to include, scripts to run, files to write the answer to.
There is no way to write such text plainly, so whatever looks like it is refused, but in the URL, where percent escapes
say the same. They add headers of their own, and end lines of the body as they like.
"""

from __future__ import annotations

import re

from midstream.store.exports.outgoing import CannotExport, Outgoing
from midstream.text.escape import visible

_ESCAPED_IN_URL = re.compile(rb"[^A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]-]")
# What begins a line and is no text: the next request, comments, `< file`, `<@ file`, `<> file`, `< {% script %}`,
# `> file`, `> {% script %}`, `>> file`, VS Code's `@name = value`, and httpYac's `?? js condition`.
_DIRECTIVE = re.compile(r"^[^\S\n]*(?:#|//|<\s|<@|<>|<\{|>|\?\?|@[^\s=]+\s*=)", re.MULTILINE)
_VARIABLE = re.compile(r"\{\{|\{%")
_VERSIONS = {b"HTTP/1.0": "HTTP/1.0", b"HTTP/1.1": "HTTP/1.1"}


def http_file(request: Outgoing) -> str:
    """The file. CannotExport for what could be read as more than a request."""
    if not request.target.startswith(b"/"):
        raise CannotExport("a .http file cannot hold this path; export as curl")
    method = request.method.decode("ascii")
    if not re.fullmatch(r"[A-Z][A-Z-]*", method):
        raise CannotExport(f"a .http file cannot hold the method {method!r}; export as curl")
    target = _ESCAPED_IN_URL.sub(lambda found: b"%%%02X" % found[0][0], request.target).decode("ascii")
    lines = [f"{method} {request.origin}{target} {_VERSIONS.get(request.version, 'HTTP/2')}"]
    fields = list(request.without(b"content-length"))
    if request.authority not in (b"", request.own_authority):
        fields.insert(0, (b"Host", request.authority))
    lines += [_field(name, value) for name, value in fields if not _is_own(request, name, value)]
    body = _body(request.body)
    return "\n".join([*lines, "", body] if body else [*lines, ""])


def _is_own(request: Outgoing, name: bytes, value: bytes) -> bool:
    return name.lower() == b"host" and value == request.own_authority


def _field(name: bytes, value: bytes) -> str:
    shown = name.decode("ascii")
    text = _text(value, f"the header {shown}")
    if _VARIABLE.search(text) or shown.startswith(("#", "&")):
        raise CannotExport(f"the header {shown} holds what a .http file takes for something else; export as curl")
    return f"{shown}: {text}"


def _body(data: bytes) -> str:
    text = _text(data, "the body")
    if _VARIABLE.search(text) or _DIRECTIVE.search(text):
        raise CannotExport(
            "the body holds what a .http file takes for a variable, a comment, a script or the name of a file; use curl"
        )
    if text and not text.strip():
        raise CannotExport("the body is nothing but white space, which a .http file cannot hold; export as curl")
    return text


def _text(data: bytes, what: str) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if visible(text.replace("\r\n", "\n"), keep_newlines=True) != text.replace("\r\n", "\n"):
        raise CannotExport(f"{what} is not plain text, which is all that a .http file can hold; export as curl")
    return text
