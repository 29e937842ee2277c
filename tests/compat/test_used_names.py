"""The names that public scripts use (two or more of 387 do): they are here, or it is said what there is.

`used_names.tsv` says of each whether mitmproxy 12.2.3 has it; `dynamic` are names of objects that only a running
program has, such as the options of scripts themselves.
"""

import csv
import importlib
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("used_names.tsv")
USED = dict(list(csv.reader(TABLE.read_text("utf-8").splitlines(), delimiter="\t"))[1:])

# Existing names that do not resolve, with what is said instead.
MARKED = {
    # Private parts of the layers, which scripts patch for proxies that ask for credentials in several rounds.
    "mitmproxy.proxy.layers.http._upstream_proxy": "http_connect_upstream",
    "mitmproxy.proxy.layers.http._upstream_proxy.HttpUpstreamProxy": "http_connect_upstream",
    "mitmproxy.proxy.layers.http._upstream_proxy.HttpUpstreamProxy.receive_handshake_data": "http_connect_upstream",
    "mitmproxy.proxy.layers.http._upstream_proxy.HttpUpstreamProxy.start_handshake": "http_connect_upstream",
}
# Names that are gone there and still work here.
REVIVED = {
    "mitmproxy.contentviews.TViewResult",
    "mitmproxy.contentviews.format_text",
    "mitmproxy.proxy.layers.http.HttpConnectUpstreamHook",
}


def resolve(name: str) -> object:
    """The object, by imports as far as they go and attributes from there."""
    parts = name.split(".")
    found: object = importlib.import_module(parts[0])
    for place, part in enumerate(parts[1:], 2):
        try:
            found = getattr(found, part)
        except AttributeError:
            found = importlib.import_module(".".join(parts[:place]))
    return found


def names(kind: str) -> list[str]:
    return [name for name, state in USED.items() if state == kind]


@pytest.mark.parametrize("name", names("existing"))
def test_a_name_that_exists_there_exists_here(name: str) -> None:
    if name in MARKED:
        with pytest.raises((ImportError, AttributeError), match=MARKED[name]):
            resolve(name)
    else:
        resolve(name)


@pytest.mark.parametrize("name", names("removed"))
def test_a_name_that_is_gone_there_is_told_its_present_spelling(name: str) -> None:
    if name in REVIVED:
        resolve(name)
    else:
        with pytest.raises((ImportError, AttributeError), match="an old name; "):
            resolve(name)


def test_names_of_the_running_program_begin_with_what_ctx_has() -> None:
    for name in names("dynamic"):
        head = name.split(".")[:3]
        assert head in (["mitmproxy", "ctx", one] for one in ("master", "options", "log")) or head[1] == "io"


def test_the_marks_are_needed() -> None:
    assert set(MARKED) <= set(names("existing"))
    assert set(names("removed")) >= REVIVED
