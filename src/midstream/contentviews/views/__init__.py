"""The built-in views, one to a file.

On a tie of priorities the earlier one is chosen, so the order here is a decision.
"""

from __future__ import annotations

from midstream.contentviews.stepped import Stepped
from midstream.contentviews.views.hex_dump import HexDump
from midstream.contentviews.views.hex_stream import HexStream
from midstream.contentviews.views.json import JSON
from midstream.contentviews.views.multipart_form import MultipartForm
from midstream.contentviews.views.query import Query
from midstream.contentviews.views.raw import Raw
from midstream.contentviews.views.url_encoded import URLEncoded
from midstream.contentviews.views.xml_html import XmlHtml

BUILT_IN: tuple[type[Stepped], ...] = (JSON, MultipartForm, Query, Raw, URLEncoded, XmlHtml, HexDump, HexStream)
