"""What a person does to very many flows, or to many on disk: one after the other, in slices, while the program goes on.

Used by the commands that change flows, in addons/core.py and addons/comment.py. It is one gesture, so that one undo
takes all of it back, and a job, which is shown with its share and can be stopped. What was begun first is done first.
A script that calls such a command finds it done when it returns.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.recording import MOST_FLOWS, PERSON, Gesture, may_go_on
from midstream.store.rows import Row
from midstream.store.specs import ids_in, takes_long
from midstream.store.walk import Walk
from midstream.text.escape import visible

logger = logging.getLogger("midstream.edit")

_WRITTEN_AFTER = 500

Edit = Callable[[Flow], bool]
"""Changes a flow; whether it did. CommandError ends it all."""


def are_many(flows: Sequence[Flow]) -> bool:
    """Whether these are more than are changed in one go."""
    return takes_long(flows, MOST_FLOWS) and getattr(ctx.master, "view", None) is not None and may_go_on()


def edit_all(flows: Sequence[Flow], name: str, edit: Edit, may: Callable[[Row], bool]) -> None:
    """Edit flows; of those on disk only the ones whose rows say that something `may` change are read."""
    recorder, ids = ctx.master.events.recorder, ids_in(flows)
    gesture = recorder.long_gesture(f"{name} of {len(ids):,} flows") if recorder.on else Gesture(name)
    ctx.master.background.spawn(_edit_all(ids, name, edit, may, gesture), name)


async def _edit_all(ids: Sequence[str], name: str, edit: Edit, may: Callable[[Row], bool], gesture: Gesture) -> None:
    view, events = ctx.master.view, ctx.master.events
    changed = 0
    try:
        async with events.recorder.turn:
            with events.recorder.within(gesture), ctx.master.jobs.begun(name) as job:
                walk = Walk(view, _worth_a_look(ids, may))
                async for flow in walk:
                    if job.stopped or not gesture.is_wanted:
                        break
                    with events.recorder.of([flow], PERSON, name):
                        has_changed = edit(flow)
                    if has_changed:
                        changed += 1
                        await events.update([flow])
                        if changed % _WRITTEN_AFTER == 0:
                            await view.written()  # there may be more of them than memory has room for
                    job.report(walk.examined / len(ids))
    except CommandError as error:
        logger.error("%s, after %d flows: %s", name, changed, visible(str(error)))
    finally:
        gesture.end()


def _worth_a_look(ids: Iterable[str], may: Callable[[Row], bool]) -> Iterator[str | None]:
    view = ctx.master.view
    for id_ in ids:
        yield id_ if id_ in view and (view.in_memory(id_) is not None or may(view.row(id_))) else None
