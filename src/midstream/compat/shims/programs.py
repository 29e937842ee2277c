"""`mitmproxy.tools.main` and `.tools.cmdline`: starting the programs from a script."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from midstream.flows.errors import MidstreamError
from midstream.hub.flags import flag_texts, make_parser
from midstream.hub.invocation import DESCRIPTIONS, LOUDNESS, Invocation, Tool, apply
from midstream.hub.options import Options

M = TypeVar("M")

NO_WEB = (
    "midstream has no web interface: mitmproxy() starts the console (the program `midstream`), "
    "mitmdump() the proxy without a screen (`middump`)"
)


def mitmdump(args: Sequence[str] | None = None) -> int:
    """Run the headless program to its end, with these arguments or those of the process; returns its exit status."""
    return _program("middump", args)


def mitmproxy(args: Sequence[str] | None = None) -> int:
    """Run the console to its end."""
    return _program("midstream", args)


def mitmweb(args: Sequence[str] | None = None) -> NoReturn:
    """There is none; MidstreamError says what there is."""
    raise MidstreamError(NO_WEB)


class WebMaster:
    """There is none; making one raises MidstreamError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise MidstreamError(NO_WEB)


def run(
    master_cls: Callable[[Options], M],
    make_parser: Callable[[Options], argparse.ArgumentParser],
    arguments: Sequence[str],
    extra: Callable[[argparse.Namespace], dict[str, Any]] | None = None,
) -> M:
    """Make a master, set its options by a command line, and run it to its end. `extra` may add option values."""

    async def main() -> M:
        options = importlib.import_module("midstream.app").make_options()
        master: Any = master_cls(options)
        parser = make_parser(options)
        namespace = parser.parse_args(arguments)
        with options.together():
            process_options(parser, options, namespace)
            if extra is not None:
                options.update_defer(**extra(namespace))
        await master.run()
        return master  # type: ignore[no-any-return]

    return asyncio.run(main())


def process_options(parser: argparse.ArgumentParser, opts: Options, args: argparse.Namespace) -> None:
    """Apply a parsed command line, and what the config file says of the rest."""
    loudness = {name: value for name, value in LOUDNESS[getattr(args, "loudness", None)].items() if name in opts}
    specs = getattr(args, "set", ())
    apply(Invocation("middump", "run", loudness=loudness, specs=specs, flags=flag_texts(opts, args)), opts)


def dump_parser(opts: Options) -> argparse.ArgumentParser:
    """`cmdline.mitmdump`: the flags of the headless program, with those of all options declared so far."""
    return _parser("middump", opts)


def console_parser(opts: Options) -> argparse.ArgumentParser:
    """`cmdline.mitmproxy`: the flags of the console."""
    return _parser("midstream", opts)


def web_parser(opts: Options) -> NoReturn:
    """`cmdline.mitmweb`: there is none; MidstreamError says what there is."""
    raise MidstreamError(NO_WEB)


def common_options(parser: argparse.ArgumentParser, opts: Options) -> None:
    """Give a parser of one's own the flags of all options declared so far."""
    for name in sorted(opts.keys()):
        opts.make_parser(parser, name)


def _program(name: str, args: Sequence[str] | None) -> int:
    # The command line stands above this room and is imported by name.
    program: Callable[[Sequence[str]], int] = getattr(importlib.import_module("midstream.cli"), name)
    return program(sys.argv[1:] if args is None else list(args))


class Given(argparse.Namespace):
    """A parsed command line, with the names that programs of one's own read in it."""

    set: list[str]
    loudness: str | None
    action: str | None

    @property
    def setoptions(self) -> list[str]:
        return self.set

    @property
    def quiet(self) -> bool:
        return self.loudness == "quiet"

    @property
    def verbose(self) -> bool:
        return self.loudness == "verbose"

    @property
    def version(self) -> bool:
        return self.action == "version"

    @property
    def options(self) -> bool:
        return self.action == "options"

    @property
    def commands(self) -> bool:
        return self.action == "commands"


def _parser(tool: Tool, opts: Options) -> argparse.ArgumentParser:
    parser = make_parser(tool, DESCRIPTIONS[tool], opts)
    if tool == "middump":
        parser.add_argument("filter_args", nargs="*", metavar="filter")
    parse = parser.parse_known_args
    parser.parse_known_args = lambda args=None, namespace=None: parse(args, namespace or Given())  # type: ignore[method-assign, assignment]
    return parser
