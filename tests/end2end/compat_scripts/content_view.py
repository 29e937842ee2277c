"""A content view of one's own, chosen by the type of the data."""

import logging

from mitmproxy import contentviews, http


class SwapCase(contentviews.Contentview):
    def prettify(self, data: bytes, metadata: contentviews.Metadata) -> str:
        return data.swapcase().decode()

    def render_priority(self, data: bytes, metadata: contentviews.Metadata) -> float:
        if metadata.content_type and metadata.content_type.startswith("text/swap"):
            return 2
        return 0


contentviews.add(SwapCase)


def response(flow: http.HTTPFlow):
    shown = contentviews.prettify_message(flow.response, flow)
    logging.info(f"view {shown.view_name}: {shown.text}")
    logging.info("raw: " + contentviews.prettify_message(flow.response, flow, "raw").text)
