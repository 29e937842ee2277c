"""Change what WebSockets say, keep some of it back, and say something of your own.

    midstream -s examples/addons/websocket_edit.py --set websocket_replace=/hello/good\\ bye \\
        --set websocket_drop=secret --set websocket_say="are you there?" --set websocket_say_every=5

`websocket_say` is sent to the client of every open WebSocket, each time that many seconds have passed.
"""

import asyncio
import re

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader


class WebSocketEdit:
    def __init__(self) -> None:
        self.pattern: re.Pattern[str] | None = None
        self.by = ""

    def load(self, loader: Loader) -> None:
        loader.add_option("websocket_replace", str, "", "A regex and its replacement, as in /hello/good bye.")
        loader.add_option("websocket_drop", str, "", "Text messages with these words in them are kept back.")
        loader.add_option("websocket_say", str, "", "What to say to the clients of all open WebSockets.")
        loader.add_option("websocket_say_every", int, 60, "After how many seconds to say it, again and again.")

    def configure(self, updated: set[str]) -> None:
        if "websocket_replace" in updated:
            rule = ctx.options.websocket_replace
            _, pattern, self.by = rule.split(rule[0], 2) if rule.count(rule[:1]) >= 2 else ("", "", "")
            if rule and not pattern:
                raise exceptions.OptionsError(f"websocket_replace: {rule!r} is not like /regex/replacement")
            try:
                self.pattern = re.compile(pattern) if pattern else None
            except re.error as error:
                raise exceptions.OptionsError(f"websocket_replace: {error}") from None
        if ctx.options.websocket_say_every < 1:
            raise exceptions.OptionsError("websocket_say_every: at least 1")

    async def websocket_start(self, flow: http.HTTPFlow) -> None:
        ctx.master.background.spawn(self.talk(flow), "talk to a WebSocket")

    async def talk(self, flow: http.HTTPFlow) -> None:
        """Say it until the WebSocket is closed."""
        while True:
            await asyncio.sleep(ctx.options.websocket_say_every)
            if not flow.live:
                return
            if words := ctx.options.websocket_say:
                ctx.master.commands.call("inject.websocket", flow, True, words.encode())

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        assert flow.websocket is not None
        message = flow.websocket.messages[-1]
        if not message.is_text or message.injected:
            return
        if ctx.options.websocket_drop and ctx.options.websocket_drop in message.text:
            message.drop()
        elif self.pattern is not None:
            message.text = self.pattern.sub(self.by, message.text)


addons = [WebSocketEdit()]
