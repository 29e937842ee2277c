"""`import mitmproxy` in all its forms, with and without the real package beside it."""

import importlib
import sys
from pathlib import Path

import pytest

import midstream.http
from midstream import compat
from midstream.compat.finder import AliasModule, Finder


def message_of(statement: str) -> str:
    with pytest.raises((ImportError, AttributeError)) as error:
        exec(statement, {})
    return str(error.value)


def test_names_are_the_very_objects_of_midstream() -> None:
    from mitmproxy import ctx, flowfilter, http
    from mitmproxy.http import HTTPFlow
    from mitmproxy.net.http.http1.assemble import assemble_request

    import midstream.filters
    import midstream.hub.ctx

    assert HTTPFlow is http.HTTPFlow is midstream.http.HTTPFlow
    assert flowfilter.TFilter is midstream.filters.Filter
    assert callable(assemble_request)
    with pytest.raises(AttributeError, match="exists only while midstream runs"):
        _ = ctx.master


def test_a_module_is_reached_as_an_attribute_too() -> None:
    module = importlib.import_module("mitmproxy")
    assert module.net.http.cookies.group_cookies([]) == []
    assert "net" in dir(module) and "http" in dir(module.net)


def test_a_star_brings_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from mitmproxy.http import *\nfrom mitmproxy.net.dns.types import *", names)
    assert names["Response"] is midstream.http.Response
    assert names["AAAA"] == 28
    assert "HTTPResponse" not in names


def test_a_function_hides_the_module_of_its_name() -> None:
    from mitmproxy import script
    from mitmproxy.script.concurrent import concurrent

    assert script.concurrent is concurrent


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("from mitmproxy.http import HTTPFlows", "mitmproxy.http.HTTPFlows: midstream has no such name; did you mean"),
        ("import mitmproxy.http; mitmproxy.http.Respons", "did you mean 'Response'?"),
        ("from mitmproxy.flow import HTTPFlow", "there is mitmproxy.http.HTTPFlow"),
        ("import mitmproxy.flowfliter", "did you mean 'flowfilter'?"),
        ("from mitmproxy import flowfliter", "did you mean 'flowfilter'?"),
        ("import mitmproxy.zzzz.yyyy", "mitmproxy.zzzz: midstream has no such module"),
        ("import mitmproxy.http.HTTPFlow", "is no module but a name in one: from mitmproxy.http import HTTPFlow"),
        ("from mitmproxy.ctx import options", "exists only while midstream runs"),
        ("from mitmproxy.connections import ServerConnection", "it is now mitmproxy.connection: "),
        ("from mitmproxy.http import HTTPResponse", "it is now mitmproxy.http.Response"),
        ("import mitmproxy; mitmproxy.websocket.WebSocketFlow", "it is now mitmproxy.http.HTTPFlow"),
        ("from mitmproxy.proxy.protocol import Layer", "a matter of events: tcp_message"),
    ],
)
def test_what_is_not_there_is_explained(statement: str, said: str) -> None:
    assert said in message_of(statement)


def test_scripts_can_ask_whether_a_name_is_there() -> None:
    from mitmproxy import http

    assert not hasattr(http, "HTTPResponse")
    assert getattr(http, "HTTPRequest", http.Request) is midstream.http.Request
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("mitmproxy.connections")


def test_installing_twice_is_installing_once() -> None:
    compat.install()
    try:
        assert sum(isinstance(finder, Finder) for finder in sys.meta_path) == 1
        assert isinstance(sys.meta_path[0], Finder)
    finally:
        compat.uninstall()
    assert not any(isinstance(finder, Finder) for finder in sys.meta_path)
    assert not [name for name, module in sys.modules.items() if isinstance(module, AliasModule)]
    compat.install()  # for the fixture to take back


def test_blocks_overlap() -> None:
    compat.uninstall()
    first, second = compat.installed(), compat.installed()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert any(isinstance(finder, Finder) for finder in sys.meta_path)
    second.__exit__(None, None, None)
    assert not any(isinstance(finder, Finder) for finder in sys.meta_path)


@pytest.fixture
def real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package called mitmproxy that could be imported."""
    package = tmp_path / "mitmproxy"
    package.mkdir()
    (package / "__init__.py").write_text("REAL = True\n")
    (package / "http.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    return package


def test_the_real_package_stays_out(real_one: Path) -> None:
    from mitmproxy import http

    assert http.HTTPFlow is midstream.http.HTTPFlow
    assert message_of("from mitmproxy import REAL").startswith("mitmproxy.REAL: midstream has no such module")


def test_the_real_package_comes_back_afterwards(real_one: Path) -> None:
    compat.uninstall()
    names: dict[str, object] = {}
    try:
        exec("import mitmproxy.http\nreal = mitmproxy.http.REAL", names)
        assert names["real"] is True
        with pytest.raises(RuntimeError, match=r"imported already .*__init__\.py\): call midstream\.compat\.install"):
            compat.install()
    finally:
        for name in ("mitmproxy", "mitmproxy.http"):
            sys.modules.pop(name, None)
        compat.install()
