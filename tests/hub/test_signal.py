"""Receivers are told in order, and weak ones may go away."""

import gc

from midstream.hub.signal import Signal


class Listener:
    def __init__(self, heard: list[int]) -> None:
        self.heard = heard

    def hear(self, number: int) -> None:
        self.heard.append(number)


def test_receivers_are_called_in_order_and_once() -> None:
    heard: list[str] = []
    signal = Signal[[int]]()

    def first(number: int) -> None:
        heard.append(f"first {number}")

    signal.connect(first)
    signal.connect(lambda number: heard.append(f"second {number}"))
    signal.connect(first)
    signal.send(3)
    assert heard == ["first 3", "second 3"]


def test_disconnected_receivers_hear_nothing() -> None:
    heard: list[int] = []
    signal = Signal[[int]]()
    signal.connect(heard.append)
    signal.disconnect(heard.append)
    signal.disconnect(heard.append)
    signal.send(1)
    assert heard == []


def test_weak_receivers_do_not_keep_their_object() -> None:
    heard: list[int] = []
    signal = Signal[[int]]()
    listener = Listener(heard)
    signal.connect_weakly(listener.hear)
    signal.send(1)
    del listener
    gc.collect()
    signal.send(2)
    assert heard == [1]
