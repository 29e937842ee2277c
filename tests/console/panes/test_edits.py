"""The edits tab: who changed what, as a diff; there only when something was."""

from midstream.console.panes.detail import Detail
from midstream.console.panes.edits_text import edits_pieces
from midstream.flows.change import Change
from midstream.flows.flow import Flow
from midstream.flows.parts import differences, snapshot
from tests.kit.captured import START, http_flow
from tests.kit.fake_console import FakeConsole, roles, screen


def changed(flow: Flow, who: str, during: str, change: object) -> None:
    before = snapshot(flow)
    change()  # type: ignore[operator]
    flow.note_change(Change(who, during, differences(flow, before, snapshot(flow)), START))


def test_changes_are_shown_as_a_diff(console: FakeConsole) -> None:
    pane = Detail(console)  # type: ignore[arg-type]
    pane.clock = lambda: START + 4
    flow = http_flow("http://a.test/", request_headers=((b"cookie", b"secret"),), request_body=b"one\ntwo\nthree")
    console.add(flow)
    assert "Edits" not in pane.tabs()

    def fields() -> None:
        flow.request.headers.fields = ((b"x-new", "1\u202e".encode()),)

    changed(flow, "redact.py", "request", fields)
    changed(flow, "you", "edit", lambda: setattr(flow.request, "raw_content", b"one\n2\nthree"))
    flow.changes[-1].undone = True
    pane.show_tab("Edits")
    shown = "\n".join(screen(pane, 80, 18))
    for line in (
        "[Edits 2]",
        " 1  22:13:20  header changed  redact.py  request",
        "  - cookie: secret",
        "  + x-new: 1<202E>",
        " 2  22:13:20  body changed  you  edit",
        ", undone",
        "  - two",
        "  + 2",
    ):
        assert line in shown, shown
    assert {"edit.before", "edit.after"} <= {role for row in roles(pane, 80, 18) for role, _ in row}


def test_many_large_changes_are_shown_at_once(console: FakeConsole) -> None:
    flow = http_flow("http://a.test/")
    for number in range(200):
        changed(flow, "script.py", "response", lambda: setattr(flow.response, "raw_content", bytes([number]) * 500_000))  # noqa: B023
    for number in range(20):
        changed(flow, "script.py", "request", lambda: setattr(flow.request, "path", f"/{number}"))  # noqa: B023
    pieces = ["".join(text for _, text in (*piece.prefix, *piece.runs)) for piece in edits_pieces(flow)[0]]
    assert len(pieces) < 1000
    assert "earlier changes; flow.changes lists them" in pieces[2]
    assert any("… 500,000 bytes" in piece for piece in pieces)
    assert pieces[-2].endswith("+ /19")
