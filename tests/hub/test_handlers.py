"""What counts as a handler, and what the author of one is told."""

import types
import zlib

import pytest

from midstream.flows.errors import AddonManagerError
from midstream.hub.commands import command
from midstream.hub.events import DECLARATIONS
from midstream.hub.handlers import addon_name, handlers_of, location, walk, warnings_about


def module(source: str, name: str = "some_script") -> types.ModuleType:
    made = types.ModuleType(name)
    exec(compile(source, f"/scripts/{name}.py", "exec"), made.__dict__)
    return made


def warnings(source: str) -> list[str]:
    return list(warnings_about(module(source), DECLARATIONS))


def test_functions_of_a_module_are_handlers() -> None:
    assert set(handlers_of(module("def request(flow): ...\ndef helper(): ..."), DECLARATIONS)) == {"request"}


def test_arguments_may_be_optional_or_endless() -> None:
    source = "def request(flow, more=None): ...\ndef response(*args): ...\ndef running(**kw): ..."
    assert set(handlers_of(module(source), DECLARATIONS)) == {"request", "response", "running"}


def test_modules_and_classes_are_no_handlers() -> None:
    made = types.ModuleType("m")
    made.error = zlib.error  # from zlib import error
    made.request = types  # import request
    assert handlers_of(made, DECLARATIONS) == {}


@pytest.mark.parametrize("source", ["request = 5", "request = 'text'"])
def test_what_cannot_be_called_is_refused(source: str) -> None:
    with pytest.raises(AddonManagerError, match="request must be a function"):
        handlers_of(module(source), DECLARATIONS)


def test_a_wrong_number_of_arguments_is_refused_with_place_and_signature() -> None:
    with pytest.raises(AddonManagerError) as caught:
        handlers_of(module("\n\ndef request(self, flow): ..."), DECLARATIONS)
    message = str(caught.value)
    assert message.startswith("/scripts/some_script.py:3: request(self, flow) cannot be called")
    assert message.endswith("write def request(flow: HTTPFlow)")


def test_a_class_instead_of_an_object_is_explained() -> None:
    class Counter:
        def request(self, flow: object) -> None: ...

    with pytest.raises(AddonManagerError, match=r"Counter is a class: list an object of it, Counter\(\)"):
        handlers_of(Counter, DECLARATIONS)


def test_an_attribute_that_cannot_be_read_is_named() -> None:
    class Odd:
        @property
        def response(self) -> None:
            raise KeyError("x")

    with pytest.raises(AddonManagerError, match="odd: reading its attribute response failed"):
        handlers_of(Odd(), DECLARATIONS)


def test_an_addons_attribute_that_is_no_list_is_refused() -> None:
    with pytest.raises(AddonManagerError, match="must be a list"):
        list(walk([module("addons = 5")]))


def test_names() -> None:
    class SomeAddon: ...

    named = SomeAddon()
    named.name = "other"  # type: ignore[attr-defined]
    assert addon_name(SomeAddon()) == "someaddon"
    assert addon_name(named) == "other"
    assert addon_name(module("")) == "some_script"
    assert addon_name(module("name = 'given'")) == "given"


def test_location_sees_through_methods() -> None:
    assert location(module("\ndef request(flow): ...").request) == "/scripts/some_script.py:2"
    assert location(print) == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("def reqest(flow): ...", "request"),
        ("def resposne(flow): ...", "response"),
        ("def responce(flow): ...", "response"),
        ("def request_headers(flow): ...", "requestheaders"),
        ("def tls_client_hello(data): ...", "tls_clienthello"),
        ("def websocket_mesage(flow): ...", "websocket_message"),
        ("def laod(loader): ...", "load"),
        ("def doen(): ...", "done"),
        ("def eroror(flow): ...", None),
        ("def configured(updated): ...", None),
        ("def requests(flow): ...", None),
        ("def loads(text): ...", None),
        ("def lead(self): ...", None),
        ("def log(text): ...", None),
        ("def run(): ...", None),
        ("def start(): ...", None),
        ("def is_request(flow): ...", None),
        ("def handle_request(flow): ...", None),
        ("def log_response(flow): ...", None),
        ("def reqest(): ...", None),
        ("def reqest(flow, other): ...", None),
        ("def _reqest(flow): ...", None),
        ("reqest = 5", None),
    ],
)
def test_near_misses(written: str, meant: str | None) -> None:
    found = warnings(written)
    if meant is None:
        assert found == []
    else:
        [warning] = found
        assert warning.startswith("/scripts/some_script.py:1: ")
        assert f"looks like {meant}: def {meant}(" in warning


def test_near_misses_of_methods() -> None:
    class Addon:
        def reqest(self, flow: object) -> None: ...

        @command("some.thing")
        def respons(self, flow: object) -> None: ...

    [warning] = warnings_about(Addon(), DECLARATIONS)
    assert "reqest is no event; it looks like request" in warning


def test_imported_functions_are_no_near_misses() -> None:
    made = module("")
    made.reqest = module("def reqest(flow): ...", "library").reqest
    assert list(warnings_about(made, DECLARATIONS)) == []


def test_a_generator_and_a_deprecated_event_are_mentioned() -> None:
    [generator] = warnings("def request(flow): yield")
    assert "contains yield" in generator
    [deprecated] = warnings("def add_log(entry): ...")
    assert "add_log is deprecated" in deprecated
