"""`from midstream import addonmanager`: the type of what an addon gets in `load`, and of `ctx.master.addons`."""

from midstream.hub.addons import AddonManager, Loader, safecall

__all__ = ["AddonManager", "Loader", "safecall"]
