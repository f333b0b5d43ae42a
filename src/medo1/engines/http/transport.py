"""One request to one server: POST a JSON body, get status, headers and body back.

On aiohttp, with what the environment says of proxies (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY) and of certificates
(SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE). The openai client, which carries files and batches, builds more
objects around each request than a thousand answers a second leave time for; see docs/decisions.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import zlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

MAX_BODY_BYTES = 256 << 20
IDLE_S = 30.0
CONNECT_S = 30.0
MOVED = {301, 302, 307, 308}
MOST_REDIRECTS = 5


class Reply(NamedTuple):
    """A whole HTTP response: status code, headers (whose names have no case), decoded body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No whole response came.

    Attributes:
        sent: the server may have worked on the request (and billed it).
        connected: there was a connection.
        answered: a whole response came, in an encoding that cannot be undone.
    """

    def __init__(self, text: str, *, sent: bool, connected: bool = True, answered: bool = False) -> None:
        super().__init__(text)
        self.sent = sent
        self.connected = connected
        self.answered = answered


class Transport:
    """Connections to one server, as many as there are requests in flight.

    A redirect within the same host is followed as a POST, and remembered; one to another host is handed back as it is,
    because a key must not reach a stranger.

    Args:
        base_url: `http://` or `https://` address that paths are appended to; a query goes with every path.
        headers: sent with each request; may hold secrets, so a transport has no telling `repr`.
        trust_env: go through the proxy that the environment names.

    Raises:
        ValueError: for an address, a header or a proxy that cannot be used.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], *, trust_env: bool = True) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                f"an endpoint's base_url starts with http:// or https:// and names a host, not {base_url!r}"
            )
        if any("\r" in text or "\n" in text for text in headers.values()):
            raise ValueError("a header value (a key, an organisation) holds a line break")
        self._base = URL(base_url).with_user(None)  # what a key is for
        self._proxy, self._proxy_auth = _proxy_for(self._base) if trust_env else (None, None)
        self._host = self._base.host
        self._urls: dict[str, URL] = {}
        # Compressed answers cost the client more than they save for texts of a few kilobytes.
        self._headers = {**headers, "content-type": "application/json", "accept-encoding": "identity"}
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Transport({self._host}:{self._base.port})"

    async def post(self, path: str, body: bytes, timeout_s: float) -> Reply:
        """Send `body`, return the whole response.

        Raises:
            TransportError: no connection, a connection lost, or no complete response within `timeout_s` seconds.
        """
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = self._base.with_path(self._base.path.rstrip("/") + path).with_query(
                self._base.query
            )
        try:
            async with asyncio.timeout(timeout_s):
                for _ in range(MOST_REDIRECTS):
                    reply, location = await self._once(url, body)
                    if location is None:
                        return reply
                    url = self._urls[path] = location
                return reply
        except TimeoutError:
            raise TransportError(f"no complete answer within {timeout_s:g} s", sent=True) from None

    async def _once(self, url: URL, body: bytes) -> tuple[Reply, URL | None]:
        session = self._opened()
        try:
            async with session.post(
                url,
                data=body,
                allow_redirects=False,
                proxy=self._proxy,
                proxy_auth=self._proxy_auth,
            ) as response:
                location = self._redirect(url, response)
                body = _decoded(response.headers.get("content-encoding", ""), await _whole(response))
                return Reply(response.status, response.headers, body), location
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ClientProxyConnectionError,
            aiohttp.ConnectionTimeoutError,
        ) as error:
            reason = "no connection in time" if isinstance(error, TimeoutError) else str(error)
            raise TransportError(
                f"{url.host}:{url.port} cannot be reached: {reason}", sent=False, connected=False
            ) from None
        except aiohttp.ClientHttpProxyError as error:
            raise TransportError(
                f"the proxy refused: HTTP {error.status} {error.message}", sent=False, connected=False
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            text = "the server closed the connection before the answer was complete"
            raise TransportError(f"{text} ({str(error) or type(error).__name__})", sent=True) from None

    def _redirect(self, url: URL, response: aiohttp.ClientResponse) -> URL | None:
        """Where to send the request instead; None where none is given, or it is on another host."""
        location = response.headers.get("location", "")
        if response.status not in MOVED or not location:
            return None
        try:
            target = url.join(URL(location))
        except ValueError:
            return None
        safe = target.scheme == url.scheme or (url.scheme, target.scheme) == ("http", "https")
        return target if safe and target.host == url.host and target != url else None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S, ssl=_certificates())
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=self._headers,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                max_line_size=1 << 16,
                max_field_size=1 << 16,
            )
        return self._session

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _decoded(encoding: str, body: bytes) -> bytes:
    """The body, decompressed where a server compressed it although it was asked not to."""
    try:
        match encoding.strip().lower():
            case "" | "identity":
                return body
            case "gzip" | "x-gzip":
                return _inflated(body, 16 + zlib.MAX_WBITS)
            case "deflate":  # with a head, as the standard says, or without, as some do
                return _inflated(body, zlib.MAX_WBITS if body[:1] == b"x" else -zlib.MAX_WBITS)
    except zlib.error as error:
        raise TransportError(f"the answer is not {encoding}: {error}", sent=True, answered=True) from None
    text = f"the answer is encoded as {encoding!r} although none was asked for"
    raise TransportError(text, sent=True, answered=True)


def _inflated(body: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    text = inflater.decompress(body, MAX_BODY_BYTES)
    if not inflater.eof:
        raise zlib.error("it ends too early, or is too large")
    return text


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The body, refused when it is larger than any answer."""
    if response.content_length is not None and response.content_length <= MAX_BODY_BYTES:
        return await response.read()
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_BODY_BYTES:
            response.close()
            raise aiohttp.ClientPayloadError(f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _proxy_for(url: URL) -> tuple[URL | None, aiohttp.BasicAuth | None]:
    """The proxy that the environment names for an address, and what it is to be told of who asks.

    aiohttp's own `trust_env` would look into ~/.netrc at each request too.
    """
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    if not named or proxy_bypass(url.host or ""):
        return None, None
    proxy = URL(named if "://" in named else f"http://{named}")
    if proxy.scheme not in {"http", "https"}:
        raise ValueError(
            f"the environment names a {proxy.scheme} proxy for {url.host}; expected an http or https proxy "
            "(HTTP_PROXY, HTTPS_PROXY), or the host in NO_PROXY"
        )
    auth = aiohttp.BasicAuth(proxy.user, proxy.password or "") if proxy.user else None
    return proxy.with_user(None), auth


def _certificates() -> ssl.SSLContext:
    """Python's own, which heeds SSL_CERT_FILE and SSL_CERT_DIR, and those that REQUESTS_CA_BUNDLE names."""
    context = ssl.create_default_context()
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
        context.load_verify_locations(bundle)
    return context
