"""A small pool of HTTP/1.1 connections: POST a JSON body, get status, headers and body back.

Who calls it: the `openai` engine, for the one call that it makes ten thousand times. Everything else of the protocol
(files, batches, lists of models) goes through the openai client itself.

Why it exists: the engine's promise is 0.93 of what a server allows, 930 answers a second at 200 concurrent requests of
200 ms. On the machine where this was measured the openai client made 230 a second, its bare response form 340, the same
over aiohttp 700, plain aiohttp 850 to 890, and this pool 950. The time goes into the objects that a general client
builds around each request. HTTP itself is parsed by httptools (llhttp, the parser of Node.js and uvicorn), so what is
written here is only which connection carries which request, and for how long.

What it does not do: proxies, HTTP/2, redirects. Where a proxy is configured the engine uses `ClientPool` below, which
has the same interface and goes through the openai client.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_BODY_BYTES = 256 << 20
IDLE_S = 30.0


class Reply(NamedTuple):
    """A whole HTTP response: status code, headers with lower-case names, decoded body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No whole response came. `sent` says whether the server may have worked on the request (and billed it)."""

    def __init__(self, text: str, *, sent: bool, connected: bool = True) -> None:
        super().__init__(text)
        self.sent = sent
        self.connected = connected


class _Connection(asyncio.Protocol):
    """One connection, which carries one request at a time."""

    __slots__ = ("_body", "_headers", "_loop", "_parser", "_size", "_until_close", "future", "idle_since", "transport")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.future: asyncio.Future[Reply] | None = None
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._until_close = False

    # asyncio's side
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the answer is not HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self._until_close and exc is None:  # a body without a length ends where the connection does
            self.on_message_complete()
        self._fail(f"the server closed the connection before the answer was complete{f' ({exc})' if exc else ''}")

    def _fail(self, text: str) -> None:
        if self.future is not None and not self.future.done():
            self.future.set_exception(TransportError(text, sent=True))
        self.abort()

    # httptools' side
    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._until_close = "content-length" not in self._headers and "transfer-encoding" not in self._headers

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_BODY_BYTES:
            self._fail(f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB")
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # noqa: PLR2004  (100 Continue and 103 Early Hints announce the response, they are not it)
            self._headers.clear()
            return
        reply = Reply(status, self._headers, b"".join(self._body))
        if not self._parser.should_keep_alive() or self._until_close:
            self.abort()
        future, self.future = self.future, None
        self._reset()
        if future is not None and not future.done():
            future.set_result(reply)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
            self.transport = None

    @property
    def usable(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()


class Pool:
    """Connections to one server, as many as there are requests in flight; the most recently used is taken first.

    Args:
        base_url: `http://` or `https://` address that paths are appended to.
        headers: sent with each request; may hold secrets, so a pool has no telling `repr`.
        query: appended to each path.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], query: str = "") -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                f"an endpoint's base_url starts with http:// or https:// and names a host, not {base_url!r}"
            )
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host = parts.hostname
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._query = f"?{query}" if query else ""
        host = parts.netloc.rpartition("@")[2]
        lines = {"host": host, **{name.lower(): value for name, value in headers.items()}}
        # Compressed answers cost the client more than they save for texts of a few kilobytes.
        lines |= {"content-type": "application/json", "accept-encoding": "identity"}
        if any("\r" in text or "\n" in text for text in lines.values()):
            raise ValueError("a header value (a key, an organisation) holds a line break")
        self._head = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()

    def __repr__(self) -> str:
        return f"Pool({self._host}:{self._port})"

    async def post(self, path: str, body: bytes, timeout_s: float) -> Reply:
        """Send `body`, return the whole response.

        Raises:
            TransportError: no connection, a connection lost, or no complete response within `timeout_s` seconds.
        """
        loop = asyncio.get_running_loop()
        connection = self._take(loop.time())
        if connection is None:
            connection = await self._connect(loop, timeout_s)
        future: asyncio.Future[Reply] = loop.create_future()
        connection.future = future
        timer = loop.call_later(timeout_s, _time_out, connection, timeout_s)
        head = f"POST {self._prefix}{path}{self._query} HTTP/1.1\r\ncontent-length: {len(body)}\r\n".encode("latin-1")
        assert connection.transport is not None
        connection.transport.write(b"%b%b\r\n%b" % (head, self._head, body))
        try:
            return await future
        finally:
            timer.cancel()
            if not future.done() or future.cancelled():
                connection.future = None
                connection.abort()  # the answer that is still to come belongs to nobody
            if connection.usable:
                connection.idle_since = loop.time()
                self._idle.append(connection)
            else:
                self._all.discard(connection)

    def _take(self, now: float) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and now - connection.idle_since < IDLE_S:
                return connection
            connection.abort()
            self._all.discard(connection)
        return None

    async def _connect(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> _Connection:
        try:
            async with asyncio.timeout(min(timeout_s, 30.0)):
                _, connection = await loop.create_connection(
                    lambda: _Connection(loop), self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            reason = "no connection in time" if isinstance(error, TimeoutError) else str(error)
            raise TransportError(
                f"{self._host}:{self._port} cannot be reached: {reason}", sent=False, connected=False
            ) from None
        self._all.add(connection)
        return connection

    async def aclose(self) -> None:
        for connection in self._all:
            connection.abort()
        self._all.clear()
        self._idle.clear()


def _time_out(connection: _Connection, timeout_s: float) -> None:
    if connection.future is not None and not connection.future.done():
        connection.future.set_exception(TransportError(f"no complete answer within {timeout_s:g} s", sent=True))
    connection.abort()


def decoded(reply: Reply) -> bytes:
    """The body, decompressed where a server compressed it although it was asked not to."""
    encoding = reply.headers.get("content-encoding", "identity")
    if encoding == "gzip":
        return zlib.decompress(reply.body, 16 + zlib.MAX_WBITS)
    if encoding == "deflate":
        return zlib.decompress(reply.body)
    return reply.body


class ClientPool:
    """The same interface over the openai client, for what `Pool` does not do (proxies)."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def post(self, path: str, body: bytes, timeout_s: float) -> Reply:
        """See `Pool.post`."""
        import httpx2
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        try:
            response = await self._client.post(
                path, cast_to=httpx2.Response, content=body, options={"timeout": timeout_s, "max_retries": 0}
            )
        except APIStatusError as error:
            response = error.response
        except APITimeoutError:
            raise TransportError(f"no complete answer within {timeout_s:g} s", sent=True) from None
        except APIConnectionError as error:
            connected = not isinstance(error.__cause__, httpx2.ConnectError | httpx2.ProxyError)
            reason = str(error.__cause__ or error)
            raise TransportError(f"connection failed: {reason}", sent=connected, connected=connected) from None
        headers = {
            name.lower(): value for name, value in response.headers.items() if name.lower() != "content-encoding"
        }
        return Reply(response.status_code, headers, response.content)

    async def aclose(self) -> None:
        """The client belongs to the engine, which closes it."""
