"""Hooks, layers, certificates, tasks, signals and the rest of what has another shape than ours."""

import asyncio
import dataclasses
import logging
from pathlib import Path

import pytest
from cryptography import x509

from midstream.app import make_options
from midstream.certs import CertStore
from midstream.compat.shims import (
    asyncio_tasks,
    certificates,
    commands,
    constants,
    files,
    handlers,
    hooks,
    layer_parts,
    layers,
    programs,
    records,
    signals,
    typecheck,
)
from midstream.flows.context import Context
from midstream.flows.errors import AddonManagerError, CommandError, MidstreamError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.next_layer import NextLayer
from midstream.hub.commands import CommandManager
from midstream.hub.events import DECLARATIONS
from midstream.hub.options import Options
from midstream.hub.types import Path as PathArgument
from midstream.testing import context, tclient_conn, tflow, tserver_conn


@pytest.fixture
def connection() -> Context:
    return Context(tclient_conn(), Options(), tserver_conn())


# -- hooks --------------------------------------------------------------------------------------------------------


def test_every_event_has_a_hook_under_the_name_it_has_there() -> None:
    expected = {
        "HttpRequestHeadersHook": "requestheaders", "HttpResponseHeadersHook": "responseheaders",
        "HttpRequestHook": "request", "HttpErrorHook": "error", "HttpConnectUpstreamHook": "http_connect_upstream",
        "TlsClienthelloHook": "tls_clienthello", "QuicStartClientHook": "quic_start_client", "UpdateHook": "update",
        "Socks5AuthHook": "socks5_auth", "NextLayerHook": "next_layer", "AddLogHook": "add_log", "DoneHook": "done",
        "WebsocketMessageHook": "websocket_message", "ServerConnectErrorHook": "server_connect_error",
    }  # fmt: skip
    for name, event in expected.items():
        assert getattr(hooks, name).name == event
    assert {hooks.hook_of(event, *declared.parameters).name for event, declared in DECLARATIONS.items()} == set(
        DECLARATIONS
    )
    with pytest.raises(AttributeError):
        _ = hooks.NoSuchHook


def test_a_hook_has_its_arguments() -> None:
    hook = hooks.UpdateHook(["flow"])
    assert hook.flows == ["flow"] and hook.args() == [["flow"]] and repr(hook) == "UpdateHook(flows=['flow'])"
    assert hook != hooks.UpdateHook(["flow"]) and len({hook, hooks.UpdateHook([])}) == 2
    with pytest.raises(TypeError, match="Hook itself"):
        hooks.Hook()


async def test_hooks_are_triggered() -> None:
    seen: list[object] = []

    class Listener:
        def update(self, flows: list[Flow]) -> None:
            seen.extend(flows)

    async with context(Listener()) as tests:
        tests.master.addons.trigger(hooks.UpdateHook([1]))
        await tests.master.addons.trigger_event(hooks.UpdateHook([2]))
    assert seen == [1, 2]


def test_a_hook_of_ones_own_is_named_after_its_class() -> None:
    @dataclasses.dataclass
    class MyOwnHook(hooks.Hook):
        data: int

    assert MyOwnHook(3).name == "my_own" and MyOwnHook(3).args() == [3]
    with context() as tests, pytest.raises(AddonManagerError, match="no event is called 'my_own'"):
        tests.master.addons.trigger(MyOwnHook(3))


def test_the_events_of_a_flow() -> None:
    names = [hook.name for hook in hooks.iterate(tflow(resp=True))]
    assert names == ["requestheaders", "request", "responseheaders", "response"]


# -- layers -------------------------------------------------------------------------------------------------------


def test_a_layer_is_chosen(connection: Context) -> None:
    choice = NextLayer(connection, lambda: b"hello")
    for layer in (
        layers.TCPLayer(connection, ignore=True),
        layers.UDPLayer(connection),
        layers.DNSLayer(connection),
        layers.HttpLayer(connection, layers.HTTPMode.transparent),
        layers.ClientTLSLayer(connection),
        layers.ServerTLSLayer(connection),
        layers.ClientQuicLayer(connection),
        layers.ServerQuicLayer(connection),
        layers.RawQuicLayer(connection),
    ):
        choice.layer = layer
        assert choice.layer is layer and isinstance(layer, layers.Layer) and layer.context is connection
    assert isinstance(choice.layer, layers.RawQuicLayer) and not isinstance(choice.layer, layers.TCPLayer)
    assert layers.TCPLayer(connection, ignore=True).ignore and "TCPLayer" in repr(layers.TCPLayer(connection))
    tls = layers.ServerTLSLayer(connection)
    tls.child_layer = layers.ClientTLSLayer(connection)
    assert tls.conn is connection.server and tls.child_layer.conn is connection.client


