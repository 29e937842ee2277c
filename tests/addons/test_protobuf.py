"""The option protobuf_definitions is checked when it is set."""

from pathlib import Path

import pytest

from midstream.addons.protobuf import Protobuf
from midstream.flows.errors import OptionsError
from midstream.testing import context as addon_context


def test_definitions_are_read_when_the_option_is_set(tmp_path: Path) -> None:
    good = tmp_path / "good.proto"
    good.write_text('syntax = "proto3"; message Tea { string name = 1; }')
    with addon_context() as context:
        addon = Protobuf()
        context.master.addons.add(addon)
        context.configure(addon, protobuf_definitions=str(good))
        assert context.options.protobuf_definitions == str(good)
        context.configure(addon, protobuf_definitions=None)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.proto", None, "absent.proto: No such file"),
        ("broken.proto", b"message Tea {\n  string name;\n}", "broken.proto:2: there must be '=' here"),
        ("broken.pb", b"\xff\xff", "neither a .proto file nor a descriptor set"),
        ("empty.pb", b"", "this is no descriptor set"),
    ],
)
def test_what_is_no_definition_is_refused(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with addon_context() as context:
        addon = Protobuf()
        context.master.addons.add(addon)
        with pytest.raises(OptionsError, match=rf"option protobuf_definitions: .*{reason}"):
            context.configure(addon, protobuf_definitions=str(path))
