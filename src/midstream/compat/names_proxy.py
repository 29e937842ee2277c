"""Names of `mitmproxy.proxy` and `mitmproxy.addons`: protocols, modes, and the built-in addons."""

from __future__ import annotations

from midstream.compat.rows import Absent, Names, Row, absent, same, shim

_CONVERSATION = "midstream is not driven by layers; handle the events of the protocol in an addon"
_TLS_HOOKS = (
    "TlsClienthelloHook TlsEstablishedClientHook TlsEstablishedServerHook TlsFailedClientHook TlsFailedServerHook "
    "TlsStartClientHook TlsStartServerHook"
)
_HTTP_HOOKS = (
    "HttpConnectErrorHook HttpConnectHook HttpConnectUpstreamHook HttpConnectedHook HttpErrorHook "
    "HttpRequestHeadersHook HttpRequestHook HttpResponseHeadersHook HttpResponseHook"
)
_PARENT_PROXY = (
    "the event http_connect_upstream sees each CONNECT to a parent proxy and may add credentials; "
    "the option upstream_auth sets plain ones"
)
_ALL_THERE = (
    "a DumpMaster of midstream.master has all built-in addons; with_dumper=False leaves out the one that prints"
)

_RULES = "the options of rules read them: ctx.options.update(modify_headers=[…])"

