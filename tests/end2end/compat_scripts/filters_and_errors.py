"""Log what a filter matches; a wrong filter refuses the start."""

import logging

from mitmproxy import ctx, exceptions, flowfilter
from mitmproxy.addonmanager import Loader
from mitmproxy.http import HTTPFlow


class Filter:
    filter: flowfilter.TFilter

    def load(self, loader: Loader):
        loader.add_option("myfilter", str, "~all", "Which flows to log")

    def configure(self, updated):
        if "myfilter" in updated:
            try:
                self.filter = flowfilter.parse(ctx.options.myfilter)
            except ValueError as e:
                raise exceptions.OptionsError(f"myfilter is bad: {e}") from e

    def response(self, flow: HTTPFlow) -> None:
        if flowfilter.match(self.filter, flow):
            logging.info("Flow matches filter: %s", flow.request.path)
        else:
            logging.info("no match: %s", flow.request.path)


addons = [Filter()]
