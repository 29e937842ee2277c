"""What is declared so far has the names, types, defaults and signatures that people and scripts know.

The tables are facts of the reference program, those of later stages included: whoever declares one of these names must
declare it so. Where we differ on purpose it stands in the tables of differences, with the reason.
"""

import json
from collections.abc import AsyncIterator
from typing import get_args

import pytest

from midstream import app
from midstream.hub.flags import SHORT, make_parser
from midstream.hub.invocation import Tool
from midstream.hub.master import Master
from midstream.hub.option import Option
from midstream.hub.option_types import BOOL, INT, OPTIONAL_INT, OPTIONAL_STR, STR, STRINGS

TYPES = {"bool": BOOL, "int": INT, "int?": OPTIONAL_INT, "str": STR, "str?": OPTIONAL_STR, "[str]": STRINGS}

VIEWS = (
    "auto|dns|graphql|grpc|hex_dump|hex_stream|http/3_frames|image|javascript|json|mqtt|msgpack|multipart_form|protobuf|"
    "query|raw|socket.io|url-encoded|viewcss|wbxml|xml/html|zip_archive"
)

# name type default [choices]; in choices `_` stands for a space.
OPTIONS = r"""
add_upstream_certs_to_client_chain bool false
allow_hosts [str] []
anticache bool false
anticomp bool false
block_global bool true
block_list [str] []
block_private bool false
body_size_limit str? null
cert_passphrase str? null
certs [str] []
ciphers_client str? null
ciphers_server str? null
client_certs str? null
client_replay [str] []
client_replay_concurrency int 1
command_history bool true
confdir str "~/.mitmproxy"
connect_addr str? null
connection_strategy str "eager" eager|lazy
console_default_contentview str "auto" VIEWS
console_eventlog_verbosity str "info" error|warn|info|alert|debug
console_flowlist_layout str "default" default|list|table
console_focus_follow bool false
console_layout str "single" horizontal|single|vertical
console_layout_headers bool true
console_mouse bool true
console_palette str "solarized_dark" dark|light|lowdark|lowlight|solarized_dark|solarized_light
console_palette_transparent bool true
console_quickhelp_visible bool true
console_strip_trailing_newlines bool false
content_view_lines_cutoff int 512
dns_name_servers [str] []
dns_use_hosts_file bool true
dumper_default_contentview str "auto" VIEWS
dumper_filter str? null
export_preserve_original_ip bool false
flow_detail int 1
hardump str ""
http2 bool true
http2_ping_keepalive int 58
http3 bool true
http_connect_send_host_header bool true
ignore_hosts [str] []
intercept str? null
intercept_active bool false
keep_alt_svc_header bool false
keep_host_header bool false
keepserving bool false
key_size int 2048
listen_host str ""
listen_port int? null
map_local [str] []
map_remote [str] []
mode [str] ["regular"]
modify_body [str] []
modify_headers [str] []
normalize_outbound_headers bool true
onboarding bool true
onboarding_host str "mitm.it"
protobuf_definitions str? null
proxy_debug bool false
proxyauth str? null
rawtcp bool true
readfile_filter str? null
request_client_cert bool false
rfile str? null
save_stream_file str? null
save_stream_filter str? null
scripts [str] []
server bool true
server_replay [str] []
server_replay_extra str "forward" forward|kill|204|400|404|500
server_replay_ignore_content bool false
server_replay_ignore_host bool false
server_replay_ignore_params [str] []
server_replay_ignore_payload_params [str] []
server_replay_ignore_port bool false
server_replay_kill_extra bool false
server_replay_nopop bool false
server_replay_refresh bool true
server_replay_reuse bool false
server_replay_use_headers [str] []
show_ignored_hosts bool false
showhost bool false
ssl_insecure bool false
ssl_verify_upstream_trusted_ca str? null
ssl_verify_upstream_trusted_confdir str? null
stickyauth str? null
stickycookie str? null
store_streamed_bodies bool false
stream_large_bodies str? null
strip_ech bool true
tcp_hosts [str] []
tcp_timeout int 600
termlog_verbosity str "info" error|warn|info|alert|debug
tls_ecdh_curve_client str? null
tls_ecdh_curve_server str? null
tls_version_client_max str "UNBOUNDED" UNBOUNDED|SSL3|TLS1|TLS1_1|TLS1_2|TLS1_3
tls_version_client_min str "TLS1_2" UNBOUNDED|SSL3|TLS1|TLS1_1|TLS1_2|TLS1_3
tls_version_server_max str "UNBOUNDED" UNBOUNDED|SSL3|TLS1|TLS1_1|TLS1_2|TLS1_3
tls_version_server_min str "TLS1_2" UNBOUNDED|SSL3|TLS1|TLS1_1|TLS1_2|TLS1_3
udp_hosts [str] []
upstream_auth str? null
upstream_cert bool true
validate_inbound_headers bool true
view_filter str? null
view_order str "time" time|method|url|size
view_order_reversed bool false
web_columns [str] ["tls","icon","path","method","status","size","time"]
web_debug bool false
web_host str "127.0.0.1"
web_open_browser bool true
web_password str ""
web_port int 8081
web_static_viewer str? ""
websocket bool true
"""