def test_a_layer_is_not_extended_or_driven(connection: Context) -> None:
    with pytest.raises(TypeError, match="Mine: midstream has no TCPLayer to be extended; the events tcp_start"):
        type("Mine", (layers.TCPLayer,), {})
    with pytest.raises(AttributeError, match=r"HttpLayer\.handle_event: .* the events requestheaders"):
        layers.HttpLayer(connection, layers.HTTPMode.regular).handle_event(None)


@pytest.mark.parametrize("part", [each for each in vars(layer_parts).values() if hasattr(each, "way")])
def test_the_words_of_layers_are_only_words(part: type) -> None:
    assert issubclass(part, layer_parts.Part) and not isinstance(object(), part)
    with pytest.raises(TypeError, match=r"not driven by layers; .*"):
        part("anything")
    with pytest.raises(TypeError, match=f"Mine: {part.__name__} cannot be extended"):
        type("Mine", (part,), {})


# -- certificates -------------------------------------------------------------------------------------------------


def test_a_certificate_by_hand(tmp_path: Path) -> None:
    store = CertStore.from_store(tmp_path)
    ca = store.default_ca.to_cryptography()
    url = "http://a.example/crl"
    cert = certificates.dummy_cert(store.default_privatekey, ca, "a.example", [x509.DNSName("a.example")], "Org", url)
    assert (cert.cn, cert.organization, cert.crl_distribution_points) == ("a.example", "Org", [url])
    cert.to_cryptography().verify_directly_issued_by(ca)
    key = certificates.load_pem_private_key((tmp_path / "midstream-ca.pem").read_bytes(), b"not needed")
    assert key.public_key() == ca.public_key()
    nameless = certificates.dummy_cert(store.default_privatekey, ca, None, [x509.DNSName("a.example")])
    assert nameless.cn is None


# -- programs -----------------------------------------------------------------------------------------------------


def test_there_is_no_web_interface() -> None:
    for attempt in (programs.mitmweb, lambda: programs.WebMaster(None), lambda: programs.web_parser(Options())):
        with pytest.raises(MidstreamError, match=r"no web interface: mitmproxy\(\) starts the console"):
            attempt()


def test_a_command_line_is_applied(tmp_path: Path) -> None:
    options = make_options()
    options.add_option("answer", int, 1, "A number.")
    options.add_option("listen_port", int, 8080, "A port.")
    (tmp_path / "config.yaml").write_text("answer: 2\nlisten_port: 1\n")
    parser = programs.dump_parser(options)
    arguments = ["--set", f"confdir={tmp_path}", "--set", "later=1", "-p", "9", "~q"]
    given = parser.parse_args(arguments)
    assert given.setoptions == [f"confdir={tmp_path}", "later=1"] and given.filter_args == ["~q"]
    assert not (given.quiet or given.verbose or given.version or given.options or given.commands)
    programs.process_options(parser, options, given)
    assert (options.answer, options.listen_port) == (2, 9) and "later" in options.deferred
    with pytest.raises(OptionsError):
        programs.console_parser(options).parse_args(["-p"])


def test_flags_for_a_parser_of_ones_own() -> None:
    import argparse

    options = make_options()
    options.add_option("answer", int, 1, "A number.")
    parser = argparse.ArgumentParser()
    programs.common_options(parser, options)
    assert parser.parse_args(["--answer", "3"]).answer == ["3"]


# -- the rest -----------------------------------------------------------------------------------------------------


async def test_tasks() -> None:
    async def work() -> str:
        asyncio_tasks.set_current_task_debug_info(name="inner", client=("1.2.3.4", 5))
        return asyncio_tasks.task_repr(asyncio.current_task())

    task = asyncio_tasks.create_task(work(), name="outer", keep_ref=True, client=None)
    assert asyncio_tasks.task_repr(task) == "outer (age: 0s)"
    assert await task == "1.2.3.4:5: inner (age: 0s)"
    loop = asyncio.get_running_loop()
    with asyncio_tasks.install_exception_handler(lambda loop, context: None), asyncio_tasks.set_eager_task_factory():
        assert loop.get_exception_handler() is not None
    assert loop.get_exception_handler() is None and loop.get_task_factory() is None


