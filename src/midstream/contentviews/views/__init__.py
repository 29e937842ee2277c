"""The built-in views, one to a file.

On a tie of priorities the earlier one is chosen, so the order here is a decision.
"""

from __future__ import annotations

from midstream.contentviews.stepped import Stepped
from midstream.contentviews.views.cbor import CBOR
from midstream.contentviews.views.css import CSS
from midstream.contentviews.views.dns import DNS
from midstream.contentviews.views.graphql import GraphQL
from midstream.contentviews.views.grpc import GRPC
from midstream.contentviews.views.hex_dump import HexDump
from midstream.contentviews.views.hex_stream import HexStream
from midstream.contentviews.views.http3 import HTTP3
from midstream.contentviews.views.image import Image
from midstream.contentviews.views.javascript import JavaScript
from midstream.contentviews.views.json import JSON
from midstream.contentviews.views.jwt import JWT
from midstream.contentviews.views.mqtt import MQTT
from midstream.contentviews.views.msgpack import MsgPack
from midstream.contentviews.views.multipart_form import MultipartForm
from midstream.contentviews.views.ndjson import NDJSON
from midstream.contentviews.views.protobuf import Protobuf
from midstream.contentviews.views.query import Query
from midstream.contentviews.views.raw import Raw
from midstream.contentviews.views.socket_io import SocketIO
from midstream.contentviews.views.sse import SSE
from midstream.contentviews.views.url_encoded import URLEncoded
from midstream.contentviews.views.wbxml import WBXML
from midstream.contentviews.views.xml_html import XmlHtml
from midstream.contentviews.views.zip_archive import ZipArchive

BUILT_IN: tuple[type[Stepped], ...] = (
    CSS,
    DNS,
    GraphQL,
    HTTP3,
    Image,
    JavaScript,
    JSON,
    MQTT,
    MultipartForm,
    Query,
    Raw,
    SocketIO,
    URLEncoded,
    WBXML,
    XmlHtml,
    ZipArchive,
    HexDump,
    HexStream,
    MsgPack,
    Protobuf,
    GRPC,
    CBOR,
    NDJSON,
    SSE,
    JWT,
)