COMMANDS = """
browser.start browser:str='chrome'
commands.history.add command:str
commands.history.clear
commands.history.filter prefix:str
commands.history.get -> str[]
commands.history.next -> str
commands.history.prev -> str
console.bodyview flow:flow part:choice(console.bodyview.options)
console.bodyview.options -> str[]
console.choose prompt:str choices:str[] cmd:cmd *args:arg
console.choose.cmd prompt:str choicecmd:cmd subcmd:cmd *args:arg
console.command *command_str:str
console.command.confirm prompt:str cmd:cmd *args:arg
console.command.set option_name:str
console.edit.focus flow_part:choice(console.edit.focus.options)
console.edit.focus.options -> str[]
console.exit
console.flowview.mode -> str
console.flowview.mode.options -> str[]
console.flowview.mode.set mode:choice(console.flowview.mode.options)
console.grideditor.add
console.grideditor.delete
console.grideditor.editor
console.grideditor.insert
console.grideditor.load path:path
console.grideditor.load_escaped path:path
console.grideditor.save path:path
console.key.bind contexts:str[] key:str cmd:cmd *args:arg
console.key.contexts -> str[]
console.key.edit.focus
console.key.execute.focus
console.key.unbind contexts:str[] key:str
console.key.unbind.focus
console.keymap.load path:path
console.layout.cycle
console.layout.options -> str[]
console.nav.down
console.nav.end
console.nav.left
console.nav.next
console.nav.pagedown
console.nav.pageup
console.nav.right
console.nav.select
console.nav.start
console.nav.up
console.options.reset.focus
console.panes.next
console.panes.prev
console.view.commands
console.view.eventlog
console.view.flow flow:flow
console.view.help
console.view.keybindings
console.view.options
console.view.pop
cut flows:flow[] cuts:cut[] -> data[][]
cut.clip flows:flow[] cuts:cut[]
cut.save flows:flow[] cuts:cut[] path:path
eventstore.clear
export format:str f:flow -> str
export.clip format:str f:flow
export.file format:str flow:flow path:path
export.formats -> str[]
flow.comment flow:flow[] comment:str
flow.decode flows:flow[] part:str
flow.encode flows:flow[] part:str encoding:choice(flow.encode.options)
flow.encode.options -> str[]
flow.encode.toggle flows:flow[] part:str
flow.kill flows:flow[]
flow.mark flows:flow[] marker:marker
flow.mark.toggle flows:flow[]
flow.resume flows:flow[]
flow.revert flows:flow[]
flow.set flows:flow[] attr:choice(flow.set.options) value:str
flow.set.options -> str[]
inject.tcp flow:flow to_client:bool message:bytes
inject.udp flow:flow to_client:bool message:bytes
inject.websocket flow:flow to_client:bool message:bytes is_text:bool=True
options.load path:path
options.reset
options.reset.one name:str
options.save path:path
proxyserver.active_connections -> int
readfile.reading -> bool
replay.client flows:flow[]
replay.client.count -> int
replay.client.file path:path
replay.client.stop
replay.server flows:flow[]
replay.server.add flows:flow[]
replay.server.count -> int
replay.server.file path:path
replay.server.stop
save.file flows:flow[] path:path
save.har flows:flow[] path:path
script.run flows:flow[] path:path
set option:str *value:str
view.clear
view.clear_unmarked
view.filter.set filter_expr:str
view.flows.create method:str url:str
view.flows.duplicate flows:flow[]
view.flows.load path:path
view.flows.remove flows:flow[]
view.flows.resolve flow_spec:str -> flow[]
view.focus.go offset:int
view.focus.next
view.focus.prev
view.order -> str
view.order.options -> str[]
view.order.reverse boolean:bool
view.order.set order_key:str
view.properties.inbounds index:int -> bool
view.properties.length -> int
view.properties.marked -> bool
view.properties.marked.toggle
view.settings.getval flow:flow key:str default:str -> str
view.settings.setval flows:flow[] key:str value:str
view.settings.setval.toggle flows:flow[] key:str
"""