async def test_signals() -> None:
    heard: list[int] = []

    async def later(number: int) -> None:
        heard.append(-number)

    def now(number: int) -> int:
        heard.append(number)
        return number

    plain = signals.SyncSignal(lambda number: None)
    plain.connect(now)
    plain.send(1)
    assert plain.notify(2) == [2]
    with pytest.raises(TypeError):
        plain.send()
    plain.disconnect(now)
    plain.send(3)
    waiting = signals.AsyncSignal(lambda number: None)
    waiting.connect(later)
    waiting.connect(now)
    await waiting.send(4)
    assert heard == [1, 2, -4, 4]


def test_names_for_values() -> None:
    both = records.BiDi(A=1, B=2)
    assert (both.A, both.get_name(2), both.get_name(9, "none")) == (1, "B", "none")
    with pytest.raises(AttributeError):
        _ = both.C
    with pytest.raises(ValueError):
        records.BiDi(A=1, B=1)


def test_objects_with_a_state() -> None:
    flow = tflow()
    for each in (flow, flow.request, flow.client_conn):
        assert isinstance(each, records.Serializable)
    assert not isinstance(object(), records.Serializable)

    class Own(records.Serializable):
        def __init__(self, state: dict[str, str]) -> None:
            self.state = state

        @classmethod
        def from_state(cls, state: dict[str, str]) -> "Own":
            return cls(state)

        def get_state(self) -> dict[str, str]:
            return self.state

        def set_state(self, state: dict[str, str]) -> None:
            self.state = state

    copied = Own({"id": "1", "x": "y"}).copy()
    assert copied.state["x"] == "y" and copied.state["id"] != "1"
    assert not isinstance(flow, Own)


def test_types_of_commands() -> None:
    assert [commands.typename(kind) for kind in (str, PathArgument)] == ["str", "path"]
    assert commands.CommandTypes.get(str) is not None
    assert commands.parsearg(CommandManager(), "12", int) == 12
    for wrong in (lambda: commands.typename(object), lambda: commands.parsearg(CommandManager(), "x", int)):
        with pytest.raises(CommandError):
            wrong()
    commands.verify_arg_signature(lambda a, b=1: None, ["x"], {})
    with pytest.raises(CommandError, match="mismatch"):
        commands.verify_arg_signature(lambda a: None, [], {})


def test_types_of_options() -> None:
    import typing

    assert typecheck.typespec_to_str(typing.Optional[int]) == "optional int"  # noqa: UP045
    assert typecheck.typespec_to_str(typing.Sequence[str]) == "sequence of str"
    typecheck.check_option_type("n", ["a"], typing.Sequence[str])
    typecheck.check_option_type("n", {}, dict)
    for value, kind in (("a", typing.Sequence[str]), (1, str), ([1], typing.Sequence[str]), ("x", dict)):
        with pytest.raises(TypeError, match="n: expected"):
            typecheck.check_option_type("n", value, kind)
    with pytest.raises(NotImplementedError):
        typecheck.typespec_to_str(dict)


def test_files_beside_the_code() -> None:
    assert files.pkg_data.path("http.py").endswith("/midstream/http.py")
    assert files.Data("midstream").push("hub").path("options.py").endswith("/hub/options.py")
    with pytest.raises(ValueError, match="does not exist"):
        files.pkg_data.path("nope")


def test_cutting_a_traceback() -> None:
    def outer() -> None:
        inner()

    def inner() -> None:
        raise ValueError

    with pytest.raises(ValueError) as caught:
        outer()
    cut = handlers.cut_traceback(caught.tb, "outer")
    assert cut is not None and cut.tb_frame.f_code.co_name == "inner"
    assert handlers.cut_traceback(caught.tb, "nobody") is caught.tb


def test_versions() -> None:
    assert constants.VERSION == "12.2.3"  # of the names that are understood
    assert constants.MITMPROXY.startswith("midstream ") and constants.get_dev_version() == constants.MITMPROXY
    assert constants.LOGGING_LEVELS_TO_LOGENTRY[logging.WARNING] == "warn"
