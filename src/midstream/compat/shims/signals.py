"""`mitmproxy.utils.signals`: signals for functions of one signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from midstream.hub.signal import Signal


class SyncSignal(Signal[...]):
    """Tells its receivers, which it does not keep alive. `receiver_spec` shows how they are called."""

    __slots__ = ("_signature",)

    def __init__(self, receiver_spec: Callable[..., Any]) -> None:
        super().__init__()
        self._signature = inspect.signature(receiver_spec)

    def connect(self, receiver: Callable[..., Any]) -> Any:
        self.connect_weakly(receiver)
        return receiver

    def send(self, *args: Any, **kwargs: Any) -> None:
        self._signature.bind(*args, **kwargs)
        super().send(*args, **kwargs)

    def notify(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Send, and collect what the receivers return."""
        self._signature.bind(*args, **kwargs)
        return [receiver(*args, **kwargs) for receiver in self._alive()]

    def _alive(self) -> list[Callable[..., Any]]:
        return [receiver for reference in self._receivers if (receiver := reference()) is not None]


class AsyncSignal(SyncSignal):
    """The same for receivers that may be async: `await signal.send(…)`."""

    __slots__ = ()

    async def send(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # that is the difference
        self._signature.bind(*args, **kwargs)
        for receiver in self._alive():
            result = receiver(*args, **kwargs)
            if inspect.isawaitable(result):
                await result
