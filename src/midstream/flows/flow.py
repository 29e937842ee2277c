"""What HTTP, TCP, UDP and DNS flows have in common: identity, marks, holding, killing, undo, state.

Made by the proxy for every exchange, so that making one must cost next to nothing: no id, no dict and no future
exists before someone asks for it, and a flow is part of no reference cycle.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar, Self
from uuid import uuid4

from midstream.flows import change
from midstream.flows import state as s
from midstream.flows.change import Change
from midstream.flows.connection import Client, Server, checked_client, checked_server
from midstream.flows.errors import ControlException
from midstream.flows.tls_facts import KEY, facts_of, saved_via, take_facts
from midstream.flows.unsaved import Unsaved

FLOW_FORMAT_VERSION = 21
"""The version of the state dicts."""


class Error:
    """Why a flow failed, in words. Unlike an HTTP error status, this is about the exchange itself."""

    __slots__ = {"msg": "The words.", "timestamp": "When it happened, in seconds since the epoch."}

    KILLED_MESSAGE: ClassVar[str] = "Connection killed."

    def __init__(self, msg: str, timestamp: float | None = None) -> None:
        self.msg = msg
        self.timestamp: float = time.time() if timestamp is None else timestamp

    def __str__(self) -> str:
        return self.msg

    def __repr__(self) -> str:
        return self.msg

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Error):
            return self.msg == other.msg and self.timestamp == other.timestamp
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.msg, self.timestamp))

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        return {"msg": self.msg, "timestamp": self.timestamp}

    def set_state(self, state: s.State) -> None:
        """Take over the values of a state. Raises ValueError."""
        new = checked_error(state, "error")
        self.msg, self.timestamp = new.msg, new.timestamp

    def copy(self) -> "Error":
        """Another error with the same values."""
        return Error(self.msg, self.timestamp)

    @classmethod
    def from_state(cls, state: s.State) -> "Error":
        """An error with these values. Raises ValueError."""
        return checked_error(state, "error")


_ERROR: s.Schema = s.Schema({"msg": s.text, "timestamp": s.number})


def checked_error(value: Any, where: str) -> Error:
    """A state check: an error."""
    return Error(**s.read(value, where, _ERROR))


def _version(value: Any, where: str) -> int:
    if s.integer(value, where) != FLOW_FORMAT_VERSION:
        raise s.StateError(f"{where}: expected {FLOW_FORMAT_VERSION}, got {value}")
    return FLOW_FORMAT_VERSION


_FLOW: s.Schema = s.Schema(
    {
        "version": _version,
        "type": s.text,
        "id": s.text,
        "error": s.optional(checked_error),
        "client_conn": checked_client,
        "server_conn": checked_server,
        "intercepted": s.flag,
        "is_replay": s.optional(s.one_of("request", "response")),
        "marked": s.text,
        "metadata": s.notes,
        "comment": s.text,
        "timestamp_created": s.number,
        "backup": s.optional(s.plain_dict),
    }
)
_MAY_MISS = frozenset({"backup"})

_TYPES: dict[str, "type[Flow]"] = {}


class Flow:
    """One exchange of one protocol between a client and a server.

    `live` says that the proxy still works on it. `intercepted` says that it is held for a person. `marked` is a marker
    such as `:default:`, empty for none. `metadata` is for addons to keep notes in; attributes of their own work too,
    but are not saved. `killed_callback`, set by the proxy, is called once by `kill`, in whatever thread that runs,
    unless somebody waits for the held flow and is woken by it.
    """

    __slots__ = {  # the texts are what pydoc says of each
        "__dict__": "",
        "__weakref__": "",
        "_backup": "",
        "_changes": "",
        "_id": "",
        "_metadata": "",
        "_resumed": "",
        "client_conn": "The connection of the client.",
        "comment": "A note for people.",
        "error": "Why the exchange failed, as an Error; None while it has not.",
        "injector": "Takes a message that the `inject` commands made; the proxy's own, None where nothing can be sent.",
        "intercepted": "Whether it is held; see `intercept` and `resume`.",
        "is_replay": "`request` or `response` for a flow that was sent again, else None.",
        "killed_callback": "Called once by `kill`; the proxy's own.",
        "live": "Whether the proxy still works on it.",
        "marked": "A marker such as `:default:`; empty for none.",
        "server_conn": "The connection to the server.",
        "timestamp_created": "When this object was made, in seconds since the epoch.",
    }

    type: ClassVar[str] = ""
    _SCHEMA: ClassVar[s.Schema] = _FLOW

    error: Error | None
    is_replay: str | None
    killed_callback: Callable[[], None] | None
    injector: Callable[[Any], None] | None
    _backup: s.State | None
    _changes: list[Change] | None
    _metadata: dict[str, Any] | None
    _resumed: "asyncio.Future[None] | None"

    def __init__(self, client_conn: Client, server_conn: Server, live: bool = False) -> None:
        self.client_conn = client_conn
        self.server_conn = server_conn
        self.live = live
        self.timestamp_created: float = time.time()
        self.intercepted = False
        self.marked = self.comment = self._id = ""
        self.error = self.is_replay = self.killed_callback = self.injector = None
        self._backup = self._changes = self._metadata = self._resumed = None

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        """Makes a subclass known by its name as a type of flow that states may have."""
        super().__init_subclass__(**kwargs)
        if abstract:
            return
        cls.type = cls.__name__.removesuffix("Flow").lower()
        _TYPES[cls.type] = cls

    @property
    def id(self) -> str:
        """A UUID, made when it is first asked for."""
        if not self._id:
            self._id = str(uuid4())
        return self._id

    @id.setter
    def id(self, value: str) -> None:
        self._id = value
        if self._backup is not None:
            # Another id is no edit: a revert must not bring the old one back.
            self._backup = {**self._backup, "id": value}

    @property
    def metadata(self) -> dict[str, Any]:
        """Notes of addons, by name."""
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    @metadata.setter
    def metadata(self, value: dict[str, Any]) -> None:
        self._metadata = value

    @property
    def changes(self) -> list[Change]:
        """Who changed what, the oldest first; filled while changes are recorded (option record_changes)."""
        return self._changes if self._changes is not None else []

    def note_change(self, change_: Change) -> None:
        """Add to `changes`; the oldest give way."""
        if self._changes is None:
            self._changes = []
        self._changes.append(change_)
        del self._changes[: -change.MOST_CHANGES]

    @property
    def timestamp_start(self) -> float:
        """When the exchange began, in seconds since the epoch."""
        return self.timestamp_created

    # --- holding and killing

    @property
    def killable(self) -> bool:
        """Whether `kill` would do anything."""
        return self.live and not (self.error is not None and self.error.msg == Error.KILLED_MESSAGE)

    def kill(self) -> None:
        """End the exchange: nothing more of it is forwarded. Raises ControlException when it is over already.

        A flow that is held is let go at once, so that the proxy sees the error and closes the connections.
        """
        if not self.killable:
            raise ControlException("Flow is not killable.")
        self.error = Error(Error.KILLED_MESSAGE)
        self.intercepted = False
        self.live = False
        somebody_waits = self._resumed is not None
        self._wake()
        if self.killed_callback is not None and not somebody_waits:
            self.killed_callback()

    def intercept(self) -> None:
        """Hold the flow: the proxy waits after the present event until `resume` or `kill`."""
        self.intercepted = True

    def resume(self) -> None:
        """Let a held flow go on. May be called from any thread."""
        if self.intercepted:
            self.intercepted = False
            self._wake()

    async def wait_for_resume(self) -> None:
        """Return when the flow is held no longer, at once if it is not. Any number of tasks may wait."""
        while self.intercepted:
            future = self._resumed
            if future is None:
                self._resumed = asyncio.get_running_loop().create_future()
                continue  # a thread may have resumed the flow before it could see the future
            # One waiter that is cancelled must not cancel what the others wait for.
            await asyncio.shield(future)

    def _wake(self) -> None:
        future, self._resumed = self._resumed, None
        if future is None:
            return
        loop = future.get_loop()
        # Commands come from the loop itself, but `@concurrent` handlers come from threads.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_finish, future)

    # --- undo and copies

    def backup(self, force: bool = False) -> None:
        """Remember the present state for `revert`, unless one is remembered already."""
        if force or self._backup is None:
            self._backup = self._content()

    def _content(self) -> s.State:
        """The state without what tells how it came about."""
        state = {**self.get_state(), "backup": None}
        if change.KEY in state["metadata"]:
            del state["metadata"][change.KEY]
        return state

    def unedited(self) -> Self | None:
        """Another flow, neither live nor held, as this one was when it was backed up; None when it was not."""
        if self._backup is None:
            return None
        return type(self).from_state({**self._backup, "id": "", "intercepted": False, "backup": None})

    def modified(self) -> bool:
        """Whether anything differs from the remembered state."""
        return self._backup is not None and self._content() != self._backup

    def revert(self) -> None:
        """Go back to the remembered state, if any.

        Whether the flow is held is no edit, and the records of its own connections go on being the proxy's.
        """
        if self._backup is not None:
            backup, self._backup = self._backup, None
            self._take(backup, keep_live_parts=True)

    def copy(self) -> Self:
        """Another flow of the same content, with a new id, neither live nor held."""
        return type(self).from_state({**self.get_state(), "id": "", "intercepted": False, "backup": None})

    # --- state

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds (version 21 of the reference's format)."""
        notes = self._metadata or {}
        metadata = {name: note for name, note in notes.items() if not isinstance(note, Unsaved)}
        if facts := facts_of(self.client_conn, self.server_conn):
            metadata[KEY] = facts
        if self._changes:
            metadata[change.KEY] = change.states_of(self._changes)
        return {
            "version": FLOW_FORMAT_VERSION,
            "type": self.type,
            "id": self.id,
            "error": self.error.get_state() if self.error else None,
            "client_conn": self.client_conn.get_state(),
            "server_conn": saved_via(self.server_conn.get_state()),
            "intercepted": self.intercepted,
            "is_replay": self.is_replay,
            "marked": self.marked,
            "metadata": metadata,
            "comment": self.comment,
            "timestamp_created": self.timestamp_created,
            "backup": self._backup,
        }

    def set_state(self, state: s.State) -> None:
        """Take over the values of a state; nothing is changed when it is refused. Raises ValueError."""
        self._take(state)

    def _take(self, state: s.State, keep_live_parts: bool = False) -> None:
        values = s.read(state, f"{self.type} flow", self._SCHEMA, _MAY_MISS)
        if values["type"] != self.type:
            raise s.StateError(f"{self.type} flow: the state is that of a {values['type']} flow")
        values["_backup"] = values.pop("backup", None)
        del values["version"], values["type"]
        if keep_live_parts:
            del values["intercepted"]
            for name in ("client_conn", "server_conn"):
                if values[name].id == getattr(self, name).id:
                    del values[name]
        facts = values["metadata"].pop(KEY, None)
        changes = values["metadata"].pop(change.KEY, None)
        for name, value in values.items():
            setattr(self, name, value)
        if facts is not None:
            take_facts(self.client_conn, self.server_conn, facts)
        if changes is not None:
            self._changes = change.from_states(changes) or None
        if not self.intercepted:
            self._wake()

    @classmethod
    def from_state(cls, state: s.State) -> Self:
        """A flow of the type that the state names. Raises ValueError, also when that is not one of this class."""
        if not isinstance(state, dict):
            raise s.StateError(f"flow: expected a dict, got {type(state).__name__}")
        kind = _TYPES.get(s.text(state.get("type"), "flow.type"))
        if kind is None or not issubclass(kind, cls):
            raise s.StateError(f"flow: {state.get('type')!r} is no type of flow that can be read here")
        new = kind.__new__(kind)
        Flow.__init__(new, None, None)  # type: ignore[arg-type] # the state fills both in, or raises
        new._take(state)
        return new


def _finish(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
