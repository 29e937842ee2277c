"""What the detail pane shows of a flow, tab by tab: title, tabs, and the pieces above a body."""

from __future__ import annotations

from typing import NamedTuple

from midstream.console.panes.event_stream import is_event_stream
from midstream.console.panes.facts import blank, facts, header_facts, heading, sentence
from midstream.console.panes.failure_words import is_fault
from midstream.console.panes.replay_links import ReplayLinks
from midstream.console.widgets.body_viewer import Body
from midstream.console.widgets.canvas import Run
from midstream.console.widgets.pieces import Piece
from midstream.flows.dns import DNSFlow, DNSMessage, Question, ResourceRecord, classes, op_codes, response_codes, types
from midstream.flows.elsewhere import conversation_of, is_unread
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message, Request
from midstream.store.rows import Row
from midstream.text.escape import visible, visible_bytes
from midstream.text.times import human_duration
from midstream.text.url import hostport

_MOST_RECORDS = 500
_SHORT = 4  # letters of a tab where there is little room
_DNSSEC_OK = 0x8000  # RFC 6891 §6.1.4
_DNS_FLAGS = ("authoritative_answer", "truncation", "recursion_desired", "recursion_available")

_SEARCHED_BESIDE = 256 * 1024  # bytes of a body that is made ready at once

REQUEST, RESPONSE, MESSAGES = "Request", "Response", "Messages"
TIMING, CONNECTION, EDITS = "Timing", "Connection", "Edits"


def tabs_of(flow: Flow) -> list[str]:
    """The tabs that a flow has, in order."""
    last = [TIMING, CONNECTION, *([EDITS] if flow.changes else [])]
    if isinstance(flow, HTTPFlow):
        has_messages = flow.websocket is not None or is_event_stream(flow)
        return [REQUEST, RESPONSE, *([MESSAGES] if has_messages else []), *last]
    if hasattr(flow, "messages"):
        return [MESSAGES, *last]
    return [REQUEST, RESPONSE, *last]


def searched_beside(flow: Flow, tab: str) -> str:
    """The tab to go on in with a search that finds nothing here; "" when there is none, or a large body."""
    other = {REQUEST: RESPONSE, RESPONSE: REQUEST}.get(tab, "")
    message = getattr(flow, other.lower(), None)
    size = len(message.held_content or b"") if isinstance(message, Message) else 0
    return other if message is not None and size <= _SEARCHED_BESIDE else ""


def has_messages(flow: Flow) -> bool:
    """Whether it is a conversation."""
    return flow.websocket is not None if isinstance(flow, HTTPFlow) else hasattr(flow, "messages")


def messages_of(flow: Flow) -> list[object]:
    """The messages behind the tab of that name."""
    found = flow.websocket if isinstance(flow, HTTPFlow) else flow
    return getattr(found, "messages", [])


def message_count(flow: Flow) -> int:
    """How many there are, read or not."""
    owner = conversation_of(flow)
    return 0 if owner is None else len(owner.held_messages)


def title_runs(flow: Flow, row: Row | None, now: float) -> list[Run]:
    """The first row of the pane: number, what the flow is, and what holds it."""
    runs: list[Run] = [("dim", f" {row.number}  " if row is not None else " ")]
    if isinstance(flow, HTTPFlow):
        runs += [
            ("method", visible_bytes(flow.request.raw_method)),
            ("strong", " " + visible(flow.request.pretty_url[:4096])),
        ]
    elif isinstance(flow, DNSFlow) and flow.request.questions:
        asked = flow.request.questions[0]
        name = ("strong", f" {visible(asked.name or '.')}")
        runs += [("method.other", "DNS"), name, ("text", f"  {visible(_dns_kind(asked))}")]
    else:
        address = flow.server_conn.address
        where = hostport("", address[0], address[1]) if address else ""
        runs += [("method.other", flow.type.upper()), ("strong", " " + visible(where))]
    return runs


def state_runs(flow: Flow, now: float) -> list[Run]:
    """Held, failed, in flight: what stands at the right of the title."""
    if flow.intercepted:
        held = held_tab(flow)
        waited = human_duration(max(now - _held_from(flow, held), 0.0))
        return [("held", f"‖ held at {held.lower().removesuffix('s')} {waited} ")]
    age = human_duration(now - flow.timestamp_start)
    if flow.error is not None:
        return [("failed", "! failed ")] if _has_failed(flow) else [("dim", "closed by the client ")]
    if not flow.live:
        return []
    if MESSAGES in tabs_of(flow):
        return [("live", f"… open {age} ")]
    return [("live", f"… {'in flight' if getattr(flow, 'response', None) is None else 'receiving'} {age} ")]


