"""Clients have to say who they are before anything is forwarded for them, or any server is dialled (option proxyauth).

While the option is off no event is handled. How clients are asked is in proxyauth_asking.py, who is right in
proxyauth_users.py and proxyauth_ldap.py.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from midstream.hub import ctx
from midstream.hub.addons import Loader

if TYPE_CHECKING:
    from midstream.addons.proxyauth_asking import Asking

logger = logging.getLogger("midstream.addons.proxyauth")


class ProxyAuth:
    """The addon; see the module."""

    def __init__(self) -> None:
        self._running = False
        self.addons: list[Asking] = []

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "proxyauth",
            str | None,
            None,
            "Whom to serve: 'any' for any name and password, user:password, @htpasswd-file, or an LDAP directory as "
            "ldap[s]:host[:port]:bind_dn:password:subtree[?search_filter_key=attribute].",
            kind="secret",
        )

    def configure(self, updated: set[str]) -> None:
        if "proxyauth" not in updated:
            return
        text = ctx.options.proxyauth
        if not text:
            self.addons[:] = []
        else:
            # Imported here: a start without the option does without all of it.
            from midstream.addons.proxyauth_asking import Asking, users_of

            self.addons[:] = [Asking(users_of(text), self.addons[0] if self.addons else None)]
        ctx.master.addons.rebind()
        if self._running:
            ctx.master.background.spawn(self._try_out(), "proxyauth")

    async def running(self) -> None:
        """A directory that cannot be asked ends the start."""
        self._running = True
        await self._try_out()

    async def _try_out(self) -> None:
        for asking in self.addons:
            if problem := await asking.problem():
                logger.error("proxyauth: %s", problem)
