"""Random keys of the emacs set; see random_run.py."""

from tests.console.random_run import assert_no_dead_key, press_randomly


async def test_random_keys(tmp_path, monkeypatch):
    run = await press_randomly(tmp_path, monkeypatch, "emacs", seed=1)
    assert_no_dead_key(run)
