"""Alternatives that a server names, as clients of a reverse mode hear of them; see tests/proxy/test_reverse.py."""

import pytest

from midstream.addons.update_alt_svc import update_alt_svc_header
from tests.kit.stopwatch import within


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ('h3=":443"; ma=3600', 'h3=":9"; ma=3600'),
        ('h2="alt.test:8443", clear', 'h2=":9", clear'),
        ('h2="[::1]:3";persist=1', 'h2=":9";persist=1'),
        ('h2=""', 'h2=""'),
        ("clear", "clear"),
        ("", ""),
    ],
)
def test_every_authority_is_ours(said: str, heard: str) -> None:
    assert update_alt_svc_header(said, 9) == heard


def test_a_hostile_value_takes_no_time() -> None:
    value = 'h2="' + "[" * 60_000
    with within(0.5):
        assert update_alt_svc_header(value, 1) == value
