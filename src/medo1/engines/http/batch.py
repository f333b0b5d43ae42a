"""The Batch API: thousands of requests handed over as a file, answered within a day, at half the price.

The same requests give the same content addresses as live, so the
completion store does not care which way an answer came.

Nothing is paid twice, whenever the process is killed. Before a batch is created its requests are written to a journal,
one file a batch, under a tag that also goes into the batch's metadata; when it was created its id is added; the file is
removed when the answers have been taken over by whoever consumes them (with a store: committed). A later run looks for
its requests in the journal first. A journal without a batch id means: killed around the creation; the server's list of
batches then says whether the tag is there.

Source: the OpenAI Batch API guide (files with purpose `batch`, `custom_id`, output and error files).
"""

from __future__ import annotations

import io
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from medo1.engines.base import Completion, EngineError, Request
from medo1.engines.http.chat import (
    Dialect,
    Extras,
    Failure,
    UnusableError,
    chat_body,
    completions_from,
    failure_from,
    learned,
)
from medo1.engines.wrappers.store import engine_address, request_address

if TYPE_CHECKING:
    from openai import AsyncOpenAI

logger = logging.getLogger(__name__)

URL: Final = "/v1/chat/completions"
TAG = "medo1"  # the metadata key that holds a batch's tag
MOST_BYTES = 150_000_000  # of one file; the API takes 200 MB
ENDED = {"completed", "expired", "cancelled", "failed"}
ID_DIGITS = 48  # of a request's address as `custom_id`, which may have 64 characters


@dataclass(slots=True)
class Entry:
    """A batch in the journal."""

    tag: str
    custom_ids: list[str]
    batch_id: str | None = None


class Journal:
    """The batches that were submitted and whose answers are not taken over yet: a directory with a JSON file each."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)

    def entries(self) -> list[Entry]:
        found = []
        for path in sorted(self.directory.glob("*.json")):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                found.append(Entry(content["tag"], content["custom_ids"], content["batch_id"]))
            except (ValueError, KeyError, TypeError) as error:
                raise EngineError(
                    f"{path}: not a batch's journal ({error!r}). It says which answers are already paid for: look in "
                    f"the provider's list of batches for metadata {TAG} = {path.stem} before you remove it"
                ) from None
        return found

    def write(self, entry: Entry) -> None:
        """Replace the entry's file; whole or not at all, and on disk when this returns."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{entry.tag}.json"
        draft = path.with_suffix(f".tmp-{os.getpid()}")
        content = {"tag": entry.tag, "batch_id": entry.batch_id, "custom_ids": entry.custom_ids}
        with draft.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def remove(self, entry: Entry) -> None:
        (self.directory / f"{entry.tag}.json").unlink(missing_ok=True)


