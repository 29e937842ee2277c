import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.text.sizes import human_size, parse_size


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0b"), (88, "88b"), (999, "999b"), (1000, "1.0k"), (1229, "1.2k"), (18 * 1024, "18k"), (318_464, "311k"),
        (1023 * 1024, "1.0m"), (4 * 1024**2, "4.0m"), (3 * 1024**3, "3.0g"), (5 * 1024**4, "5.0t"),
        (1024**6, "1048576t"),
    ],
)  # fmt: skip
def test_human_size(n: int, text: str) -> None:
    assert human_size(n) == text


@given(st.integers(0, 900 * 1024**4))
def test_five_cells_are_enough(n: int) -> None:
    assert len(human_size(n)) <= 5


@pytest.mark.parametrize(
    ("text", "n"), [("512", 512), ("10k", 10240), ("2m", 2_097_152), ("1G", 1024**3), (" 1t ", 1024**4), ("7b", 7)]
)
def test_parse_size(text: str, n: int) -> None:
    assert parse_size(text) == n


@pytest.mark.parametrize("text", ["", "k", "-1", "1.5m", "1 m", "1kb", "0x10", "²", "9" * 30])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)