OPTIONS_OF_OUR_OWN = {
    "body_buffer_limit",  # architecture.md §3
    "connect_timeout",  # promises.md 2: limits are options
    "console_bell",
    "console_escape_wait",
    "console_keys",
    "head_timeout",
    "key_type",  # ECDSA is the default here
}

OPTIONS_THAT_DIFFER = {
    "confdir": "our own folder, not the reference's",
    "console_palette": "palettes of our own besides the known ones; console.md",
}

COMMANDS_THAT_DIFFER = {
    "view.order.set order_key:choice(view.order.options)": "a choice can be completed, and a wrong one is named",
}


def option_rows() -> dict[str, list[str]]:
    lines = OPTIONS.replace(" VIEWS", f" {VIEWS}").strip().splitlines()
    return {line.split(" ", 1)[0]: line.split(" ") for line in lines}


@pytest.fixture(params=get_args(Tool))
async def master(request: pytest.FixtureRequest) -> AsyncIterator[Master]:
    """Each program's master with all its built-in addons, not running."""
    made = app.make_master(request.param, app.make_options())
    yield made
    await made.done()


async def test_options_have_their_known_type_default_and_choices(master: Master) -> None:
    rows = option_rows()
    for name, option in master.options.items():
        if name in OPTIONS_OF_OUR_OWN or name in OPTIONS_THAT_DIFFER:
            continue
        assert name in rows, f"{name}: is it of our own? then list it above"
        _, kind, default, *choices = rows[name]
        assert option.type is TYPES[kind], name
        assert option.default == json.loads(default), name
        if choices == [VIEWS]:  # more come with later stages, in this order
            assert option.choices == tuple(view for view in VIEWS.replace("_", " ").split("|") if view in option.choices)
            continue
        assert shown_choices(option) == choices, name


def shown_choices(option: Option) -> list[str]:
    return ["|".join(option.choices).replace(" ", "_")] if option.choices is not None else []


async def test_no_option_of_our_own_has_a_known_name() -> None:
    assert not OPTIONS_OF_OUR_OWN & set(option_rows())
    assert set(OPTIONS_THAT_DIFFER) <= set(option_rows())


async def test_commands_have_their_known_signatures(master: Master) -> None:
    rows = {line.split(" ", 1)[0]: line for line in COMMANDS.strip().splitlines()}
    for name, command in master.commands.commands.items():
        shown = command.signature_help()
        if shown in COMMANDS_THAT_DIFFER:
            continue
        if name not in rows:
            # Panes of our own need commands of their own; all others are known.
            assert name.startswith("console."), name
            continue
        assert shown == rows[name]


async def test_every_option_has_its_flag(master: Master) -> None:
    parser = make_parser("middump", "", master.options)
    known = parser._option_string_actions
    for name, option in master.options.items():
        flag = name.replace("_", "-")
        assert f"--{flag}" in known
        assert (f"--no-{flag}" in known) == (option.type is BOOL)
        if name in SHORT:
            assert f"-{SHORT[name]}" in known


LETTERS = "m mode n server k ssl_insecure r rfile s scripts w save_stream_file p listen_port C client_replay"
LETTERS += " S server_replay M map_remote B modify_body H modify_headers"


def test_the_letters_are_the_known_ones() -> None:
    words = LETTERS.split()
    assert {name: letter for letter, name in zip(words[::2], words[1::2], strict=True)} == SHORT
