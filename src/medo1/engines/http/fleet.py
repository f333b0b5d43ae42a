"""Several endpoints that serve the same model, behind one `post`: balanced, and one that fails is skipped for a while.

A request goes to the endpoint with the fewest requests in flight. A request that is not accepted (no connection, 429,
502, 503) goes to the next endpoint at once; only when none accepts it does the engine see the refusal and wait. A
request lost in flight is left to the engine, which counts it as possibly billed and retries it, on another endpoint,
because this one is now skipped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from medo1.engines.http.limits import retry_after_s
from medo1.engines.http.transport import Reply, Transport, TransportError

logger = logging.getLogger(__name__)

FIRST_REST_S = 1.0
LONGEST_REST_S = 60.0
NOT_TAKEN = {429, 502, 503, 529}
BROKEN = 500


@dataclass(slots=True)
class Member:
    """One endpoint: its transport, what is in flight, and until when it is left alone."""

    name: str
    transport: Transport
    in_flight: int = 0
    failures: int = 0
    resting_until: float = 0.0


class Fleet:
    """The interface of `Transport` over several of them.

    Args:
        members: (name without secrets, transport) of each endpoint.
    """

    def __init__(self, members: Sequence[tuple[str, Transport]]) -> None:
        self.members = [Member(name, transport) for name, transport in members]

    async def post(self, path: str, body: bytes, timeout_s: float) -> Reply:
        """See `Transport.post`. The reply or error is that of the last endpoint that was tried."""
        now = asyncio.get_running_loop().time()
        awake = [member for member in self.members if member.resting_until <= now]
        # When all rest, the one whose rest ends first is tried anyway: the engine itself waits between attempts.
        waiting = awake or sorted(self.members, key=lambda member: member.resting_until)[:1]
        while True:
            member = min(waiting, key=lambda one: one.in_flight)
            waiting.remove(member)
            member.in_flight += 1
            try:
                reply = await member.transport.post(path, body, timeout_s)
            except TransportError as error:
                self._rest(member, str(error), None)
                if error.sent or not waiting:
                    raise
                continue
            finally:
                member.in_flight -= 1
            if reply.status in NOT_TAKEN:
                self._rest(member, f"HTTP {reply.status}", retry_after_s(reply.headers))
                if waiting:
                    continue
            elif reply.status >= BROKEN:
                self._rest(member, f"HTTP {reply.status}", None)
            else:
                if member.failures:
                    logger.info("%s answers again", member.name)
                member.failures, member.resting_until = 0, 0.0
            return reply

    def _rest(self, member: Member, why: str, wanted_s: float | None) -> None:
        now = asyncio.get_running_loop().time()
        if member.resting_until > now:  # others that were in flight with it
            return
        rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2**member.failures) if wanted_s is None else wanted_s
        member.failures = min(member.failures + 1, 10)
        member.resting_until = now + rest_s
        logger.warning("%s is left alone for %.1f s: %s", member.name, rest_s, why)

    async def aclose(self) -> None:
        for member in self.members:
            await member.transport.aclose()
