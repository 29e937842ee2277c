"""Smoke test of the installed wheel: both programs start, and the key sets came along. Run by .ci/run."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from ruamel.yaml import YAML

import midstream

programs = Path(sys.executable).parent
assert Path(midstream.__file__).is_relative_to(sys.prefix), f"not the installed package: {midstream.__file__}"

for program in ("midstream", "middump"):
    said = subprocess.run([programs / program, "--version"], capture_output=True, text=True, check=True).stdout
    assert midstream.__version__ in said, said
    for listing in ("--options", "--commands", "--help"):
        said = subprocess.run([programs / program, listing], capture_output=True, text=True, check=True).stdout
        assert len(said.splitlines()) > 20, f"{program} {listing}: {said}"

sets = files("midstream") / "keybindings"
default = YAML(typ="safe").load((sets / "default.yaml").read_text("utf-8"))
assert default["version"] == 1 and len(default["bind"]) > 50, default
print("the wheel has both programs and the key sets:", *sorted(entry.name for entry in sets.iterdir()))
