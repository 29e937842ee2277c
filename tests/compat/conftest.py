"""What the tests of `compat` share: the alias in force for one test, and out of the way again."""

from collections.abc import Iterator

import pytest

from midstream import compat


@pytest.fixture(autouse=True)
def alias() -> Iterator[None]:
    """`import mitmproxy` means midstream within each test here."""
    with compat.installed():
        yield
