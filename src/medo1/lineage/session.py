"""Kedro's session, with run ids that are unique and never go backwards, and runs whose end is always written.

`SESSION_CLASS` in settings.py. kedro-viz and notebooks that make a plain `KedroSession` work too: the ledger then
refuses an id that is taken, instead of choosing another.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession

from medo1.lineage.hooks import LaterVersionError, LineageHooks

logger = logging.getLogger(__name__)

# Each try builds the catalog again; more than a few means that something else is wrong.
TRIES = 20


class LineageSession(KedroSession):
    """A session whose run takes its id when it starts."""

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Run, as `KedroSession.run`.

        The id is claimed by the start record in the ledger. Where another process claimed it first, or a version with
        a later name lies where this run would save, the run starts again with a later one; no node has run by then.
        """
        from medo1.lineage.ledger import RunIdTakenError
        from medo1.lineage.run_ids import run_id_after

        floor = self._latest_run_id()
        for _ in range(TRIES):
            self._take_id(run_id_after(floor))
            try:
                result: dict[str, Any] = super().run(*args, **options)
            except RunIdTakenError:
                floor = self.session_id
            except LaterVersionError as error:
                logger.warning(
                    "%s has a version %s, later than this machine's clock: this run takes the id after it", *error.found
                )
                floor = error.found[1]
            except BaseException as error:
                self._tell_the_end(error)
                raise
            else:
                return result
        raise RunIdTakenError(f"No free run id was found in {TRIES} tries: do many runs start at once?")

    def _latest_run_id(self) -> str | None:
        """The ledger's latest run; None where there is no ledger yet."""
        from medo1.lineage.ledger import Ledger, NoLedgerError
        from medo1.lineage.ledger_settings import ledger_settings

        settings = ledger_settings(self._get_config_loader(), Path(self._project_path))
        try:
            ledger = Ledger(settings)
        except NoLedgerError:
            return None
        latest = ledger.latest_run_id()
        ledger.close()
        return latest

    def _take_id(self, run_id: str) -> None:
        self.session_id = run_id
        self._store["session_id"] = run_id

    def _tell_the_end(self, error: BaseException) -> None:
        for plugin in self._hook_manager.get_plugins():
            if isinstance(plugin, LineageHooks):
                plugin.abandoned(error)
