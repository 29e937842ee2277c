"""Change a body while it streams through, however large it is: nothing waits for the end, nothing is kept.

middump -s examples/addons/stream_modify.py --set stream_replace=Cat/Dog
"""

from collections.abc import Callable, Iterator

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader


def replacing(old: bytes, new: bytes) -> Callable[[bytes], Iterator[bytes]]:
    """A function for `message.stream`: it gets each piece as it comes, and b"" at the end."""
    kept = b""  # the end of the last piece, which may be the beginning of `old`

    def pass_on(piece: bytes) -> Iterator[bytes]:
        nonlocal kept
        *done, rest = (kept + piece).split(old)
        for part in done:
            yield part + new
        cut = max(len(rest) - len(old) + 1, 0) if piece else len(rest)
        kept = rest[cut:]
        yield rest[:cut]

    return pass_on


class StreamModify:
    def load(self, loader: Loader) -> None:
        loader.add_option("stream_replace", str, "", "Replace text in text responses while they stream: old/new.")

    def configure(self, updated: set[str]) -> None:
        if "stream_replace" in updated and ctx.options.stream_replace:
            old, slash, _ = ctx.options.stream_replace.partition("/")
            if not old or not slash:
                raise exceptions.OptionsError("stream_replace: write old/new, such as Cat/Dog")

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """The head has come, the body has not: this is where streaming is decided."""
        assert flow.response is not None
        text = flow.response.headers.get("content-type", "").startswith("text/")
        plain = flow.response.headers.get("content-encoding", "identity") == "identity"
        if ctx.options.stream_replace and text and plain:
            old, _, new = ctx.options.stream_replace.partition("/")
            flow.response.stream = replacing(old.encode(), new.encode())


addons = [StreamModify()]
