"""The option that names the definitions of Protocol Buffers, by which content views name fields.

The views read them; here it is only checked that they can be read, when somebody sets the option.
"""

from __future__ import annotations

from pathlib import Path

from midstream.flows.errors import OptionsError
from midstream.hub import ctx
from midstream.hub.addons import Loader


class Protobuf:
    """The addon; see the module."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "protobuf_definitions",
            str | None,
            None,
            "File with the names of protobuf fields: a `.proto`, or a descriptor set that protoc made.",
            kind="path",
        )

    def configure(self, updated: set[str]) -> None:
        path = ctx.options.protobuf_definitions
        if "protobuf_definitions" not in updated or not path:
            return
        from midstream.contentviews.protobuf import definitions  # only who needs it pays for it

        try:
            definitions.of(Path(path).expanduser())
        except ValueError as error:
            raise OptionsError(f"option protobuf_definitions: {error}") from None
