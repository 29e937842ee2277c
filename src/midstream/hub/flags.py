"""Command line flags, derived from the declared options.

Every option has a long flag: its name with `-` for `_`, and for a bool `--no-…` too. A few have a letter. Called by
invocation.py; `Options.make_parser` is the same for a parser of one's own. What flags mean together with the config
file is decided in invocation.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from midstream.flows.errors import OptionsError
from midstream.hub.adopting import DEFAULT_SOURCE
from midstream.hub.foreign_options import foreign, program_of
from midstream.hub.old_flags import instead_of
from midstream.hub.option import Option
from midstream.hub.option_types import BOOL
from midstream.hub.options import Options
from midstream.text.suggest import nearest

# The letters that fingers know. For a bool that is true by default the letter means no.
SHORT = {
    "client_replay": "C",
    "listen_port": "p",
    "map_remote": "M",
    "mode": "m",
    "modify_body": "B",
    "modify_headers": "H",
    "rfile": "r",
    "save_stream_file": "w",
    "scripts": "s",
    "server": "n",
    "server_replay": "S",
    "ssl_insecure": "k",
}

# What is asked for so often that a shorter flag says it, too.
_ALSO = {"console_ascii": "--ascii"}

# The flags that --help shows. The others exist as well and stand in --options; a page of 150 flags helps nobody.
SHOWN = frozenset(
    {
        *SHORT,
        "allow_hosts",
        "anticache",
        "anticomp",
        "cert_passphrase",
        "certs",
        "console_ascii",
        "console_layout",
        "console_layout_headers",
        "flow_detail",
        "http2",
        "ignore_hosts",
        "intercept",
        "listen_host",
        "map_local",
        "proxyauth",
        "rawtcp",
        "server_replay_extra",
        "server_replay_kill_extra",
        "server_replay_refresh",
        "server_replay_reuse",
        "show_ignored_hosts",
        "showhost",
        "stickyauth",
        "stickycookie",
        "store_streamed_bodies",
        "tcp_hosts",
        "upstream_auth",
        "view_filter",
    }
)

_METAVARS = {"size": "SIZE", "path": "PATH", "filter": "FILTER", "mode": "MODE", "regex": "REGEX", "secret": "SECRET"}


# What argparse says, and what it means.
_WORDS = {"ignored explicit argument": "takes no value, but got", "expected one argument": "needs a value"}


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaints are OptionsError, so that every bad start ends in the same way."""

    def error(self, message: str) -> NoReturn:
        for theirs, ours in _WORDS.items():
            message = message.replace(theirs, ours)
        raise OptionsError(message.removeprefix("argument "))


def make_parser(tool: str, description: str, options: Options, *, show_all: bool = False) -> Parser:
    """The parser for `tool` with the flags of all options that are declared; the help shows some, or all."""
    with_filter = tool == "middump"
    parser = Parser(
        prog=tool,
        description=description,
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=f"{tool} [flags]" + (" [filter]" if with_filter else ""),
        epilog=("The filter selects what is read from a file, saved and printed.\n" if with_filter else "")
        + "Every other option has a flag too, and all can be set by --set; --options lists them.",
    )
    if sys.version_info >= (3, 14):
        parser.color = False  # one look on every terminal and in every pipe
    general = parser.add_argument_group("general")
    add = general.add_argument
    add("-h", "--help", dest="action", action="store_const", const="help", help="show this help")
    add("--version", dest="action", action="store_const", const="version", help="show the version")
    add("--options", dest="action", action="store_const", const="options", help="list all options as a config file")
    add("--commands", dest="action", action="store_const", const="commands", help="list all commands")
    add(
        "--check",
        dest="action",
        action="store_const",
        const="check",
        help="report what is wrong with scripts and config",
    )
    add(
        "--adopt",
        nargs="?",
        const=DEFAULT_SOURCE,
        metavar="FOLDER",
        help=f"copy what is in {DEFAULT_SOURCE} into our config folder",
    )
    add(
        "--completion",
        choices=("bash", "zsh", "fish"),
        metavar="SHELL",
        help="print a completion script: bash, zsh, fish",
    )
    if tool == "midstream":
        _add_sessions(general)
    add("--set", dest="set", action="append", default=[], metavar="NAME[=VALUE]", help="set any option; repeatable")
    add("-q", "--quiet", dest="loudness", action="store_const", const="quiet", help="print errors only")
    add("-v", "--verbose", dest="loudness", action="store_const", const="verbose", help="print everything")
    flags = parser.add_argument_group("options")
    for name, option in sorted(options.items()):
        add_flags(flags, option, short=SHORT.get(name), shown=show_all or name in SHOWN)
    return parser


