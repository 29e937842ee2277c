"""Names of mitmproxy around addons: context, options, commands, log, master, filters, files, programs, tests."""

from __future__ import annotations

from midstream.compat.rows import Names, absent, same, shim

_FILTER_CLASSES = (
    "FAll FAnd FAsset FBod FBodRequest FBodResponse FCode FComment FContentType FContentTypeRequest "
    "FContentTypeResponse FDNS FDomain FDst FErr FHTTP FHead FHeadRequest FHeadResponse FMarked FMarker FMeta FMethod "
    "FNot FOr FReplay FReplayClient FReplayServer FReq FResp FSrc FTCP FUDP FUrl FWebSocket only filter_int filter_rex "
    "filter_unary"
)
_IO = "FilteredFlowWriter FlowReader FlowWriter read_flows_from_paths"

CORE: dict[str, Names] = {
    "": {},
    "ctx": same("hub.ctx", "master options log"),
    "addonmanager": {
        **same("addonmanager", "AddonManager Loader safecall"),
        **same("hub.handlers", "traverse=walk"),
        **shim("hooks", "LoadHook"),
        **shim("handlers", "cut_traceback"),
    },
    "hooks": {
        **shim("hooks", "Hook ConfigureHook DoneHook RunningHook UpdateHook"),
        **same("hub.events", "all_hooks=DECLARATIONS"),
    },
    "eventsequence": shim("hooks", "iterate"),
    "command": {
        **same("command", "Command CommandManager CommandParameter ParseResult argument command"),
        **shim("commands", "typename parsearg verify_arg_signature"),
    },
    "command_lexer": {
        **same("hub.lexer", "quote unquote"),
        **absent("midstream.hub.lexer.lex(line) cuts a line into its words", "expr PartialQuotedString"),
    },
    "types": {
        **same("types", "Choice Cmd CmdArgs CutSpec Data Marker Path Space Unknown"),
        **same("hub.arguments", "TypeManager=CommandTypes"),
        **shim("commands", "CommandTypes"),
    },
    "exceptions": same(
        "exceptions",
        "AddonHalt AddonManagerError CommandError ControlException FlowReadException MitmproxyException OptionsError",
    ),
    "log": {
        **same("log", "ALERT LogEntry LogLevels MitmFormatter MitmLogHandler log_tier"),
        **same("hub.log", "Log"),
        **shim("constants", "LOGGING_LEVELS_TO_LOGENTRY LOG_COLORS"),
        **shim("hooks", "AddLogHook"),
        **absent("a handler called add_log, or a MitmLogHandler of your own, gets the records", "LegacyLogEvents"),
    },
    "optmanager": {
        **same("optmanager", "OptManager dump_defaults dump_dicts load load_paths relative_path save serialize"),
        **absent("optmanager.load(options, text) reads and applies a config file", "parse"),
    },
    "options": {
        **same("options", "Options"),
        **shim("constants", "CONF_BASENAME CONF_DIR KEY_SIZE CONTENT_VIEW_LINES_CUTOFF"),
    },
    "master": same("master", "Master"),
    "flowfilter": {
        **same("flowfilter", "TFilter help match match_all parse"),
        **absent("filters are made of text: flowfilter.parse('~q & ~u login')", _FILTER_CLASSES),
    },
    "io": same("io", _IO),
    "io.io": same("io", _IO),
    "io.har": shim("har", "fix_headers request_to_flow"),
    "io.tnetstring": {
        **shim("tnetstring", "dump dumps load loads"),
        **absent("tnetstring.loads and tnetstring.load read a value", "parse pop split"),
    },
    "script": same("script", "concurrent"),
    "script.concurrent": same("script", "concurrent"),
    "version": shim("constants", "VERSION MITMPROXY FLOW_FORMAT_VERSION get_dev_version"),
    "platform": shim("redirection", "init_transparent_mode original_addr"),
    "platform.linux": shim("redirection", "SOL_IPV6 SO_ORIGINAL_DST original_addr"),
    "tools": {},
    "tools.main": shim("programs", "mitmdump mitmproxy mitmweb run process_options"),
    "tools.dump": same("app", "DumpMaster"),
    "tools.cmdline": shim(
        "programs", "common_options mitmdump=dump_parser mitmproxy=console_parser mitmweb=web_parser"
    ),
    "tools.console": {},
    "tools.console.master": same("app", "ConsoleMaster"),
    "tools.web": {},
    "tools.web.master": shim("programs", "WebMaster"),
    "test": {},
    "test.tflow": same(
        "testing",
        "DummyFlow tclient_conn tdnsflow tdummyflow terr tflow tflows tserver_conn ttcpflow tudpflow twebsocket "
        "twebsocketflow",
    ),
    "test.tutils": same("testing", "tdnsreq tdnsresp treq tresp"),
    "test.taddons": same("testing", "context"),
}
