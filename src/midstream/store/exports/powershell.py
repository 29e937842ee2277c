"""The format `powershell`: a line of Invoke-WebRequest (PowerShell 7.4 or newer) that sends the same request.

Values stand in single quotes, in which PowerShell expands nothing; what is more than printable ASCII comes as base64.
.NET decides about the order of the fields. It takes one field of each name, in ASCII; others are refused.
"""

from __future__ import annotations

import base64

from midstream.store.exports.outgoing import CannotExport, Outgoing

_STANDARD = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"OPTIONS", b"PATCH")
_VERSIONS = {b"HTTP/1.0": "1.0", b"HTTP/1.1": "1.1"}


def powershell(request: Outgoing) -> str:
    """The line. CannotExport for what PowerShell cannot send."""
    if not request.target.startswith(b"/") or b"#" in request.target or not _is_printable(request.target):
        raise CannotExport("PowerShell cannot send this path as it is; export as curl")
    url = _quoted((request.origin.encode("ascii") + request.target).decode("ascii"))
    words = ["Invoke-WebRequest", "-Uri", url, *_method(request.method)]
    words += ["-HttpVersion", _VERSIONS.get(request.version, "2.0"), "-MaximumRedirection", "0"]
    words += ["-SkipHttpErrorCheck", "-SkipHeaderValidation"]
    fields = list(request.without(b"content-length", b"content-type", b"user-agent", b"transfer-encoding"))
    fields = [pair for pair in fields if pair[0].lower() != b"host" or pair[1] != request.own_authority]
    if request.authority not in (b"", request.own_authority):
        fields.insert(0, (b"Host", request.authority))
    pairs = [f"{_field(name, name)} = {_field(name, value)}" for name, value in _single(fields)]
    if pairs:
        words += ["-Headers", f"@{{ {'; '.join(pairs)} }}"]
    for name, value in _single([pair for pair in request.fields if pair[0].lower() == b"content-type"]):
        words += ["-ContentType", _field(name, value)]
    agents = _single([pair for pair in request.fields if pair[0].lower() == b"user-agent"])
    words += ["-UserAgent", _field(*agents[0]) if agents else "''"]
    if request.is_chunked:
        words += ["-TransferEncoding", "chunked"]
    if request.body:
        encoded = base64.b64encode(request.body).decode("ascii")
        words += ["-Body", f"([Convert]::FromBase64String('{encoded}'))"]
    return " ".join(words)


def _method(method: bytes) -> list[str]:
    name = _quoted(method.decode("ascii"))
    return ["-Method", name] if method in _STANDARD else ["-CustomMethod", name]


def _single(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    names = [name.lower() for name, _ in fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        shown = twice.decode("ascii")
        raise CannotExport(f"PowerShell sends one header of each name, and {shown} is there twice; export as curl")
    return fields


def _field(name: bytes, value: bytes) -> str:
    if not _is_printable(value):
        raise CannotExport(
            f"the header {name.decode('ascii')} is not plain ASCII, which PowerShell cannot send; export as curl"
        )
    return _quoted(value.decode("ascii"))


def _is_printable(data: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in data)


def _quoted(text: str) -> str:
    """A string of printable ASCII. The only character with a meaning is the quote; the curved ones of Unicode, which
    mean the same to PowerShell, are not among them.
    """
    return "'" + text.replace("'", "''") + "'"