def replay_runs(flow: Flow, links: ReplayLinks) -> list[Run]:
    """That it is a replay, and of which row; and which rows repeat it: what stands left of its state."""
    runs: list[Run] = []
    if flow.is_replay:
        parent = links.parent(flow)
        of = f" of {links.number(parent)}" if parent is not None else ""
        runs.append(("replayed", f"R {'answer replayed' if flow.is_replay == 'response' else f'replay{of}'} "))
    if children := links.children(flow):
        shown = ", ".join(str(links.number(child)) for child in children[-3:])
        more = "… " if len(children) > 3 else ""
        runs.append(("replayed", f"R replayed as {more}{shown} "))
    return runs


def held_tab(flow: Flow) -> str:
    """The tab of what is held; of a conversation it is the last message."""
    if message_count(flow):
        return MESSAGES
    return RESPONSE if getattr(flow, "response", None) is not None else REQUEST


def _held_from(flow: Flow, tab: str) -> float:
    """When what is held began to wait: a message when it came, a head or body when its last byte did."""
    if tab == MESSAGES:
        return float(getattr(messages_of(flow)[-1], "timestamp", flow.timestamp_start))
    part = getattr(flow, tab.lower(), None)
    end = getattr(part, "timestamp_end", None)
    return float(end or getattr(part, "timestamp_start", None) or flow.timestamp_start)


def tab_runs(
    flow: Flow, tabs: list[str], current: str, count: int, short: bool = False
) -> tuple[list[Run], list[tuple[int, int, str]]]:
    """The row of tabs, and which cells belong to which for the mouse. `count` messages are in the tab of that name;
    `short` where there is little room.
    """
    runs: list[Run] = [("text", " ")]
    places: list[tuple[int, int, str]] = []
    at = 1
    held = held_tab(flow) if flow.intercepted else ""
    for number, name in enumerate(tabs):
        if number:
            runs.append(("border", "|"))
            at += 1
        words = "Events" if name == MESSAGES and is_event_stream(flow) else name
        if short:
            words = words[:_SHORT]
        if name == MESSAGES and (count or words[0] == "M"):
            words += f" {count:,}"
        elif name == EDITS:
            words += f" {len(flow.changes)}"
        label = f" {words}{'*' if name == held else ''} "
        # Brackets as well as colour: without colour the shown tab must be seen too.
        if name == current:
            label = f"[{label[1:-1]}]"
        runs.append(("tab.on" if name == current else "tab", label))
        places.append((at, at + len(label) - 1, name))
        at += len(label)
    return runs, places


class Shape(NamedTuple):
    """How headers are shown: in how many cells, long values folded or not, or only how many there are."""

    columns: int
    folded: bool = True
    collapsed: bool = False


def request_pieces(flow: HTTPFlow, shape: Shape) -> list[Piece]:
    """Start line and headers of the request."""
    request = flow.request
    line: list[Run] = [
        ("method", visible_bytes(request.raw_method)),
        ("text", " " + visible(request.pretty_url[:4096])),
        ("dim", " " + visible(request.http_version)),
    ]
    return [*_trouble(flow), Piece((), line), blank(), *_headers(request, shape)]


def response_pieces(flow: HTTPFlow, shape: Shape) -> list[Piece]:
    """Status line and headers of the response, or why there is none."""
    response = flow.response
    if response is None:
        return [*_trouble(flow), *_no_response(flow)]
    family = response.status_code // 100
    role = f"status.{family}xx" if 1 <= family <= 5 else "status.5xx"
    line: list[Run] = [
        ("dim", visible(response.http_version) + " "),
        (role, f"{response.status_code} {visible(response.reason[:1000])}"),
    ]
    return [*_trouble(flow), Piece((), line), blank(), *_headers(response, shape)]


def trailer_pieces(message: Message, shape: Shape) -> list[Piece]:
    """The fields behind the body."""
    if not message.trailers:
        return []
    fields = message.trailers.fields
    return [blank(), heading(f"▾ Trailers {len(fields)}"), *header_facts(fields, shape.columns, shape.folded)[0]]


def body_of(message: Message) -> Body:
    """The raw body and what says how to read it."""
    headers, held = message.headers, message.held_content
    kind, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
    if is_unread(held):
        return Body(b"", kind, encoding, coming=len(held))
    raw = message.raw_content
    target = message.data.path if raw == b"" and isinstance(message, Request) else b""
    return Body(raw, kind, encoding, target)


