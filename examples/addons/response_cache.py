"""Answer GET requests from a cache, as far as servers allow it (RFC 9111): for slow links, and to spare a server.

midstream -s examples/addons/response_cache.py --set cache_mb=100
:cache.show
:cache.clear

It is shared by all clients, so it keeps nothing that is private, sets cookies, or was asked for with credentials.
Answers that have become stale are asked for again by their etag. Of the rules in headers it follows `no-store`,
`no-cache`, `private`, `max-age`, `s-maxage`, `expires`, `vary` and `age`. A comment says what came from the cache.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from weakref import WeakKeyDictionary

from midstream import command, ctx, http
from midstream.addonmanager import Loader

STORED = {200, 203, 301, 308, 404, 410}
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
LARGEST_SHARE = 8  # nothing larger than an eighth of the cache goes in
MOST_VARIANTS = 20  # of one URL
OVERHEAD = 1000  # bytes that an entry takes beside its head and body, roughly
# RFC 9111 §3.2: what a 304 says about itself, not about the answer that it refreshes.
OF_THE_MESSAGE = {
    "content-length",
    "content-encoding",
    "content-range",
    "transfer-encoding",
    "connection",
    "set-cookie",
}

DIRECTIVE = re.compile(r'([\w-]+)(?:\s*=\s*"?([^",]*))?')
ETAG = re.compile(r'"[^"]*"')

Key = tuple[str, str | None]


@dataclass
class Entry:
    response: http.Response
    asked: dict[str, str]
    """The headers of the request that the answer depends on."""
    size: int
    born: float = 0.0
    lifetime: float = 0.0
    hits: int = 0

    def refresh(self) -> None:
        self.born = time.time() - given_age(self.response)
        self.lifetime = lifetime(self.response)

    @property
    def age(self) -> float:
        return max(time.time() - self.born, 0)

    @property
    def etag(self) -> str:
        etag: str = self.response.headers.get("etag", "")
        return etag

    def fits(self, request: http.Request) -> bool:
        return all(request.headers.get(name, "") == value for name, value in self.asked.items())


class ResponseCache:
    def __init__(self) -> None:
        self.entries: OrderedDict[Key, list[Entry]] = OrderedDict()  # what was used last comes last
        self.size = 0
        # What the requests in flight ask about again. Goes with the flow, however that ends.
        self.asked_again: WeakKeyDictionary[http.HTTPFlow, Entry] = WeakKeyDictionary()

    def load(self, loader: Loader) -> None:
        loader.add_option("cache_mb", int, 50, "How many megabytes of answers the cache holds.", kind="range 0..4096")

    def configure(self, updated: set[str]) -> None:
        if "cache_mb" in updated:
            self.make_room()

    # --- traffic ------------------------------------------------------------------------------------------------------

    def request(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        wish = directives(request.headers)
        if flow.response is not None or not is_plain(request) or "no-store" in wish:
            return
        entry = next((each for each in self.entries.get(key(request), ()) if each.fits(request)), None)
        if entry is None:
            return
        if entry.age < min(entry.lifetime, seconds(wish, "max-age", entry.lifetime)) and "no-cache" not in wish:
            self.answer(flow, entry, "from the cache")
        elif entry.etag and "if-none-match" not in request.headers:
            request.headers["if-none-match"] = entry.etag
            self.asked_again[flow] = entry

    def response(self, flow: http.HTTPFlow) -> None:
        request, response = flow.request, flow.response
        assert response is not None
        stale = self.asked_again.pop(flow, None)
        if stale is not None and response.status_code == 304:
            for name, value in response.headers.items():
                if name.lower() not in OF_THE_MESSAGE:
                    stale.response.headers[name] = value
            stale.refresh()
            self.answer(flow, stale, "from the cache, and still valid")
        elif request.method not in SAFE and response.status_code < 400:
            self.drop(key(request))  # what was kept has been changed (RFC 9111 §4.4)
        elif "cache" not in flow.metadata and may_be_stored(flow, response):
            self.store(request, response)

    def answer(self, flow: http.HTTPFlow, entry: Entry, comment: str) -> None:
        entry.hits += 1
        if key(flow.request) in self.entries:
            self.entries.move_to_end(key(flow.request))
        known = ETAG.findall(flow.request.headers.get("if-none-match", "")) if flow.response is None else []
        flow.response = entry.response.copy()
        flow.response.headers["age"] = f"{entry.age:.0f}"
        flow.comment = f"{comment}, {entry.age:.0f} s old"
        flow.metadata["cache"] = "hit"  # `~meta cache` finds these flows
        if entry.etag.removeprefix("W/") in known:  # the client has the very same
            flow.response.status_code, flow.response.reason, flow.response.raw_content = 304, "Not Modified", b""
            flow.response.headers.pop("content-length", None)

    # --- the store ----------------------------------------------------------------------------------------------------

    def store(self, request: http.Request, response: http.Response) -> None:
        asked = {name: request.headers.get(name, "") for name in listed(response.headers.get("vary", ""))}
        size = len(response.raw_content or b"") + len(bytes(response.headers)) + len(request.url) + OVERHEAD
        entry = Entry(response.copy(), asked, size)
        entry.refresh()
        if size > ctx.options.cache_mb * 1_000_000 / LARGEST_SHARE:
            return
        others = [each for each in self.entries.get(key(request), ()) if not each.fits(request)]
        self.drop(key(request))
        self.entries[key(request)] = [*others[1 - MOST_VARIANTS :], entry]
        self.size += sum(each.size for each in self.entries[key(request)])
        self.make_room()

    def make_room(self) -> None:
        while self.size > ctx.options.cache_mb * 1_000_000:
            self.drop(next(iter(self.entries)))

    def drop(self, place: Key) -> None:
        self.size -= sum(entry.size for entry in self.entries.pop(place, ()))

    # --- commands -----------------------------------------------------------------------------------------------------

    @command.command("cache.show")
    def show(self) -> Sequence[Sequence[str]]:
        """Each answer in the cache: status, URL, size, age, how long it is fresh, how often it was used."""
        return [
            [
                f"{entry.response.status_code}",
                url,
                f"{len(entry.response.raw_content or b''):,} bytes",
                f"{entry.age:.0f} s old",
                f"fresh for {max(entry.lifetime - entry.age, 0):.0f} s",
                f"used {entry.hits} times",
            ]
            for (url, _), entries in reversed(self.entries.items())
            for entry in entries
        ]

    @command.command("cache.clear")
    def clear(self) -> None:
        """Forget all answers."""
        self.entries.clear()
        self.size = 0


# --- what the headers say ---------------------------------------------------------------------------------------------


def key(request: http.Request) -> Key:
    """Where the request goes, and what the client called it: in transparent mode one address has many names."""
    return request.url, request.host_header


def is_plain(request: http.Request) -> bool:
    return request.method == "GET" and "range" not in request.headers and "authorization" not in request.headers


def may_be_stored(flow: http.HTTPFlow, response: http.Response) -> bool:
    """RFC 9111 §3, for a cache that many share. A body that streamed through is not here to be kept."""
    rules = directives(response.headers)
    return (
        is_plain(flow.request)
        and response.status_code in STORED
        and response.raw_content is not None
        and not response.stream
        and "response_body_cut" not in flow.metadata
        and not {"no-store", "private"} & (rules.keys() | directives(flow.request.headers).keys())
        and "set-cookie" not in response.headers
        and "*" not in response.headers.get("vary", "")
        and (lifetime(response) > 0 or "etag" in response.headers)
    )


def directives(headers: http.Headers) -> dict[str, str]:
    return {name: value.strip() for name, value in DIRECTIVE.findall(headers.get("cache-control", "").lower())}


def seconds(rules: dict[str, str], name: str, otherwise: float) -> float:
    if name not in rules:
        return otherwise
    return float(rules[name][:10]) if rules[name].isascii() and rules[name].isdecimal() else 0.0


def lifetime(response: http.Response) -> float:
    """For how many seconds the server calls it fresh; 0 when it does not say."""
    rules = directives(response.headers)
    if "no-cache" in rules:
        return 0.0
    by_date = date(response, "expires") - date(response, "date") if "expires" in response.headers else 0.0
    return seconds(rules, "s-maxage", seconds(rules, "max-age", by_date))


def given_age(response: http.Response) -> float:
    """How old it already was when it came."""
    return seconds({"age": response.headers.get("age", "0").strip()}, "age", 0.0)


def date(response: http.Response, name: str) -> float:
    try:
        return parsedate_to_datetime(response.headers[name]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        # RFC 9111 §5.3: an Expires that cannot be read, such as 0, means that it has passed.
        return 0.0 if name == "expires" else response.timestamp_start


def listed(value: str) -> list[str]:
    return [name.strip() for name in value.lower().split(",") if name.strip()]


addons = [ResponseCache()]