PROXY: dict[str, Names] = {
    "proxy": {},
    "proxy.commands": shim(
        "layer_parts",
        "CloseConnection CloseTcpConnection Command ConnectionCommand Log OpenConnection RequestWakeup SendData "
        "StartHook",
    ),
    "proxy.context": same("flows.context", "Context"),
    "proxy.events": shim(
        "layer_parts",
        "CommandCompleted ConnectionClosed ConnectionEvent DataReceived Event HookCompleted MessageInjected "
        "OpenConnectionCompleted Start Wakeup",
    ),
    "proxy.layer": {
        **shim("layers", "Layer"),
        **shim("layer_parts", "CommandGenerator"),
        **shim("constants", "MAX_LOG_STATEMENT_SIZE"),
        **same("flows.next_layer", "NextLayer"),
        **shim("hooks", "NextLayerHook"),
        **absent(_CONVERSATION, "Paused"),
    },
    "proxy.layers": shim(
        "layers",
        "ClientQuicLayer ClientTLSLayer DNSLayer HttpLayer QuicStreamLayer RawQuicLayer ServerQuicLayer ServerTLSLayer "
        "TCPLayer UDPLayer WebsocketLayer",
    ),
    "proxy.layers.dns": shim("layers", "DNSLayer") | shim("hooks", "DnsErrorHook DnsRequestHook DnsResponseHook"),
    "proxy.layers.http": {
        **shim("layers", "HTTPMode HttpLayer HttpStream"),
        **shim("hooks", _HTTP_HOOKS),
        **absent(_PARENT_PROXY, "_upstream_proxy"),
        **absent(
            _CONVERSATION,
            "DropStream ErrorCode GetHttpConnection GetHttpConnectionCompleted HttpClient HttpCommand HttpConnection "
            "HttpEvent ReceiveHttp RegisterHttpConnection RequestData RequestEndOfMessage RequestHeaders "
            "RequestProtocolError RequestTrailers ResponseData ResponseEndOfMessage ResponseHeaders "
            "ResponseProtocolError ResponseTrailers SendHttp is_h3_alpn validate_request",
        ),
    },
    "proxy.layers.http._hooks": shim("hooks", _HTTP_HOOKS),
    "proxy.layers.modes": {
        **shim(
            "layers",
            "DestinationKnown HttpProxy HttpUpstreamProxy=UpstreamProxy ReverseProxy Socks5Proxy TransparentProxy",
        ),
        **same("flows.socks5", "Socks5AuthData"),
        **shim("hooks", "Socks5AuthHook"),
        **shim("constants", "SOCKS5_VERSION"),
    },
    "proxy.layers.quic": {
        **shim("layers", "ClientQuicLayer QuicStreamLayer RawQuicLayer ServerQuicLayer"),
        **same("tls", "QuicTlsData QuicTlsSettings"),
        **shim("hooks", "QuicStartClientHook QuicStartServerHook"),
    },
    "proxy.layers.tcp": shim("layers", "TCPLayer")
    | shim("hooks", "TcpEndHook TcpErrorHook TcpMessageHook TcpStartHook")
    | shim("layer_parts", "TcpMessageInjected=MessageInjected"),
    "proxy.layers.tls": {
        **shim("layers", "ClientTLSLayer ServerTLSLayer TLSLayer"),
        **shim("hooks", _TLS_HOOKS),
        **shim("tls_records", "parse_client_hello"),
        **shim("constants", "HTTP1_ALPNS HTTP2_ALPN HTTP3_ALPN HTTP_ALPNS"),
    },
    "proxy.layers.udp": shim("layers", "UDPLayer")
    | shim("hooks", "UdpEndHook UdpErrorHook UdpMessageHook UdpStartHook")
    | shim("layer_parts", "UdpMessageInjected=MessageInjected"),
    "proxy.layers.websocket": {
        **shim("layers", "WebsocketLayer"),
        **shim("hooks", "WebsocketEndHook WebsocketMessageHook WebsocketStartHook"),
        **shim("layer_parts", "WebSocketMessageInjected=MessageInjected"),
    },
    "proxy.mode_specs": {
        **same(
            "flows.proxy_mode",
            "DnsMode LocalMode ProxyMode RegularMode ReverseMode Socks5Mode TransparentMode TunMode UpstreamMode "
            "WireGuardMode",
        ),
        **shim("constants", "BOTH TCP UDP"),
        **absent("the mode is called `local`, its class LocalMode", "OsProxyMode"),
    },
    "proxy.server_hooks": {
        **same("flows.server_hooks", "ServerConnectionHookData"),
        **shim(
            "hooks",
            "ClientConnectedHook ClientDisconnectedHook ServerConnectErrorHook ServerConnectHook ServerConnectedHook "
            "ServerDisconnectedHook",
        ),
    },
    "addons": absent(_ALL_THERE, "default_addons"),
    "addons.anticache": same("addons.anticache", "AntiCache"),
    "addons.anticomp": same("addons.anticomp", "AntiComp"),
    "addons.block": same("addons.block", "Block"),
    "addons.blocklist": same("addons.blocklist", "BlockList")
    | same("filters.rules", "BlockSpec=Blocking parse_spec=parse_blocking"),
    "addons.comment": same("addons.comment", "Comment"),
    "addons.core": same("addons.core", "Core") | shim("constants", "CONF_DIR LISTEN_PORT"),
    "addons.cut": same("addons.cut", "Cut extract"),
    "addons.dns_resolver": same("addons.dnsresolver", "DnsResolver"),
    "addons.dumper": same("addons.dumper", "Dumper"),
    "addons.errorcheck": same("addons.errorcheck", "ErrorCheck"),
    "addons.eventstore": same("addons.eventstore", "EventStore"),
    "addons.export": {
        **same("addons.export", "Export"),
        **shim("exports", "curl_command formats httpie_command raw raw_request raw_response"),
        **absent("an export sends the bytes as they were", "cleanup_request cleanup_response pop_headers"),
    },
    "addons.intercept": same("addons.intercept", "Intercept"),
    "addons.maplocal": same("addons.maplocal", "MapLocal")
    | absent(_RULES, "MapLocalSpec file_candidates parse_map_local_spec"),
    "addons.mapremote": same("addons.mapremote", "MapRemote") | absent(_RULES, "MapRemoteSpec parse_map_remote_spec"),
    "addons.modifybody": same("addons.modifybody", "ModifyBody"),
    "addons.modifyheaders": same("addons.modifyheaders", "ModifyHeaders")
    | absent(_RULES, "ModifySpec parse_modify_spec"),
    "addons.next_layer": {
        **same("addons.nextlayer", "NextLayer"),
        **absent('set data.layer = "more" in next_layer to be asked again with more bytes', "NeedsMoreData"),
        **absent("the layers of midstream are the names in Context.layers", "stack_match"),
    },
    "addons.proxyserver": {
        **same("addons.proxyserver", "Proxyserver=ProxyServer"),
        **same("proxy.mode_servers", "Servers=ModeServers"),
    },
    "proxy.mode_servers": {
        **same("proxy.mode_servers", "ServerInstance=ModeServer"),
        **absent(
            "ctx.master.addons.get('proxyserver').servers gives the servers, each with its `mode`",
            "AsyncioServerInstance DnsInstance LocalRedirectorInstance RegularInstance ReverseInstance ServerManager "
            "Socks5Instance TransparentInstance TunInstance UpstreamInstance WireGuardServerInstance",
        ),
    },
    "addons.asgiapp": same("addons.asgiapp", "ASGIApp WSGIApp make_scope serve"),
    "addons.browser": {
        **same("addons.browser", "Browser"),
        **absent("the command browser.start finds browsers", "find_executable_cmd find_flatpak_cmd"),
    },
    "addons.onboarding": same("addons.onboarding", "Onboarding"),
    "addons.proxyauth": {
        **same("addons.proxyauth", "ProxyAuth"),
        **absent(
            "the option proxyauth says whom to serve; flow.metadata['proxyauth'] says who it was",
            "AcceptAll Htpasswd Ldap REALM SingleUser Validator http_auth_header is_http_proxy "
            "make_auth_required_response mkauth parse_http_basic_auth",
        ),
    },
    "addons.script": {
        **same("addons.script", "ScriptLoader"),
        **absent(
            "the option `scripts` loads scripts: ctx.options.scripts, or Options(scripts=[…])", "Script load_script"
        ),
    },
    "addons.clientplayback": same("addons.clientplayback", "ClientPlayback")
    | absent("`async with` a DumpMaster and call replay.client", "MockServer ReplayHandler"),
    "addons.keepserving": same("addons.keepserving", "KeepServing"),
    "addons.serverplayback": same("addons.serverplayback", "ServerPlayback"),
    "addons.command_history": same("addons.command_history", "CommandHistory"),
    "addons.readfile": same("addons.readfile", "ReadFile ReadFileStdin=ReadFile"),
    "addons.save": same("addons.save", "Save"),
    "addons.savehar": same("addons.savehar", "SaveHar"),
    "addons.server_side_events": same("addons.server_side_events", "ServerSideEvents"),
    "addons.stickyauth": same("addons.stickyauth", "StickyAuth"),
    "addons.stickycookie": same("addons.stickycookie", "StickyCookie")
    | absent("midstream.addons.cookie_jar has the cookies of servers", "ckey domain_match"),
    "addons.strip_dns_https_records": same("addons.stripdnshttpsrecords", "StripDnsHttpsRecords"),
    "addons.termlog": same("addons.termlog", "TermLog"),
    "addons.tlsconfig": same("addons.tlsconfig", "TlsConfig") | shim("constants", "CONF_BASENAME"),
    "addons.update_alt_svc": same("addons.update_alt_svc", "UpdateAltSvc update_alt_svc_header"),
    "addons.upstream_auth": same("addons.upstream_auth", "UpstreamAuth parse_upstream_auth"),
    "addons.view": same("addons.view", "View=ViewAddon"),
}

