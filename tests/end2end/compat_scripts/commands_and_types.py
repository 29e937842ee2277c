"""Commands over flows, called by name from a handler."""

import typing
from collections.abc import Sequence

from mitmproxy import command, ctx, exceptions, flow, http, types


class Tally:
    def load(self, loader):
        loader.add_option("tally_file", typing.Optional[str], None, "Where to write the addresses.")  # noqa: UP045

    @command.command("tally.urls")
    def urls(self, flows: Sequence[flow.Flow]) -> Sequence[str]:
        """The addresses of flows."""
        return [f.request.pretty_url for f in flows if isinstance(f, http.HTTPFlow)]

    @command.command("tally.write")
    @command.argument("mode", type=types.Choice("tally.modes"))
    def write(self, text: str, path: types.Path, mode: str) -> None:
        """Write a text to a file."""
        with open(path, "a" if mode == "append" else "w") as f:
            f.write(text + "\n")

    @command.command("tally.modes")
    def modes(self) -> Sequence[str]:
        return ["append", "replace"]

    def response(self, flow: http.HTTPFlow):
        (url,) = ctx.master.commands.call("tally.urls", [flow])
        ctx.master.commands.call_strings("tally.write", [url, ctx.options.tally_file, "append"])
        try:
            ctx.master.commands.execute("tally.write too few")
        except exceptions.CommandError:
            ctx.log.info("the command refused too few arguments")


addons = [Tally()]
