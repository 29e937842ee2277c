"""Names of `mitmproxy.contentviews`."""

from __future__ import annotations

from midstream.compat.rows import Names, absent, same

_OLD = "KEY_MAX TViewLine TViewResult View format_dict format_pairs format_text"

VIEWS: dict[str, Names] = {
    "contentviews": {
        **same(
            "contentviews",
            "Contentview ContentviewMessage ContentviewRegistry ContentviewResult InteractiveContentview "
            "LegacyContentview Metadata SyntaxHighlight View add get prettify_message registry reencode_message remove",
        ),
        # Some of these are gone from there, but not from the scripts that people have; here they still work.
        **same("contentviews.legacy", _OLD),
        **absent(
            "contentviews.registry['JSON'] is the view of that name",
            "css dns graphql http3 image javascript json_view mqtt multipart query raw socket_io urlencoded wbxml "
            "xml_html zip get_data make_metadata",
        ),
    },
    "contentviews.base": same("contentviews.legacy", _OLD),
}