@dataclass(slots=True)
class BatchJobs:
    """One use of `complete` in batch mode. `run` runs a coroutine on the engine's loop; the rest see `OpenAI`."""

    client: AsyncOpenAI
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    directory: str | Path
    identity: Mapping[str, Any]
    model: str
    dialect: Dialect
    extras: Extras
    size: int
    poll_s: float
    max_attempts: int
    clean: Callable[[str], str]

    def batches(self, requests: Iterable[Request]) -> Iterator[list[Completion]]:
        """Submit what is in no earlier batch, wait, and yield what each batch brings."""
        from openai import OpenAIError

        journal = Journal(self.directory)
        engine_id = engine_address(self.identity)
        wanted: dict[str, list[Request]] = {}
        for request in requests:
            wanted.setdefault(request_address(request, engine_id)[:ID_DIGITS], []).append(request)
        attempts = dict.fromkeys(wanted, 0)
        try:
            open_entries = [entry for entry in self._adopted(journal) if wanted.keys() & set(entry.custom_ids)]
            covered = {name for entry in open_entries for name in entry.custom_ids}
            todo = [name for name in wanted if name not in covered]
            if covered & wanted.keys():
                logger.info(
                    "%d requests were submitted before; waiting for their batches", len(covered & wanted.keys())
                )
            while todo or open_entries:
                open_entries += [self._submit(journal, chunk, wanted) for chunk in self._chunks(todo, wanted)]
                todo = []
                ended = [(entry, batch) for entry in open_entries if (batch := self._look(entry)).status in ENDED]
                for entry, batch in ended:
                    open_entries.remove(entry)
                    told, again = self._taken(entry, batch, wanted, attempts)
                    if told:
                        yield told
                    journal.remove(entry)  # after the yield: whoever took the answers has kept them by now
                    todo += again
                if open_entries and not ended:
                    time.sleep(self.poll_s)
        except OpenAIError as error:
            raise EngineError(f"batch for {self.model}: {self.clean(str(error))}") from None

    def _adopted(self, journal: Journal) -> list[Entry]:
        """The journal's batches, each with its id; entries that never became a batch are dropped."""
        entries = journal.entries()
        if all(entry.batch_id for entry in entries):
            return entries
        at_server = self.run(self._tags())
        adopted = []
        for entry in entries:
            if entry.batch_id is None and entry.tag in at_server:
                entry.batch_id = at_server[entry.tag]
                journal.write(entry)
            if entry.batch_id is None:
                journal.remove(entry)
            else:
                adopted.append(entry)
        return adopted

    async def _tags(self) -> dict[str, str]:
        found = {}
        async for batch in self.client.with_options(max_retries=8).batches.list(limit=100):
            if batch.metadata and TAG in batch.metadata:
                found[batch.metadata[TAG]] = batch.id
        return found

    def _chunks(self, todo: list[str], wanted: Mapping[str, list[Request]]) -> Iterator[list[tuple[str, bytes]]]:
        """Lines of batch files, cut by number and size."""
        chunk: list[tuple[str, bytes]] = []
        size = 0
        for name in todo:
            body = chat_body(wanted[name][:1], self.model, self.dialect, self.extras)
            line = json.dumps({"custom_id": name, "method": "POST", "url": URL, "body": body}, ensure_ascii=False)
            data = line.encode() + b"\n"
            if chunk and (len(chunk) == self.size or size + len(data) > MOST_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append((name, data))
            size += len(data)
        if chunk:
            yield chunk

    def _submit(self, journal: Journal, chunk: list[tuple[str, bytes]], wanted: Mapping[str, list[Request]]) -> Entry:
        entry = Entry(uuid.uuid4().hex, [name for name, _ in chunk])
        journal.write(entry)
        entry.batch_id = self.run(self._create(entry.tag, b"".join(line for _, line in chunk)))
        journal.write(entry)
        logger.info("batch %s submitted with %d of %d requests", entry.batch_id, len(chunk), len(wanted))
        return entry

    async def _create(self, tag: str, content: bytes) -> str:
        file = await self.client.with_options(max_retries=8).files.create(
            file=("batch.jsonl", io.BytesIO(content)), purpose="batch"
        )
        # Creating is not repeated after a lost answer: the batch may exist, and the next run finds it by its tag.
        batch = await self.client.batches.create(
            input_file_id=file.id, endpoint=URL, completion_window="24h", metadata={TAG: tag}
        )
        return batch.id

    def _look(self, entry: Entry) -> Any:
        assert entry.batch_id is not None
        return self.run(self.client.with_options(max_retries=8).batches.retrieve(entry.batch_id))

    def _taken(
        self, entry: Entry, batch: Any, wanted: Mapping[str, list[Request]], attempts: dict[str, int]
    ) -> tuple[list[Completion], list[str]]:
        """What an ended batch brings for the wanted requests, and which of them to submit again."""
        left = [name for name in entry.custom_ids if name in wanted]
        told: list[Completion] = []
        again: list[str] = []
        for file_id in (batch.output_file_id, batch.error_file_id):
            for line in self.run(self._lines(file_id)) if file_id else ():
                name = line.get("custom_id")
                if name not in left:
                    continue
                left.remove(name)
                attempts[name] += 1
                outcome = self._outcome(line, wanted[name][0])
                if isinstance(outcome, Failure) and self._worth_another(outcome) and attempts[name] < self.max_attempts:
                    again.append(name)
                else:
                    told += self._told(outcome, wanted[name], attempts[name])
        reasons = "; ".join(error.message or "" for error in (batch.errors.data or [])) if batch.errors else ""
        for name in left:  # in neither file: the batch ended before it came to them, or was refused as a whole
            attempts[name] += 1
            if batch.status in {"expired", "cancelled"} and attempts[name] < self.max_attempts:
                again.append(name)
                continue
            failure = Failure(
                "retry", f"batch {batch.id} ended as {batch.status} without this answer. {reasons}".strip()
            )
            told += self._told(failure, wanted[name], attempts[name])
        return told, again

    async def _lines(self, file_id: str) -> list[dict[str, Any]]:
        content = await self.client.with_options(max_retries=8).files.content(file_id)
        return [json.loads(line) for line in content.text.splitlines() if line.strip()]

    def _outcome(self, line: Mapping[str, Any], request: Request) -> Completion | Failure:
        response = line.get("response")
        if not isinstance(response, dict):
            error = line.get("error") or {}
            return Failure("retry", f"{error.get('code', 'no response')}: {error.get('message', '')}")
        payload = json.dumps(response.get("body")).encode()
        if response.get("status_code") != 200:  # noqa: PLR2004
            return failure_from(int(response.get("status_code") or 500), {}, payload)
        try:
            return replace(completions_from([request], payload, 0.0)[0], latency_s=None)
        except UnusableError as error:
            return Failure("retry", str(error))

    def _worth_another(self, failure: Failure) -> bool:
        if failure.kind == "parameter" and (better := learned(self.dialect, failure)) is not None:
            self.dialect = better
            return True
        return failure.kind in {"retry", "refused", "parameter"}

    def _told(self, outcome: Completion | Failure, asked: list[Request], attempts: int) -> list[Completion]:
        if isinstance(outcome, Failure):
            finish = "content_filter" if outcome.kind == "filtered" else "error"
            outcome = Completion("", "", finish, error=self.clean(outcome.text))  # type: ignore[arg-type]
        return [
            replace(outcome, key=request.key, attempts=attempts, cached=place > 0)
            for place, request in enumerate(asked)
        ]
