"""Names that old versions of mitmproxy had and the present one has not, each with its present spelling.

Scripts that use them run nowhere any more; what they should say now is worth more than that the name is unknown.
"""

from __future__ import annotations

from midstream.compat.rows import Absent, Names, Row, absent


def _now(spelling: str) -> Absent:
    return Absent(f"an old name; it is now {spelling}")


_EVENTS = _now("a matter of events: tcp_message, tls_start_client, next_layer and their like")

OLD_NAMES: dict[str, Names] = {
    "http": {
        "HTTPRequest": _now("mitmproxy.http.Request"),
        "HTTPResponse": _now("mitmproxy.http.Response"),
        "make_error_response": _now("mitmproxy.http.Response.make(status, text)"),
        "make_connect_request": _now("mitmproxy.http.Request.make('CONNECT', …)"),
        "expect_continue_response": _now("mitmproxy.http.Response.make(100)"),
        "decoded": _now("message.content, which is decoded already"),
    },
    "websocket": {"WebSocketFlow": _now("mitmproxy.http.HTTPFlow, whose `websocket` holds the messages")},
    "exceptions": {
        **absent(
            "an old name; broken HTTP raises ValueError in mitmproxy.net.http.http1 and becomes flow.error elsewhere",
            "HttpException HttpReadDisconnect HttpSyntaxException",
        ),
        **absent(
            "an old name; failures of connections are told by the events error, server_connect_error and "
            "tls_failed_server",
            "ClientHandshakeException InvalidCertificateException NetlibException ProtocolException ServerException "
            "Socks5ProtocolException SslException TcpDisconnect TcpException TcpReadIncomplete TcpTimeout TlsException "
            "TlsProtocolException",
        ),
        "Kill": _now("flow.kill()"),
        "AddonError": _now("mitmproxy.exceptions.AddonManagerError"),
        "ContentViewException": _now("ValueError, raised by the view"),
        "ReplayException": _now("mitmproxy.exceptions.ControlException or CommandError"),
        "ServerSpecError": _now("ValueError"),
        "SetServerNotAllowedException": _now("ValueError"),
    },
    "certs": {"SSLCert": _now("mitmproxy.certs.Cert")},
    "contentviews": {
        "get_content_view": _now("mitmproxy.contentviews.prettify_message"),
        "get_message_content_view": _now("mitmproxy.contentviews.prettify_message"),
    },
    "flow": {"FlowMaster": _now("mitmproxy.tools.dump.DumpMaster")},
    "log": {"log": _now("the standard logging module")},
    "net": {"tcp": _EVENTS, "tls_context": _EVENTS},
    "net.http": {
        "Headers": _now("mitmproxy.http.Headers"),
        "Message": _now("mitmproxy.http.Message"),
        "Request": _now("mitmproxy.http.Request"),
        "Response": _now("mitmproxy.http.Response"),
        "decoded": _now("message.content, which is decoded already"),
        "encoding": _now("mitmproxy.net.encoding"),
    },
    "net.http.headers": {"Headers": _now("mitmproxy.http.Headers")},
    "proxy": {
        "ProxyConfig": _now("mitmproxy.options.Options"),
        "ProxyServer": _now("a part of mitmproxy.tools.dump.DumpMaster"),
    },
    "proxy.layers": {"HTTPLayer": _now("mitmproxy.proxy.layers.HttpLayer")},
    "proxy.layers.tls": {
        "is_tls_record_magic": _now("mitmproxy.net.tls.starts_like_tls_record"),
        "is_tls_handshake_record": _now("mitmproxy.net.tls.starts_like_tls_record"),
    },
    "proxy.commands": {"Hook": _now("mitmproxy.proxy.commands.StartHook")},
    "script": {"Script": _now("mitmproxy.addons.script")},
}

OLD_MODULES: dict[str, Row] = {
    "connections": _now("mitmproxy.connection: ClientConnection is Client, ServerConnection is Server"),
    "controller": _now("needless: events are methods of an addon, without a decorator"),
    "models": _now("mitmproxy.http, mitmproxy.connection and their like"),
    "libmproxy": _now("mitmproxy"),
    "protocol": _EVENTS,
    "dump": _now("mitmproxy.tools.dump"),
    "main": _now("mitmproxy.tools.main"),
    "cmdline": _now("mitmproxy.tools.cmdline"),
    "console": _now("mitmproxy.tools.console"),
    "stateobject": _now("mitmproxy.coretypes.serializable"),
    "proxy2": _now("mitmproxy.proxy"),
    "proxy.protocol": _EVENTS,
    "proxy.modes": _now("mitmproxy.proxy.mode_specs"),
    "proxy.root_context": _EVENTS,
    "proxy.config": _now("mitmproxy.options.Options"),
    "net.tcp": _EVENTS,
    "net.socks": _EVENTS,
    "net.websockets": _now("mitmproxy.websocket"),
    "net.http.request": _now("mitmproxy.http.Request"),
    "net.http.response": _now("mitmproxy.http.Response"),
    "net.http.message": _now("mitmproxy.http.Message"),
    "net.http.encoding": _now("mitmproxy.net.encoding"),
    "types.multidict": _now("mitmproxy.coretypes.multidict"),
    "types.serializable": _now("mitmproxy.coretypes.serializable"),
    "addons.allowremote": Absent("an old addon, replaced by the options block_global and block_private"),
    "addons.check_alpn": Absent("an old addon that nothing needs any more"),
    "addons.check_ca": Absent("an old addon that nothing needs any more"),
    "addons.replace": Absent("an old addon, replaced by the option modify_body"),
    "addons.setheaders": Absent("an old addon, replaced by the option modify_headers"),
    "addons.streambodies": Absent("an old addon, replaced by the option stream_large_bodies"),
    "addons.streamfile": Absent("an old addon, replaced by the option save_stream_file"),
    "addons.session": Absent("an old addon; midstream keeps a session by itself"),
    "addons.wsgiapp": _now("mitmproxy.addons.asgiapp"),
}
