"""Imports point down (architecture.md §2). The contracts stand in pyproject.toml; import-linter checks them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.source_tree import PACKAGE, REPOSITORY, doors, rooms

CONFIGURATION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
CONTRACTS = CONFIGURATION["tool"]["importlinter"]["contracts"]
LOWEST = {"text", "work"}  # they import no room at all, which the layers say already
ANY_BELOW = {"addons"}  # may import every room below it


def test_the_import_contracts_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


def test_every_room_has_its_place_in_the_layers() -> None:
    (layers,) = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
    placed = {name.strip(" ()") for layer in layers for name in re.split("[|:]", layer)}
    assert set(rooms()) - {"keybindings"} <= placed


def test_every_room_has_a_contract_of_its_own() -> None:
    """The layers are wider than the table: they would let `store` import `wire`."""
    narrowed = {source for contract in CONTRACTS for source in contract.get("source_modules", ()) if len(contract) > 3}
    own = {contract["name"].split(":")[0] for contract in CONTRACTS if ":" in contract["name"]}
    assert {f"midstream.{room}" for room in rooms()} - narrowed <= {"midstream.testing", "midstream.compat"}
    assert set(rooms()) - own <= LOWEST | ANY_BELOW | {"testing", "compat"}


def test_no_room_may_go_through_any_door() -> None:
    (contract,) = [contract for contract in CONTRACTS if "doors" in contract["name"]]
    named = {name.removeprefix("midstream.") for name in contract["forbidden_modules"]}
    assert {path.stem for path in doors()} == named
    assert {source.removeprefix("midstream.") for source in contract["source_modules"]} >= set(rooms()) - {
        "testing",
        "compat",
    }


def test_the_package_is_where_the_contracts_look() -> None:
    assert CONFIGURATION["tool"]["importlinter"]["root_package"] == PACKAGE.name
