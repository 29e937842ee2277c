"""The source files of the package, parsed once; for the tests of this folder, which read code instead of running it."""

import ast
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "midstream"

# The modules of the top level that put the rooms together; every other one there is a door for addon authors.
ROOF = {"__init__", "__main__", "app", "cli"}


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def doors() -> list[Path]:
    return sorted(path for path in PACKAGE.glob("*.py") if path.stem not in ROOF)


def rooms() -> list[str]:
    """The folders of the package that hold code."""
    return sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py")))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), name_of(path))
