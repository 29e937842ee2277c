"""Several flows as one text in an export format, and flows without the parts that their owner wants to keep.

Called by the addon `export` and by the console's export dialog. One flow alone: formats.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from midstream import __version__
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.store.exports.formats import REQUESTS, prepared
from midstream.store.exports.outgoing import CannotExport, request_of
from midstream.store.formats.har_write import har_pieces

HEADERS_OF: dict[str, tuple[str, ...]] = {
    "cookies": ("cookie", "set-cookie"),
    "authorization": ("authorization", "proxy-authorization"),
}
"""Parts that can be left out, and the headers that they are."""

SUFFIXES = {
    "curl": ".sh",
    "httpie": ".sh",
    "wget": ".sh",
    "python": ".py",
    "powershell": ".ps1",
    "http_file": ".http",
    "har": ".har",
}
"""How files of the formats are called; the others are `.txt`."""

_BETWEEN = {"http_file": b"\n\n###\n\n", "raw": b"\r\n\r\n", "raw_request": b"\r\n\r\n", "raw_response": b"\r\n\r\n"}


def without(flow: Flow, parts: Collection[str]) -> Flow:
    """The flow, or a copy of it that lacks these parts; other names of parts mean nothing here."""
    names = [name for part in parts for name in HEADERS_OF.get(part, ())]
    if not names or not isinstance(flow, HTTPFlow):
        return flow
    less = flow.copy()
    for message in (less.request, less.response):
        for name in names:
            if message is not None and name in message.headers:
                del message.headers[name]
    return less


def formats_for(flows: Sequence[Flow], names: Sequence[str]) -> list[str]:
    """Which of the formats can express at least one of the flows."""
    if not any(isinstance(flow, HTTPFlow) for flow in flows):
        return []
    has_response = any(isinstance(flow, HTTPFlow) and flow.response is not None for flow in flows)
    return [name for name in names if name != "raw_response" or has_response]


class Several:
    """Flows that become one text: `add` each, then `write`, also in a thread. `refused`: why how many are not in it.

    CannotExport if that would be all of them.
    """

    def __init__(self, name: str, keep_address: bool = False) -> None:
        self._name = name
        self._keep_address = keep_address
        self._writers: list[Callable[[], bytes]] = []
        self._stills: list[Flow] = []  # of a HAR file, which is one document
        self.refused: dict[str, int] = {}

    def add(self, flow: Flow) -> None:
        """One more; it is not looked at afterwards."""
        try:
            if self._name == "har":
                request_of(flow)
                self._stills.append(flow.copy())
            else:
                self._writers.append(prepared(self._name, flow, self._keep_address))
        except CannotExport as error:
            self._refuse(error)

    def write(self) -> bytes:
        """The text."""
        if self._stills:
            return b"".join(har_pieces(self._stills, __version__))
        texts = []
        for write in self._writers:
            try:
                texts.append(write())
            except CannotExport as error:
                self._refuse(error)
        if not texts:
            raise CannotExport(next(iter(self.refused), "there is no flow to export"))
        return _BETWEEN.get(self._name, b"\n\n" if self._name in REQUESTS else b"\n").join(texts)

    def _refuse(self, error: CannotExport) -> None:
        self.refused[str(error)] = self.refused.get(str(error), 0) + 1
