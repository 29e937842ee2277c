"""What an addon chooses in next_layer is spoken, whatever the bytes look like; otherwise they decide."""

from collections.abc import Callable

import pytest

from midstream.compat.shims.layers import ClientTLSLayer, HttpLayer, HTTPMode, HttpProxy, ReverseProxy, TCPLayer
from midstream.flows.next_layer import NextLayer
from midstream.proxy.settings import Settings
from tests.kit.conversation import conversation
from tests.kit.tls_ends import Tls
from tests.kit.waiting import until
from tests.proxy.test_connect import CONNECT, ESTABLISHED, GET, OK, both_tls


class Chooses(Tls):
    """Sets the layer that `choose` gives, and notes what it was asked with."""

    def __init__(self, choose: Callable[[NextLayer], object]) -> None:
        super().__init__()
        self.choose = choose
        self.asked: list[bytes] = []

    async def next_layer(self, data: NextLayer) -> None:
        self.asked.append(data.data_client())
        data.layer = self.choose(data)


RAW = ["http_connect", "http_connected", "tcp_start", "tcp_message"]


@pytest.mark.parametrize("choose", [lambda data: "tcp", lambda data: TCPLayer(data.context)])
async def test_a_request_that_shall_be_raw_bytes(choose: Callable[[NextLayer], object]) -> None:
    async with conversation(Chooses(choose)) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(GET)
        await (await talk.server()).expect(GET)
        assert talk.recorder.names() == RAW


@pytest.mark.parametrize("choose", [lambda data: "ignore", lambda data: TCPLayer(data.context, ignore=True)])
async def test_bytes_that_shall_pass_without_a_flow(choose: Callable[[NextLayer], object]) -> None:
    async with conversation(Chooses(choose)) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(GET)
        server = await talk.server()
        await server.expect(GET)
        server.say(OK)
        await talk.client.expect(OK)
        assert talk.recorder.names() == RAW[:2]


async def test_tls_that_shall_not_be_intercepted() -> None:
    async with conversation(Chooses(lambda data: "ignore"), settings=Settings(eager=False)) as talk:
        client, server = await both_tls(talk)
        client.say(b"secret")
        await server.expect(b"secret")
        assert talk.recorder.names() == RAW[:2]


async def test_http_inside_tls_that_shall_be_raw_or_ignored() -> None:
    for inside, names in (("tcp", RAW), ("ignore", RAW[:2])):
        addon = Chooses(lambda data, inside=inside: inside if data.data_client() == GET else None)
        async with conversation(addon) as talk:
            client, server = await both_tls(talk)
            client.say(GET)
            await server.expect(GET)
            assert talk.recorder.names() == names
            assert addon.asked[-1] == GET


async def test_one_that_waits_is_asked_again_and_does_not_stop_the_rest() -> None:
    addon = Chooses(lambda data: "ignore" if data.data_client() == GET else "more")
    async with conversation(addon) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(GET[:10])
        await until(lambda: addon.asked[-1:] == [GET[:10]], "it was asked")
        talk.say(GET[10:])
        await (await talk.server()).expect(GET)
        assert talk.recorder.names() == RAW[:2]


async def test_a_server_that_speaks_first_can_be_chosen_for() -> None:
    heard: list[bytes] = []

    def choose(data: NextLayer) -> object:
        heard.append(data.data_server())
        return "ignore" if data.data_server() else None

    async with conversation(Chooses(choose)) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        (await talk.server()).say(b"220 ready\r\n")
        await talk.client.expect(b"220 ready\r\n")
        assert heard == [b"", b"220 ready\r\n"]
        assert talk.recorder.names() == RAW[:2]


async def test_the_context_names_what_was_found() -> None:
    found: list[list[object]] = []
    addon = Chooses(lambda data: found.append(data.context.layers))
    async with conversation(addon) as talk:
        client, _ = await both_tls(talk)
        client.say(GET)
        await until(lambda: bool(addon.asked) and addon.asked[-1] == GET, "it was asked")
        assert found[0] == ["regular", "http"]
        assert found[-1] == ["regular", "http", "tls"]
        assert isinstance(found[0][0], HttpProxy) and isinstance(found[-1][2], ClientTLSLayer | HttpLayer)
        assert not isinstance(found[0][0], ReverseProxy)


async def test_the_layers_of_old_scripts_and_no_choice_at_all() -> None:
    def choose(data: NextLayer) -> object:
        if data.data_client()[:1] == b"\x16":
            return ClientTLSLayer(data.context)
        return HttpLayer(data.context, HTTPMode.transparent) if data.data_client() else None

    for addon in (Chooses(choose), Chooses(lambda data: None)):
        async with conversation(addon) as talk:
            client, server = await both_tls(talk)
            client.say(GET)
            await server.expect(GET)
            server.say(OK)
            await client.expect(OK)


async def test_it_is_asked_again_until_somebody_can_tell() -> None:
    addon = Chooses(lambda data: "tcp" if len(data.data_client()) > 3 else None)
    async with conversation(addon) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        for piece in (b"G", b"E", b"TT"):
            talk.say(piece)
            await until(lambda piece=piece: addon.asked and addon.asked[-1].endswith(piece), "it was asked")
        await (await talk.server()).expect(b"GETT")
        assert addon.asked == [b"", b"G", b"GE", b"GETT"]


@pytest.mark.parametrize("layer", ["htpp", 5, object()])
async def test_a_choice_that_is_none_is_named_and_left_to_the_bytes(
    layer: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with conversation(Chooses(lambda data: layer)) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(GET)
        await (await talk.server()).expect(GET)
        assert "next_layer: layer was set to" in caplog.text
        assert "'tls', 'http', 'tcp', 'dns', 'ignore'" in caplog.text
