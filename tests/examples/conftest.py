"""The config folder of a test, as in the tests of whole programs."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def confdir(tmp_path: Path) -> Path:
    """A config folder that does not exist yet."""
    return tmp_path / "conf"
