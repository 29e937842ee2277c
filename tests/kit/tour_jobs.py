"""The fourteen jobs of console.md §11: the keys, what must come of them, and what the tour says about it.

`docs/make_tour.py` makes docs/tour.md from them, `tests/end2end/test_tour.py` plays each: what the tour shows has
really happened, and its key counts are those of the keys that were sent. What is sent by `stage.program` counts
nothing: in §11 the flow is focused already, or held.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from midstream.flows.http import HTTPFlow
from midstream.store.formats.native import read_flows_from_paths
from tests.kit.tour_stage import Sent, Stage

ITEM = ("-H", "Content-Type: application/json", "-d", '{"sku": "A-1009", "qty": 2}')
ITEMS = "https://api.example/v2/cart/items"
CART = "https://api.example/v2/cart?currency=EUR"


@dataclass(frozen=True)
class Job:
    """`promised` is what §11 says of midstream, `theirs` what it says of mitmproxy 12; the docstring of `play` is
    text."""

    name: str
    promised: str
    theirs: str
    play: Callable[[Stage], None]

    @property
    def words(self) -> str:
        """What the tour says about it."""
        return re.sub(r"\s*\n\s*", " ", self.play.__doc__ or "").strip()


JOBS: list[Job] = []


def job(name: str, promised: str, theirs: str) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """The function that follows plays this job."""

    def add(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        JOBS.append(Job(name, promised, theirs, play))
        return play

    return add


def count(sent: list[Sent]) -> str:
    """How much was typed, in the words of §11: single keys, and what depends on the case."""
    words = [str(sum(not each.kind for each in sent))]
    for kind in dict.fromkeys(each.kind for each in sent if each.kind):
        letters = next(each.keys for each in sent if each.kind == kind)
        words.append(f"{len(letters)} letters" if kind == "letters" else kind)
    return "+".join(words)


def counts(stage: Stage) -> str:
    """The same of each way that the job was done in."""
    return " / ".join(count(way) for way in stage.ways)


# -- filtering ------------------------------------------------------------------------------------------------------


@job("Filter", "2+t", "2+t, blind")
def filter_the_list(stage: Stage) -> None:
    """The list narrows with each letter; `enter` keeps the filter, `esc` would bring the old list back. A filter that
    is not complete yet says where it stops, and the last good list stays."""
    stage.press("f")
    stage.write("~m POST | ~t html")
    stage.see("3 of 8 flows")
    assert "theme.css" not in stage.program.text, "the list is narrow before enter"
    stage.shot("While you type, before `enter`:")
    stage.press("<enter>")
    stage.see("all 8 > ~m POST | ~t html 3")
    stage.finish(stage.curl("https://cdn.example/theme.css"))
    stage.finish(stage.curl("https://shop.example/"))
    stage.see("~m POST | ~t html 4")
    saved = _saved(stage, "@shown")
    assert [flow.request.path for flow in saved] == ["/", "/v2/login", "/logo.svg", "/"]


@job("Drop the filter", "1", "2+old t")
def drop_the_filter(stage: Stage) -> None:
    """Filters lie on each other, as the row below the list says; `backspace` takes the last one off. The focus stays
    on its flow."""
    stage.program.send("f", "~d api", "<enter>", "f", "~m POST", "<enter>")
    stage.see("> ~m POST 1")
    stage.shot("Two filters, one on the other:")
    stage.press("<backspace>")
    stage.see(lambda program: "> ~d api 4" in program.text and "~m POST" not in program.text, "one filter")
    stage.shot("`backspace`:")
    assert len(_saved(stage, "@shown")) == 4


# -- editing --------------------------------------------------------------------------------------------------------


def _hold(stage: Stage) -> subprocess.Popen[bytes]:
    """A POST that is held, and focused. The answer of the server is not held."""
    stage.program.send("i", "~m POST & ~q", "<enter>")
    stage.see("i:~m POST")
    child = stage.curl(ITEMS, *ITEM)
    stage.see("‖req")
    stage.go_to(9, "cart/items")
    return child


@job("Edit a header value", "5+n+t", "6+n+t+old")
def edit_a_header(stage: Stage) -> None:
    """A POST is held (`i`, `~m POST & ~q`), and curl waits. `e h` opens its headers as a table, `enter` the value,
    `ctrl u` empties it, and `ctrl s` applies all at once. The request goes out with the new value."""
    child = _hold(stage)
    stage.press("e", "h")
    stage.cross("j", "n")
    stage.press("<enter>", "<ctrl u>")
    stage.write("application/hal+json")
    stage.see("[application/hal+json")
    stage.shot("The new value, before `ctrl s`:")
    stage.press("<ctrl s>")
    stage.see("request headers edited")
    assert not stage.asked_for("/v2/cart/items")
    stage.program.send("a")
    stage.finish(child)
    (asked,) = stage.asked_for("/v2/cart/items")
    assert asked.fields["accept"] == "application/hal+json"
    assert asked.fields["content-type"] == "application/json"


@job("Edit the body", "2+editor", "2+editor, proxy stops")
def edit_the_body(stage: Stage) -> None:
    """`e b` opens the body in your editor. The proxy goes on meanwhile: here another request is answered before the
    editor is left."""
    child = _hold(stage)
    stage.press("e", "b")
    stage.see("-- your editor")
    assert stage.finish(stage.curl("https://api.example/v2/session")), "other traffic passes while the editor is open"
    stage.write("\n", "editor")
    stage.see("request body edited")
    stage.shot("After the editor; the request is held still, and another one has passed:")
    stage.program.send("a")
    stage.finish(child)
    (asked,) = stage.asked_for("/v2/cart/items")
    assert json.loads(asked.body) == {"sku": "A-1009", "qty": 4}
    assert asked.fields["content-length"] == str(len(asked.body))


@job("Resume, one or all", "1 / 1", "1 / 1")
def resume(stage: Stage) -> None:
    """`a` lets the focused flow go, `A` all that are held. The queue (`2`) shows what waits, and for how long."""
    first = _hold(stage)
    others = [stage.curl(ITEMS, *ITEM) for _ in range(2)]
    stage.see("‖3")
    stage.shot("Three requests are held:")
    stage.press("a")
    assert stage.finish(first) == b'{"added": "A-1009"}'
    stage.see("‖2")
    assert len(stage.asked_for("/v2/cart/items")) == 1
    stage.instead()
    stage.press("A")
    assert [stage.finish(child) for child in others] == [b'{"added": "A-1009"}'] * 2
    assert len(stage.asked_for("/v2/cart/items")) == 3
    stage.see(lambda program: "‖" not in program.text, "that nothing is held")


# -- replay, copies, files ------------------------------------------------------------------------------------------


@job("Replay, keeping the original", "1", "2")
def replay(stage: Stage) -> None:
    """`r` sends the request again, as a flow of its own (`R`). The original stays as it was; `(` and `)` go from
    attempt to attempt, `c` compares."""
    stage.go_to(5, "v2/login")
    before = stage.asked_for("/v2/login")
    stage.press("r")
    stage.see(lambda program: any(re.search(r"^.?R +9  POST .*200", row) for row in program.lines), "the replay")
    stage.shot("The replay is the last row:")
    first, again = stage.asked_for("/v2/login")
    assert [first] == before
    assert again == first
    flows = _saved(stage, "@all")
    assert [flow.is_replay for flow in flows].count("request") == 1
    assert [flow.request.path for flow in flows].count("/v2/login") == 2


@job("Copy as curl", "2", "25 typed")
def copy_as_curl(stage: Stage) -> None:
    """`y c` puts the request on your clipboard as a curl command, also through ssh and tmux (OSC 52). `y` alone shows
    what else can be copied."""
    stage.go_to(5, "v2/login")
    stage.press("y")
    stage.see("As a curl command")
    stage.shot("The menu that a prefix opens, when you wait:")
    stage.press("c")
    stage.see("as curl to the clipboard")
    (line,) = stage.copied
    assert line.startswith("curl ") and "https://api.example/v2/login" in line
    sent = len(stage.asked)
    via = f"--proxy http://127.0.0.1:{stage.port} --cacert conf/midstream-ca-cert.pem -sS -o /dev/null"
    stage.finish(subprocess.Popen(["sh", "-c", f"{line} {via}"], cwd=stage.folder))
    assert len(stage.asked) == sent + 1
    pasted, original = stage.asked_for("/v2/login")[-1], stage.asked_for("/v2/login")[0]
    assert (pasted.method, pasted.body) == (original.method, original.body)
    assert pasted.fields["content-type"] == original.fields["content-type"]


@job("Save flows", "2", "2+t")
def save_flows(stage: Stage) -> None:
    """`w` proposes a file for the flows that are shown, or for the marked ones if there are any; `enter` takes it."""
    stage.press("w")
    stage.see("save.file @shown")
    stage.shot("`w` proposes the rest:")
    stage.press("<enter>")
    stage.see("saved 8 flows in")
    (file,) = stage.folder.glob("flows-*.mid")
    flows = [*read_flows_from_paths([str(file)])]
    assert [flow.request.url for flow in flows if isinstance(flow, HTTPFlow)] == [each.url for each in stage.asked]
    bodies = [flow.response.content for flow in flows if isinstance(flow, HTTPFlow) and flow.response is not None]
    assert b'"currency": "EUR"' in (bodies[5] or b"")


# -- options, commands, keys ----------------------------------------------------------------------------------------


@job("Set an option", "3+4 letters+value", "3+n (≈40) or 5+t")
def set_an_option(stage: Stage) -> None:
    """`ctrl p` finds everything by a few letters: beginnings of words are enough, so `mohe` is `modify_headers`.
    `enter` asks for the value, and says while you type whether it is one. It holds from the next request on."""
    stage.press("<ctrl p>")
    stage.write("mohe", "letters")
    stage.see("> modify_headers")
    stage.shot("Four letters:")
    stage.press("<enter>")
    stage.write("/~q/x-tour/yes", "value")
    stage.see("/~q/x-tour/yes")
    stage.press("<enter>")
    stage.see(lambda program: not any(row.startswith(" :") for row in program.lines), "the end of the prompt")
    stage.finish(stage.curl(CART))
    before, after = stage.asked_for("/v2/cart?currency=EUR")
    assert "x-tour" not in before.fields
    assert after.fields["x-tour"] == "yes"


@job("Run a command", "2+4 letters", "2+t")
def run_a_command(stage: Stage) -> None:
    """The same box runs commands. Here two flows are marked, and `repm` is found as `replay.client @marked`. Typing
    the name after `:` works as well, with completion by `tab`."""
    stage.go_to(6, "EUR")
    stage.program.send("m", "j", "m")
    stage.see("*2")
    stage.press("<ctrl p>")
    stage.write("repm", "letters")
    stage.see("> replay.client @marked")
    stage.shot("Four letters:")
    stage.press("<enter>")
    stage.see(lambda _: len(stage.asked) == 10, "both requests at the origin")
    assert sorted(each.url for each in stage.asked[8:]) == sorted(each.url for each in stage.asked[5:7])


@job("Rebind a key, and keep it", "4+search", "not kept")
def rebind(stage: Stage) -> None:
    """`K` shows all keys; search, `enter`, press the new key, and `ctrl s` binds it and writes your `keys.yaml`,
    whose comments stay. Here `Duplicate` moves from `D` to `#`, and is still there after a restart."""
    keys = stage.folder / "conf" / "keys.yaml"
    keys.write_text("# mine\nversion: 1\n")
    stage.press("K")
    stage.see("console.view.flo")  # its rows are there: where it scrolls to depends on that
    for each in ("/", "duplicate", "<enter>"):
        stage.write(each, "search")
    stage.press("<enter>", "#")
    stage.see(lambda program: re.search(r"press +#", program.text), "the new key")
    stage.shot("The new key is pressed; `ctrl s` takes and saves it:")
    stage.press("<ctrl s>")
    stage.see(lambda _: "view.flows.duplicate" in keys.read_text(), "the key in the file")
    assert keys.read_text().startswith("# mine\n")
    stage.end()
    stage.start()
    stage.finish(stage.curl(CART))
    stage.see("cart?currency=EUR")
    stage.program.send("#")
    stage.see("all 2")
    stage.program.send("D")
    stage.see("all 2")
    assert [flow.request.url for flow in _saved(stage, "@all")] == [CART] * 2


# -- looking --------------------------------------------------------------------------------------------------------


@job("The log while browsing", "1", "1 or 2, columns lost")
def log(stage: Stage) -> None:
    """`E` opens the event log below what you see, and the list keeps its columns and its focus. A second `E` goes
    into it, a third one closes it."""
    stage.go_to(6, "EUR")
    stage.press("E")
    stage.see("-- log")
    stage.see("listening at")
    stage.shot("`E`:")
    stage.focus("EUR")
    assert all(word in stage.program.lines[1] for word in ("method", "host and path", "code", "type", "size"))
    stage.finish(stage.curl(CART))
    stage.see("all 9")
    stage.program.send("j")
    stage.focus("USD")


@job("Compare two flows", "2+moves", "none")
def compare(stage: Stage) -> None:
    """`m` marks one, `c` on the other compares: headers by name, JSON by key, other text by line. `tab` goes to the
    responses, `n` to the next difference."""
    stage.go_to(6, "EUR")
    stage.press("m")
    stage.cross("j", "moves")
    stage.press("c")
    stage.see("1 difference")
    stage.shot("The requests:")
    stage.program.send("<tab>")
    stage.see("[Response]")
    for words in ("EUR", "USD", "qty"):
        stage.see(words)
    stage.shot("`tab`: the responses, by the keys of their JSON:")


@job("Search in a body", "3+t", "4+t")
def search_a_body(stage: Stage) -> None:
    """`enter` opens the flow, `/` goes to the first hit while you type; what the request has not is found in the
    response. A regular expression works too, `n` and `N` hop. `/` and `tab` in the list search the bodies of all
    flows."""
    stage.go_to(6, "EUR")
    stage.press("<enter>")
    stage.see("[Request]")
    stage.press("/")
    stage.write("b-7")
    stage.see(lambda program: "[Response]" in program.text and "1 of 1" in program.text, "the hit")
    stage.shot("Before `enter`:")
    stage.press("<enter>")
    stage.see("/b-7   1 of 1")
    assert any('"sku": "B-7"' in row for row in stage.program.lines)


def _saved(stage: Stage, spec: str) -> list[HTTPFlow]:
    """The flows that a spec selects in the program, by way of a file. Counts nothing."""
    file = stage.folder / "selected.mid"
    stage.program.send(":", f"save.file {spec} selected.mid", "<enter>")
    stage.see("in selected.mid")
    return [flow for flow in read_flows_from_paths([str(file)]) if isinstance(flow, HTTPFlow)]