def body_sentences(message: Message, flow: HTTPFlow, part: str) -> list[Piece]:
    """What has to be said of a body that is not there as it was sent."""
    if message.held_content is None:
        if flow.live and message.timestamp_end is None:
            return [sentence("The body passes through as it comes and is not kept.", "live")]
        words = "The body was streamed: it passed through and was not kept."
        return [sentence(words, "dim"), sentence("To keep such bodies: set store_streamed_bodies true", "dim")]
    if cut := flow.metadata.get(f"{part}_body_cut"):
        return [sentence(f"Only a part of the body was kept: {str(cut)[:200]}.", "edited")]
    if not message.held_content and flow.live and message.timestamp_end is None:
        return [sentence("Nothing of the body has come yet.", "live")]
    return []


def dns_pieces(flow: Flow, tab: str) -> list[Piece]:
    """A DNS message: what it says of itself, its questions and its records."""
    message = getattr(flow, tab.lower(), None)
    if not isinstance(message, DNSMessage):
        return [*_trouble(flow), sentence("no answer yet" if flow.live else "no answer", "dim")]
    flags = [name.replace("_", " ") for name in _DNS_FLAGS if getattr(message, name)]
    says = op_codes.to_str(message.op_code) if message.query else response_codes.to_str(message.response_code)
    pieces = [*_trouble(flow), *facts([(says, ", ".join(flags))]), blank()]
    if message.questions:
        asked = ((one.name or ".", _dns_kind(one)) for one in message.questions[:_MOST_RECORDS])
        pieces += [heading(f"Questions {len(message.questions)}"), *facts(asked), blank()]
    for title in ("answers", "authorities", "additionals"):
        records: list[ResourceRecord] = getattr(message, title)
        if records:
            rows = (_record(one) for one in records[:_MOST_RECORDS])
            pieces += [heading(f"{title.capitalize()} {len(records)}"), *facts(rows), blank()]
    return pieces


def _record(record: ResourceRecord) -> tuple[str, str]:
    """A record as people read it; the one of EDNS carries other things where the rest have class and lifetime."""
    if record.type != types.OPT:
        return record.name or ".", f"{_dns_kind(record)}  {record.ttl} s  {record}"
    says = f"answers of up to {record.class_:,} bytes by UDP"
    if record.ttl & _DNSSEC_OK:
        says += ", with DNSSEC"
    return "EDNS", f"{says}, options {record}" if record.data else says


def messages_sentence(flow: Flow) -> list[Piece]:
    """What stands in place of messages when there are none."""
    return [*_trouble(flow), sentence("No messages yet." if flow.live else "No messages were sent.", "dim")]


def _dns_kind(entry: Question | ResourceRecord) -> str:
    """The type, and the class unless it is the one of the Internet."""
    kind = types.to_str(entry.type)
    return kind if entry.class_ == classes.IN else f"{kind} {classes.to_str(entry.class_)}"


def is_headers_heading(piece: Piece) -> bool:
    """Whether a line is the one above the headers."""
    return bool(piece.runs) and piece.runs[0][0] == "title" and piece.runs[0][1][2:].startswith("Headers")


def _headers(message: Message, shape: Shape) -> list[Piece]:
    fields = message.headers.fields
    if shape.collapsed:
        return [heading(f"▸ Headers {len(fields)}", "enter opens"), blank()]
    shown, count = header_facts(fields, shape.columns, shape.folded)
    return [heading(f"▾ Headers {len(fields)}", f"f unfolds {count}" if count else ""), *shown, blank()]


def _trouble(flow: Flow) -> list[Piece]:
    pieces = []
    if flow.error is not None and _has_failed(flow):
        pieces.append(Piece([("failed", "! ")], [("failed", visible(flow.error.msg))], words=True))
    if flow.comment:
        pieces.append(Piece([("dim", "; ")], [("strong", visible(flow.comment[:4096]))], words=True))
    return [*pieces, blank()] if pieces else []


def _has_failed(flow: Flow) -> bool:
    reason = flow.error.msg if flow.error is not None else ""
    return is_fault(reason, "text/event-stream" if is_event_stream(flow) else "")


def _no_response(flow: HTTPFlow) -> list[Piece]:
    if flow.intercepted:
        return [
            sentence("The request is held: the server has not seen it yet."),
            sentence("a resume   e edit   X kill"),
        ]
    if flow.live:
        return [sentence("No response yet.", "live")]
    return [sentence("There is no response.", "dim")]
