"""Run ids: Kedro's UTC timestamps with milliseconds, which are also the names of the versions that a run saves.

Kedro takes the clock's time and hopes. Here an id is claimed by the run's start record in the ledger, whose primary key
makes it unique among processes, and it is later than every id that the ledger knows and every version that the run
would save beside, so that the latest version is the one saved last even when the clock went backwards.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORM = "%Y-%m-%dT%H.%M.%S.%f"


def run_id_at(moment: datetime) -> str:
    """The id of a moment (UTC), as Kedro writes it."""
    return moment.strftime(FORM)[:-3] + "Z"


def moment_of(run_id: str) -> datetime:
    """The moment (UTC) that an id names."""
    return datetime.strptime(run_id[:-1], FORM).replace(tzinfo=UTC)


def run_id_after(latest: str | None, now: datetime | None = None) -> str:
    """An id of now, or of the millisecond after `latest` where the clock is behind it."""
    own = run_id_at(now or datetime.now(UTC))
    if latest is None or own > latest:
        return own
    return run_id_at(moment_of(latest) + timedelta(milliseconds=1))
