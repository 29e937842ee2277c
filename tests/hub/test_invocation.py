"""Command lines: what they set, what they beat, and how a bad one is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from midstream.flows.errors import OptionsError
from midstream.hub.foreign_options import foreign
from midstream.hub.invocation import Invocation, Tool, apply, listing, understand, version
from midstream.hub.options import Options
from midstream.hub.unclaimed import sentence


def parse(tool: Tool, argv: Sequence[str], options: Options) -> Invocation:
    """What a start does with a command line."""
    invocation = understand(tool, argv, options)
    if invocation.action not in ("help", "version"):
        apply(invocation, options)
    return invocation


@pytest.fixture
def confdir(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def opts(confdir: Path) -> Options:
    options = Options()
    add = options.add_option
    add("confdir", str, str(confdir), "The config folder.", kind="path")
    add("mode", Sequence[str], ["regular"], "Proxies to run.")
    add("scripts", Sequence[str], [], "Addon scripts.", kind="path")
    add("server", bool, True, "Whether to listen.")
    add("ssl_insecure", bool, False, "Skip the checks of upstream certificates.")
    add("listen_port", int | None, None, "The port.", kind="range 0..65535")
    add("listen_host", str, "", "The address.")
    add("termlog_verbosity", str, "info", "How much is printed.", choices=["error", "warn", "info", "alert", "debug"])
    add("flow_detail", int, 1, "How much of a flow is printed, 100 % at 4.", kind="range 0..4")
    add("dumper_filter", str | None, None, "What is printed.", kind="text")
    add("save_stream_filter", str | None, None, "What is saved.", kind="text")
    add("stream_large_bodies", str | None, None, "From where bodies are streamed.", kind="size")
    return options


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["-p", "8081"], "listen_port", 8081),
        (["-p8081"], "listen_port", 8081),
        (["--listen-port=8081"], "listen_port", 8081),
        (["-p", "1", "-p", "2"], "listen_port", 2),
        (["-n"], "server", False),
        (["--no-server"], "server", False),
        (["--server"], "server", True),
        (["-k"], "ssl_insecure", True),
        (["--ssl-insecure"], "ssl_insecure", True),
        (["-k", "--no-ssl-insecure"], "ssl_insecure", False),
        (["-m", "socks5", "--mode", "reverse:http://x"], "mode", ["socks5", "reverse:http://x"]),
        (["-s", "a.py", "-s", "b.py"], "scripts", ["a.py", "b.py"]),
        (["--flow-detail", "3"], "flow_detail", 3),
        (["--stream-large-bodies", "1m"], "stream_large_bodies", "1m"),
        (["-q"], "flow_detail", 0),
        (["-q"], "termlog_verbosity", "error"),
        (["-v"], "flow_detail", 2),
        (["-v"], "termlog_verbosity", "debug"),
        (["-q", "--set", "flow_detail=3"], "flow_detail", 3),
        (["--set", "flow_detail=3", "-v"], "flow_detail", 3),
        (["-q", "--flow-detail", "4"], "flow_detail", 4),
        (["-qk"], "ssl_insecure", True),
        (["--set", "ssl_insecure"], "ssl_insecure", True),
        (["--set", "mode=a", "--set", "mode=b"], "mode", ["a", "b"]),
        (["--set", "mode=a", "-m", "b"], "mode", ["b"]),
        (["--set", "listen_port=1", "-p", "2"], "listen_port", 2),
        (["~m", "GET"], "dumper_filter", "~m GET"),
        (["-q", "~m POST", "-k", "~u x"], "save_stream_filter", "~m POST ~u x"),
        (["--", "-k"], "dumper_filter", "-k"),
    ],
)
def test_flags_set_options(opts: Options, argv: list[str], name: str, value: object) -> None:
    invocation = parse("middump", argv, opts)
    assert invocation.action == "run"
    assert getattr(opts, name) == value


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--listen-prot", "8"], "no flag is called --listen-prot; did you mean '--listen-port'?"),
        (["--listen_port", "8"], "no flag is called --listen_port; flags are written with hyphens: --listen-port"),
        (["--listen_prot", "8"], "no flag is called --listen_prot; did you mean '--listen-port'?"),
        (["-y"], "no flag is called -y; --help shows the flags; options of scripts are set by --set"),
        (["--bogus"], "no flag is called --bogus; --help shows the flags; options of scripts are set by --set"),
        (["-T"], "no flag is called -T; it is an old one; instead use --mode transparent"),
        (["--palette=dark"], "no flag is called --palette; it is an old one; instead use --console-palette PALETTE"),
        (["--ssl_version_client", "x"], None),
        (["-p"], "-p/--listen-port: needs a value"),
        (["-p", "http"], "option listen_port: 'http' is no whole number"),
        (["-p", "70000"], "option listen_port: 70000 is above 65535, the largest value allowed"),
        (["--set", "flow_detail=5"], "option flow_detail: 5 is above 4, the largest value allowed"),
        (["--set", "server=perhaps"], "option server: 'perhaps' is neither true, false nor toggle"),
        (["--set", "listen_host"], "option listen_host: needs a value (str): listen_host=…"),
        (["--termlog-verbosity", "warm"], "option termlog_verbosity: 'warm' is no choice; did you mean 'warn'?"),
        (["--set"], "--set: needs a value"),
        (["--server=yes"], "--server: takes no value, but got 'yes'"),
        (["--view-filter", "~q"], "no flag is called --view-filter; view_filter is an option of midstream"),
        (
            ["--no-web-open-browser"],
            "no flag is called --no-web-open-browser; web_open_browser is an option of "
            "a web interface, which is not here",
        ),
    ],
)
def test_bad_command_lines_are_told_in_one_line(opts: Options, argv: list[str], message: str | None) -> None:
    with pytest.raises(OptionsError) as caught:
        parse("middump", argv, opts)
    text = str(caught.value)
    assert text == message or (message is None and "instead use --tls-version-client-min" in text)
    assert "\n" not in text


def test_nothing_is_set_by_a_bad_command_line(opts: Options) -> None:
    with pytest.raises(OptionsError):
        parse("middump", ["-k", "--set", "flow_detail=9"], opts)
    assert opts.ssl_insecure is False


def test_the_console_takes_no_filter(opts: Options) -> None:
    with pytest.raises(OptionsError, match="'~m' is no flag, and midstream takes nothing else"):
        parse("midstream", ["~m", "GET"], opts)


def test_the_file_is_weaker_than_set_and_flags(opts: Options, confdir: Path) -> None:
    (confdir / "config.yaml").write_text(
        "listen_port: 1\nlisten_host: file\nmode: [file]\nscripts: [a.py]\nflow_detail: 3\nssl_insecure: true\n"
    )
    parse("middump", ["-p", "2", "--set", "listen_host=set", "-m", "flag", "-q"], opts)
    assert (opts.listen_port, opts.listen_host, opts.mode) == (2, "set", ["flag"])
    assert opts.scripts == [f"{confdir}/a.py"]
    assert (opts.flow_detail, opts.source("flow_detail")) == (0, "cli")
    assert (opts.ssl_insecure, opts.source("ssl_insecure")) == (True, "file")


def test_set_chooses_the_folder(opts: Options, confdir: Path) -> None:
    other = confdir / "other"
    other.mkdir()
    (other / "config.yaml").write_text("listen_port: 7\n")
    (confdir / "config.yaml").write_text("listen_port: 6\n")
    parse("middump", ["--set", f"confdir={other}"], opts)
    assert opts.listen_port == 7


def test_the_start_is_one_change(opts: Options, confdir: Path) -> None:
    (confdir / "config.yaml").write_text("listen_port: 6\n")
    told: list[set[str]] = []
    opts.changed.connect(told.append)
    parse("middump", ["-q", "--set", "listen_host=h", "-k", "~a"], opts)
    assert told == [
        {
            "listen_port",
            "termlog_verbosity",
            "flow_detail",
            "listen_host",
            "ssl_insecure",
            "dumper_filter",
            "save_stream_filter",
        }
    ]


def test_a_bad_file_ends_the_start(opts: Options, confdir: Path) -> None:
    (confdir / "config.yaml").write_text("server: true\nlisten_port: http\n")
    with pytest.raises(
        OptionsError, match=r"config\.yaml:2:14: option listen_port: expected int or nothing, got 'http'"
    ):
        parse("middump", [], opts)


# -- names that nobody declared --


@pytest.mark.parametrize(
    ("tool", "name"), [("middump", "console_palette"), ("middump", "web_port"), ("midstream", "keepserving")]
)
def test_names_of_other_programs_are_kept_silently(opts: Options, confdir: Path, tool: Tool, name: str) -> None:
    (confdir / "config.yaml").write_text("console_layout: vertical\nweb_host: x\n")
    if tool == "midstream":
        opts.add_option("console_mouse", bool, True, "What only the console has.")
        (confdir / "config.yaml").write_text("dumper_filter: x\nweb_host: x\n")
    parse(tool, ["--set", f"{name}=x"], opts)
    assert sentence(opts) == ""
    assert name in opts.deferred


def test_foreign_names_are_foreign_to_the_right_program() -> None:
    names = ["view_order", "flow_detail", "console_columns", "web_password", "nonsense"]
    assert foreign(names, {"flow_detail"}) == ["view_order", "console_columns", "web_password"]
    assert foreign(names, {"view_order", "console_mouse"}) == ["flow_detail", "web_password"]
    assert foreign(["console_layout"], {"console_mouse"}) == []  # the console itself does not know it


def test_thousands_of_unknown_names_are_counted(opts: Options) -> None:
    for number in range(3_000):
        opts.defer(f"zz{number}{'x' * 1_000}", True, "file", f"config.yaml:{number + 1}:1")
    line = sentence(opts)
    assert line.startswith("no such option: zz0xxx")
    assert line.endswith(" and 2,950 more; they wait for an addon to declare them")
    assert len(line) < 10_000


def test_names_that_are_absent_on_purpose_are_told_with_the_reason(opts: Options, confdir: Path) -> None:
    parse("middump", ["--set", "validate_inbound_headers=false", "--set", "console_flowlist_layout=list"], opts)
    reason = "heads by which requests can be smuggled are always refused here"
    assert f"validate_inbound_headers (--set; {reason})" in sentence(opts)
    assert "console_flowlist_layout" not in sentence(opts)


def test_unknown_names_are_told_in_one_sentence(opts: Options, confdir: Path) -> None:
    (confdir / "config.yaml").write_text("server: true\nlisten_prot: 8\nweb_port: 1\n")
    parse("middump", ["--set", "flow_detial=1", "--set", "zzz"], opts)
    assert sentence(opts) == (
        "no such option: flow_detial (--set; did you mean 'flow_detail'?), zzz (--set), "
        f"listen_prot ({confdir}/config.yaml:2:14; did you mean 'listen_port'?); they wait for an addon to declare them"
    )
    opts.add_option("zzz", bool, False, "")
    opts.process_deferred()
    assert opts.zzz is True
    assert "zzz" not in sentence(opts)
    assert sentence(opts, besides=["flow_detial", "listen_prot"]) == ""


def test_what_a_script_left_behind_is_no_unknown_name(opts: Options) -> None:
    owner = object()
    opts.add_option("mine", int, 1, "", owner=owner)
    opts.set("mine=2", source="cli")
    opts.remove_options(owner)
    assert sentence(opts) == ""
    opts.add_option("mine", int, 1, "", owner=owner)
    opts.process_deferred()
    assert (opts.mine, opts.source("mine")) == (2, "cli")


def test_script_options_may_be_set_before_the_script_is_loaded(opts: Options) -> None:
    parse("middump", ["--set", "mine=5"], opts)
    opts.add_option("mine", int, 1, "")
    opts.process_deferred()
    assert (opts.mine, opts.source("mine")) == (5, "cli")


# -- things printed --


class NoCommands:
    def dump(self, out: object) -> None:
        raise AssertionError("no commands were asked for")


def test_actions(opts: Options) -> None:
    assert parse("midstream", ["--options", "-p", "80"], opts).action == "options"
    assert opts.listen_port == 80
    assert parse("midstream", ["--commands"], opts).action == "commands"
    assert parse("midstream", ["--version"], opts).action == "version"
    assert version().startswith("midstream ")


def test_help_shows_the_common_flags(opts: Options) -> None:
    invocation = parse("middump", ["-h"], opts)
    text = listing(invocation, opts, NoCommands())  # type: ignore[arg-type]
    assert text is not None
    assert "-p N, --listen-port N" in text or "-p, --listen-port N" in text
    assert "-n, --no-server" in text
    assert "100 % at 4. (default 1)" in text
    assert "--stream-large-bodies" not in text
    assert "--stream" not in parse("midstream", ["-h"], opts).help


def test_help_works_whatever_the_config_file_says(opts: Options, confdir: Path) -> None:
    (confdir / "config.yaml").write_text("- broken")
    assert parse("middump", ["--help"], opts).action == "help"


def test_the_listing_of_options(opts: Options) -> None:
    invocation = parse("middump", ["--options"], opts)
    text = listing(invocation, opts, NoCommands())  # type: ignore[arg-type]
    assert text is not None
    assert 'mode: ["regular"]\n' in text
    assert listing(parse("middump", [], opts), opts, NoCommands()) is None  # type: ignore[arg-type]