def _add_sessions(group: argparse._ArgumentGroup) -> None:
    """The flags of the program that keeps flows."""
    resume = "go on with an earlier session: the one that crashed last, else the last, or the one of this name"
    group.add_argument("--resume", nargs="?", const="", metavar="NAME", help=resume)
    listing = "list the sessions that are kept; delete NAME|all deletes"
    group.add_argument("--sessions", nargs="*", metavar="WORD", help=listing)


def add_flags(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup,
    option: Option,
    metavar: str | None = None,
    short: str | None = None,
    *,
    shown: bool = True,
) -> None:
    """Give `parser` the flags of one option. Texts stay texts here: the option itself parses and checks them."""
    long = "--" + option.name.replace("_", "-")
    letter = [f"-{short}"] if short is not None else []
    letter += [_ALSO[option.name]] if option.name in _ALSO else []
    help = _help(option) if shown else argparse.SUPPRESS
    if option.type is BOOL:
        no_long = "--no-" + option.name.replace("_", "-")
        yes, no = ([long], [*letter, no_long]) if option.default_value else ([*letter, long], [no_long])
        parser.add_argument(
            *yes, dest=option.name, action="store_const", const="true", default=argparse.SUPPRESS, help=help
        )
        no_help = f"not --{option.name.replace('_', '-')}" if shown else argparse.SUPPRESS
        parser.add_argument(
            *no, dest=option.name, action="store_const", const="false", default=argparse.SUPPRESS, help=no_help
        )
        return
    parser.add_argument(
        *letter,
        long,
        dest=option.name,
        action="append",  # for all, so that a flag given twice can be told from one that replaces
        default=argparse.SUPPRESS,
        metavar=metavar or _metavar(option),
        help=help,
    )


def flag_texts(options: Options, namespace: argparse.Namespace) -> dict[str, list[str]]:
    """The texts of the options whose flags stand in `namespace`."""
    found: dict[str, list[str]] = {}
    for name, given in vars(namespace).items():
        if name in options:
            texts: list[str] = [given] if isinstance(given, str) else given
            # A list takes all of them and replaces what the file says; of plain values the last one counts.
            found[name] = texts if options.option(name).type.sequence else texts[-1:]
    return found


def refuse_unknown(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """OptionsError for the first of `words` that looks like a flag; it names the flag that was meant."""
    for word in words:
        if word.startswith("-") and word != "-":
            flag = word.partition("=")[0]
            raise OptionsError(f"no flag is called {flag}; {_meant(parser, flag)}")


def _meant(parser: argparse.ArgumentParser, flag: str) -> str:
    # Without the dashes, which all have in common.
    known = [spelling[2:] for spelling in parser._option_string_actions if spelling.startswith("--")]
    name = flag.lstrip("-").replace("_", "-")
    if name in known:
        return f"flags are written with hyphens: --{name}"
    instead = instead_of(flag) or instead_of(f"--{name}")
    if instead:
        return f"it is an old one; instead use {instead}"
    option = name.removeprefix("no-").replace("-", "_")
    if foreign([option], [flag.replace("-", "_") for flag in known]):
        return f"{option} is an option of {program_of(option)}"
    guess = nearest(name, known)
    return f"did you mean '--{guess}'?" if guess else "--help shows the flags; options of scripts are set by --set"


def _help(option: Option) -> str:
    facts = []
    if option.type.sequence:
        facts.append("repeatable")
    if option.choices is not None:
        facts.append(", ".join(option.choices))
    if option.type is not BOOL and option.default_value not in (None, "", []):
        shown = ", ".join(option.default_value) if isinstance(option.default_value, list) else option.default_value
        facts.append(f"default {shown}")
    text = option.help + (f" ({'; '.join(facts)})" if facts else "")
    return text.replace("%", "%%")  # argparse formats help texts


def _metavar(option: Option) -> str:
    if option.choices is not None:
        return "CHOICE"
    if option.type.base is int:
        return "N"
    return _METAVARS.get(option.kind.name, "TEXT")
