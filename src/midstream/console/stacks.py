"""Which panes are open: one stack of panes, or two halves with a stack each, and the log drawer. One has the focus.

The console asks and tells; the workspace paints what is on top here. Which half a pane goes to is decided here and
nowhere else: the flow list lives in the first half, the details in the second, all others in the one with the focus.
No pane is open twice. Widths and heights are not known here, only the shares of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from midstream.console.pane import Pane

LAYOUTS = ("single", "vertical", "horizontal")
ROOT = "flows"
DETAIL = "detail"
SHARES = (10, 90)  # what one half can have, in per cent

_FIRST, _SECOND = 0, 1


class Stacks:
    """`make` gives the pane of a name; it is called once for each pane, and once for each drawer."""

    def __init__(self, make: Callable[[str], Pane]) -> None:
        self._make = make
        self._made: dict[str, Pane] = {}
        self._halves: tuple[list[Pane], list[Pane]] = ([], [])
        self._at = _FIRST
        self._told: Pane | None = None  # who was told last that it has the focus
        self.layout = "single"
        self.halves_fit = self.drawer_fits = True  # whether there is room for them; the workspace says so
        self.share = 50  # of the first half, in per cent
        self.drawer_share = 33
        self.drawer: Pane | None = None
        self.drawer_has_focus = False

    # --- asking -----------------------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self._halves[_FIRST])

    @property
    def is_split(self) -> bool:
        """Whether there are two halves, be they painted or not."""
        return self.layout != "single"

    @property
    def pane(self) -> Pane:
        """On top of the half that has the focus, or had it before the drawer."""
        return self._halves[self._at][-1]

    @property
    def focused(self) -> Pane:
        """Who gets the keys."""
        return self.drawer if self.drawer is not None and self.drawer_has_focus else self.pane

    @property
    def tops(self) -> Sequence[Pane]:
        """What is on top of each half."""
        return [half[-1] for half in self._halves if half]

    @property
    def shown(self) -> Sequence[Pane]:
        """The panes on the screen, the drawer last; where there is no room for all, those with the focus."""
        if self.drawer is not None and not self.drawer_fits and self.drawer_has_focus:
            return [self.drawer]
        panes = self.tops if self.halves_fit else [self.pane]
        return [*panes, self.drawer] if self.drawer is not None and self.drawer_fits else panes

    def holds(self, pane: Pane) -> bool:
        """Whether a pane is open, be it on top or below another one."""
        return pane in self._halves[_FIRST] or pane in self._halves[_SECOND]

    @property
    def is_at_root(self) -> bool:
        """Whether there is nothing to go back to."""
        return self._at == _FIRST and len(self._halves[_FIRST]) == 1 and not self.drawer_has_focus

    def meant_id(self) -> str | None:
        """The flow that `@focus` means, where the focused pane has one of its own."""
        return self.focused.meant_id() if self else None

    def get(self, name: str) -> Pane:
        """The pane of a name, made the first time."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    # --- opening and closing ----------------------------------------------------------------------------------------

    def open(self, pane: Pane) -> None:
        """Bring a pane to the top of its half and give it the focus."""
        self.drawer_has_focus = False
        if pane in self.tops:
            self._at = _FIRST if self._halves[_FIRST][-1] is pane else _SECOND
        else:
            before = self.tops
            for half in self._halves:
                if pane in half:
                    half.remove(pane)
            self._at = self._half_for(pane)
            if pane.name == ROOT:
                # The root comes back to the bottom: there is nothing behind the flow list.
                self._halves[_FIRST].clear()
            self._halves[self._at].append(pane)
            if self.is_split and not self._halves[_SECOND]:
                self._halves[_SECOND].append(self.get(DETAIL))
            self._tell(before)
        self._tell_focus()

    def close(self) -> None:
        """Leave the focused pane: for the one below it, or from the bottom of the second half for the first half."""
        if self.drawer_has_focus:
            self.drawer_has_focus = False
        elif len(self._halves[self._at]) > 1:
            before = self.tops
            self._halves[self._at].pop()
            self._tell(before)
        else:
            self._at = _FIRST
        self._tell_focus()

    def _half_for(self, pane: Pane) -> int:
        if not self.is_split or pane.name == ROOT:
            return _FIRST
        return _SECOND if pane.name == DETAIL else self._at

    # --- the focus --------------------------------------------------------------------------------------------------

    def focus(self, pane: Pane) -> None:
        """Give the focus to one of the panes on the screen."""
        if pane is self.drawer:
            self.drawer_has_focus = True
        elif pane in self.tops:
            self.drawer_has_focus = False
            self._at = _FIRST if self._halves[_FIRST][-1] is pane else _SECOND
        self._tell_focus()

    def step(self, by: int) -> bool:
        """The focus goes to the next pane, or by -1 to the one before; False: there is only one."""
        panes = [*self.tops, self.drawer] if self.drawer is not None else self.tops
        if len(panes) < 2:
            return False
        self.focus(panes[(panes.index(self.focused) + by) % len(panes)])
        return True

    # --- the layout -------------------------------------------------------------------------------------------------

    def set_layout(self, layout: str) -> None:
        """One pane or two. What has the focus keeps it and stays in sight."""
        was_split, self.layout = self.is_split, layout
        if not self or was_split == self.is_split:
            return
        before, first, second = self.tops, *self._halves
        if self.is_split:
            detail = self.get(DETAIL)
            self._at = _SECOND if self.pane is detail else _FIRST
            if detail in first:
                first.remove(detail)
            second.append(detail)
        else:
            if self._at == _SECOND:
                first.extend(second)
            second.clear()
            self._at = _FIRST
        self._tell(before)
        self._tell_focus()

    def resize(self, by: int) -> bool:
        """Move the divider right or down by a share of the screen; False: there is none."""
        if self.drawer is not None and (self.drawer_has_focus or not self.is_split):
            self.set_drawer_share(self.drawer_share - by)
        elif self.is_split:
            self.set_share(self.share + by)
        else:
            return False
        return True

    def set_share(self, share: int) -> None:
        """What the first half has, in per cent; both stay large enough to be seen."""
        self.share = _within(share)

    def set_drawer_share(self, share: int) -> None:
        """What the drawer has of the height, in per cent."""
        self.drawer_share = _within(share)

    # --- the drawer -------------------------------------------------------------------------------------------------

    def open_drawer(self, pane: Pane) -> None:
        """A pane below all others. It does not take the focus."""
        self.drawer = pane
        pane.entered()

    def close_drawer(self) -> None:
        """Take it away."""
        if self.drawer is not None:
            self.drawer.left()
        self.drawer, self.drawer_has_focus = None, False
        self._tell_focus()

    # --- telling the panes ------------------------------------------------------------------------------------------

    def _tell(self, before: Sequence[Pane]) -> None:
        now = self.tops
        for pane in before:
            if pane not in now:
                pane.left()
        for pane in now:
            if pane not in before:
                pane.entered()

    def _tell_focus(self) -> None:
        if self and self.focused is not self._told:
            self._told = self.focused
            self._told.got_focus()


def _within(share: int) -> int:
    return max(SHARES[0], min(share, SHARES[1]))