_LINUX_ONLY = "the mode `transparent` works on Linux only"
_NO_CONSOLE_PARTS = "the console of midstream is its own; its keys, panes and palettes are described in docs/"

CLOSED_PARTS: dict[str, Row] = {
    "proxy.layers.http._upstream_proxy": Absent(_PARENT_PROXY),
    "addons.disable_h2c": Absent("h2c is never upgraded, and clients may begin with HTTP/2 in the clear"),
    "proxy.server": Absent("`async with DumpMaster(Options(…))` of midstream.master serves connections"),
    "proxy.tunnel": Absent(_PARENT_PROXY),
    "proxy.utils": Absent(_CONVERSATION),
    "addons.onboardingapp": Absent(
        "the site is no application of its own; the options onboarding and onboarding_host serve it"
    ),
    "io.compat": Absent("FlowReader of mitmproxy.io reads files of older versions too"),
    "net.http.user_agents": Absent("write the User-Agent that you want"),
    "platform.osx": Absent(_LINUX_ONLY),
    "platform.openbsd": Absent(_LINUX_ONLY),
    "platform.pf": Absent(_LINUX_ONLY),
    "platform.windows": Absent(_LINUX_ONLY),
    "tools.console": Absent(_NO_CONSOLE_PARTS),
    "tools.web": Absent("midstream has no web interface; its console is the program `midstream`"),
    "contrib": Absent("what mitmproxy brings along of others' code is on PyPI under its own name"),
    "utils.arg_check": Absent("unknown flags are explained by the programs themselves"),
    "utils.pyinstaller": Absent("midstream brings no hooks for PyInstaller"),
}
