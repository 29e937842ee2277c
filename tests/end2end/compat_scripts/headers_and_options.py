"""Add a header to every response, with a count of them."""

from mitmproxy import ctx, http


class AddHeader:
    def __init__(self):
        self.num = 0

    def load(self, loader):
        loader.add_option(name="addheader", typespec=bool, default=False, help="Add a count header to responses")
        loader.add_option("headername", str, "count", "Name of the header")

    def response(self, flow: http.HTTPFlow) -> None:
        if ctx.options.addheader:
            self.num = self.num + 1
            flow.response.headers[ctx.options.headername] = str(self.num)
        if "server" in flow.response.headers:
            del flow.response.headers["server"]


addons = [AddHeader()]
