"""What a command line asks for, and its effect on the options.

Weak to strong: defaults, config file, `--set` and flags, what a person sets later. All of it is applied as one change,
so that addons never see a half of it. Called by app.py once the addons have declared their options; starts nothing
and makes no folder.
"""

from __future__ import annotations

import argparse
import io
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from midstream.flows.errors import MidstreamError, OptionsError
from midstream.hub import config
from midstream.hub.flags import flag_texts, make_parser, refuse_unknown
from midstream.hub.option_listing import dump_defaults
from midstream.hub.options import Options
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.hub.commands import CommandManager

Tool = Literal["midstream", "middump"]
Action = Literal["run", "help", "version", "options", "commands", "check", "adopt", "completion", "sessions"]

DESCRIPTIONS: dict[Tool, str] = {
    "midstream": "An intercepting proxy in the terminal: watch, hold, edit and replay what passes through.",
    "middump": "The intercepting proxy without a screen: prints what passes through, or what a filter selects of it.",
}

LOUDNESS: dict[str | None, dict[str, object]] = {
    None: {},
    "quiet": {"termlog_verbosity": "error", "flow_detail": 0},
    "verbose": {"termlog_verbosity": "debug", "flow_detail": 2},
}

# What the words behind middump's flags select: what is saved, what is read from a file, what is printed.
_FILTERED = ("dumper_filter", "save_stream_filter", "readfile_filter")


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command line that was understood. `help` is the text for the action of that name, `folder` what to adopt,
    `shell` the one to complete for, `resume` the session to go on with (empty: the last), `words` what is to be done
    with sessions.

    `loudness`, `specs` (behind --set) and `flags` (by option, as texts) are what it sets, from weak to strong.
    """

    tool: Tool
    action: Action
    filter: str | None = None
    help: str = ""
    folder: str = ""
    shell: str = ""
    resume: str | None = None
    words: Sequence[str] = ()
    loudness: Mapping[str, object] = field(default_factory=dict)
    specs: Sequence[str] = ()
    flags: Mapping[str, Sequence[str]] = field(default_factory=dict)


def apply(invocation: Invocation, options: Options) -> None:
    """Set the options that the command line and the config file say, as one change.

    OptionsError is one line that says what is wrong, and where.
    """
    with options.together():
        options.apply(invocation.loudness, "cli")
        options.set(*invocation.specs, defer=True, source="cli")
        options.apply({name: options.option(name).parse(texts) for name, texts in invocation.flags.items()}, "cli")
        config.load_paths(options, *config_files(options))


def _action(namespace: argparse.Namespace) -> Action:
    if namespace.completion is not None:
        return "completion"
    if getattr(namespace, "sessions", None) is not None:
        return "sessions"
    return "adopt" if namespace.adopt is not None else "run"


def choose_folder(invocation: Invocation, options: Options) -> Path:
    """The config folder that a start would use; nothing else is set."""
    options.set(*(spec for spec in invocation.specs if spec.partition("=")[0] == "confdir"), source="cli")
    if "confdir" in invocation.flags:
        options.apply({"confdir": options.option("confdir").parse(invocation.flags["confdir"])}, "cli")
    return config.folder(options)


def config_files(options: Options) -> list[Path]:
    """The files that a start reads, in this order; the folder may have been named by the command line."""
    folder = config.folder(options)
    return [folder / name for name in config.FILE_NAMES]


def understand(tool: Tool, argv: Sequence[str], options: Options) -> Invocation:
    """What `argv` asks for; nothing is set yet. OptionsError for flags that nobody knows."""
    parser = make_parser(tool, DESCRIPTIONS[tool], options)
    before, words_only = _at_dashes(argv)
    namespace, rest = parser.parse_known_args(before)
    refuse_unknown(parser, rest)
    words = [*rest, *words_only]
    if words and tool != "middump":
        raise OptionsError(f"{words[0]!r} is no flag, and {tool} takes nothing else; a filter is set by --view-filter")
    action: Action = namespace.action or _action(namespace)
    if action in ("help", "version"):
        return Invocation(tool, action, help=parser.format_help() if action == "help" else "")
    text = " ".join(words) or None
    loudness = {name: value for name, value in LOUDNESS[namespace.loudness].items() if name in options}
    flags = flag_texts(options, namespace)
    if text is not None:
        flags |= {name: [text] for name in _FILTERED if name in options}
    asked = {"folder": namespace.adopt or "", "shell": namespace.completion or ""}
    invocation = Invocation(tool, action, text, **asked, loudness=loudness, specs=namespace.set, flags=flags)
    if tool != "midstream":
        return invocation
    return replace(invocation, resume=namespace.resume, words=namespace.sessions or ())


def listing(invocation: Invocation, options: Options, commands: CommandManager) -> str | None:
    """What an invocation wants printed instead of a run; None for a run."""
    out = io.StringIO()
    match invocation.action:
        case "run" | "check" | "adopt" | "completion" | "sessions":
            return None
        case "help":
            return invocation.help
        case "version":
            return version()
        case "options":
            dump_defaults(options, out)
        case "commands":
            commands.dump(out)
    return out.getvalue()


def show(text: str) -> None:
    """Print a listing, whatever scripts say in it. MidstreamError: it cannot be (a full disk); BrokenPipeError:
    nobody reads it.
    """
    if sys.stdout is None:  # a process that was started without
        return
    try:
        sys.stdout.write(visible(text, keep_newlines=True))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MidstreamError(f"stdout: {error.strerror or error}") from None


def version() -> str:
    """Our version and what a bug report needs to know beside it."""
    # Imported here: no run needs the package's metadata, nor this module ssl for more than a sentence.
    import ssl

    from midstream import __version__

    return (
        f"midstream {__version__}\n"
        f"Python    {platform.python_version()} ({platform.python_implementation()})\n"
        f"OpenSSL   {ssl.OPENSSL_VERSION}\n"
        f"Platform  {platform.platform()}\n"
    )


def _at_dashes(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before `--` and what stands behind it."""
    words = list(argv)
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1 :]
