"""Pretend to be another browser: an option with choices, and a command that offers them.

midstream -s examples/addons/user_agent.py --set user_agent=phone
:user_agent.set   (tab shows what there is)
"""

from collections.abc import Sequence

from midstream import command, ctx, http, types
from midstream.addonmanager import Loader

AGENTS = {
    "own": "",
    "phone": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
    "desktop": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "crawler": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
}


class UserAgent:
    def load(self, loader: Loader) -> None:
        loader.add_option("user_agent", str, "own", "Who requests claim to be from.", choices=list(AGENTS))

    @command.command("user_agent.options")
    def options(self) -> Sequence[str]:
        """Whom there is to be."""
        return list(AGENTS)

    @command.command("user_agent.set")
    @command.argument("agent", type=types.Choice("user_agent.options"))
    def set(self, agent: str) -> None:
        """Be somebody else from the next request on."""
        ctx.options.user_agent = agent

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if agent := AGENTS[ctx.options.user_agent]:
            flow.request.headers["user-agent"] = agent


addons = [UserAgent()]
