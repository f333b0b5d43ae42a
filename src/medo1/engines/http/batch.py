"""The Batch API: thousands of requests submitted as a file, answered within a day, at half the price.

The same requests give the same content addresses as live, so the
completion store does not distinguish how an answer came.

Nothing is paid twice, whenever the process is killed. Before a batch is created its requests are written to a journal,
one file per batch, under a tag that also goes into the batch's metadata; once created, its id is added; the file is
removed when the answers have been consumed (with a store: committed). A later run looks for
its requests in the journal first. A journal without a batch id means: killed around the creation; the server's list of
batches then says whether the tag is there.

Source: the OpenAI Batch API guide (files with purpose `batch`, `custom_id`, output and error files).
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from medo1.engines.base import Completion, EngineError, FinishReason, Request, beyond_top_p
from medo1.engines.http.chat import Dialect, Extras, body_bytes, chat_body
from medo1.engines.http.failures import Failure, failure_from, learned, shown
from medo1.engines.http.responses import ResponseError, completions_from
from medo1.engines.tokens import prompt_tokens_bound
from medo1.engines.wrappers.store import engine_address, request_address

if TYPE_CHECKING:
    from openai import AsyncOpenAI

logger = logging.getLogger(__name__)

URL: Final = "/v1/chat/completions"
TAG = "medo1"  # the metadata key that holds a batch's tag
MOST_BYTES = 150_000_000  # of one file; the API takes 200 MB
ENDED = {"completed", "expired", "cancelled", "failed"}
LIMITED = re.compile(r"(?i)limit|quota|enqueued|too many|exceed")  # of what may wait at the server at once
TOLD_EVERY_S = 30.0
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
class _Tried:
    """What became of a request so far: see the fields of `Completion`."""

    attempts: int = 0
    unusable: int = 0
    unread: int = 0
    prompt: int = 0
    completion: int = 0


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
    tries: int
    clean: Callable[[str], str]
    _submitted_in: Dialect | None = None
    _limited: bool = False
    _hopeless: str = ""

    def batches(self, requests: Iterable[Request]) -> Iterator[list[Completion]]:
        """Submit what is in no earlier batch, wait, and yield what each batch brings."""
        from openai import OpenAIError

        journal = Journal(self.directory)
        engine_id = engine_address(self.identity)
        wanted: dict[str, list[Request]] = {}
        for request in requests:
            wanted.setdefault(request_address(request, engine_id)[:ID_DIGITS], []).append(request)
        tried = {name: _Tried() for name in wanted}
        told_at = time.monotonic()
        began = told_at
        try:
            open_entries = [entry for entry in self._adopted(journal) if wanted.keys() & set(entry.custom_ids)]
            covered = {name for entry in open_entries for name in entry.custom_ids}
            todo = [name for name in wanted if name not in covered]
            if covered & wanted.keys():
                logger.info(
                    "%d requests were submitted before; waiting for their batches", len(covered & wanted.keys())
                )
            while todo or open_entries:
                self._submitted_in = self.dialect if todo else self._submitted_in
                open_entries += [self._submit(journal, chunk, wanted) for chunk in self._chunks(todo, wanted)]
                todo = []
                ended = [(entry, batch) for entry in open_entries if (batch := self._look(entry)).status in ENDED]
                for entry, batch in ended:
                    open_entries.remove(entry)
                    told, again = self._taken(entry, batch, wanted, tried)
                    if told:
                        yield told
                    journal.remove(entry)  # after the yield: the consumer has stored the answers by now
                    todo += again
                    self._stop_if_hopeless()
                if (open_entries and not ended) or (todo and self._limited):
                    if time.monotonic() - told_at >= TOLD_EVERY_S:
                        told_at = time.monotonic()
                        logger.info(
                            "waiting for %d batches since %.0f s ago (%s); they end within a day, and a run that is "
                            "stopped goes on from here", len(open_entries), told_at - began,
                            ", ".join(str(entry.batch_id) for entry in open_entries[:3]),
                        )  # fmt: skip
                    time.sleep(self.poll_s)
                self._limited = False
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
            data = body_bytes({"custom_id": name, "method": "POST", "url": URL, "body": body}) + b"\n"
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
        self, entry: Entry, batch: Any, wanted: Mapping[str, list[Request]], tried: dict[str, _Tried]
    ) -> tuple[list[Completion], list[str]]:
        """The results of an ended batch for the wanted requests, and the requests to resubmit."""
        left = [name for name in entry.custom_ids if name in wanted]
        told: list[Completion] = []
        again: list[str] = []
        for file_id in (batch.output_file_id, batch.error_file_id):
            for line in self.run(self._lines(file_id)) if file_id else ():
                name = line.get("custom_id")
                if name not in left:
                    continue
                left.remove(name)
                request, past = wanted[name][0], tried[name]
                past.attempts += 1
                outcome = self._outcome(line, request)
                if isinstance(outcome, Failure):
                    self._lost(past, outcome, request)
                    if self._worth_another(outcome, request, past):
                        again.append(name)
                        continue
                told += self._told(outcome, wanted[name], past)
        errors = (batch.errors.data or []) if batch.errors else []
        reasons = "; ".join(error.message or "" for error in errors)
        # The batch as a whole was more than may wait at the server: in smaller pieces, when others have ended.
        limited = batch.status == "failed" and any(LIMITED.search(f"{one.code} {one.message}") for one in errors)
        if limited and len(entry.custom_ids) > 1:
            self.size = max(1, min(self.size, len(entry.custom_ids)) // 2)
            self._limited = True
            logger.warning("batch %s: %s; in pieces of %d from here on", batch.id, reasons, self.size)
        for name in left:  # in neither file: the batch ended before it came to them, or was refused as a whole
            past = tried[name]
            past.attempts += not limited
            if (limited and len(entry.custom_ids) > 1) or (
                batch.status == "expired" and past.attempts < self.max_attempts
            ):
                again.append(name)
                continue
            asked_off = " It was cancelled, and is not sent again unasked." if batch.status == "cancelled" else ""
            text = f"batch {batch.id} ended as {batch.status} without this answer.{asked_off} {reasons}".strip()
            told += self._told(Failure("retry", text), wanted[name], past)
        return told, again

    async def _lines(self, file_id: str) -> list[dict[str, Any]]:
        """The lines of a file; what is no JSON object is left out, and its request counts as unanswered."""
        content = await self.client.with_options(max_retries=8).files.content(file_id)
        lines = []
        for line in content.content.split(b"\n"):  # nothing else ends a line: texts may hold U+2028
            try:
                found = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError):
                logger.warning("a line of %s is not JSON: %s", file_id, shown(line))
                continue
            if isinstance(found, dict):
                lines.append(found)
        return lines

    def _outcome(self, line: Mapping[str, Any], request: Request) -> Completion | Failure:
        response = line.get("response")
        if not isinstance(response, dict):
            error = line.get("error") or {}
            return Failure("retry", f"{error.get('code', 'no response')}: {error.get('message', '')}")
        payload = body_bytes(response.get("body"))
        status = response.get("status_code")
        if status != 200:  # noqa: PLR2004
            return failure_from(status if isinstance(status, int) else 500, {}, payload)
        try:
            return replace(completions_from([request], payload, 0.0)[0], latency_s=None)
        except ResponseError as error:
            return error.failure

    def _lost(self, past: _Tried, failure: Failure, request: Request) -> None:
        if not failure.billed:
            return
        past.unread += 1
        past.unusable += failure.kind == "unusable"
        prompt, completion = failure.prompt_tokens, failure.completion_tokens
        past.prompt += prompt_tokens_bound(request.messages) if prompt is None else prompt
        past.completion += request.sampling.max_new_tokens if completion is None else completion

    def _worth_another(self, failure: Failure, request: Request, past: _Tried) -> bool:
        if failure.kind == "fatal":
            self._hopeless = failure.text
            return False
        if failure.kind == "parameter":
            body = chat_body([request], self.model, self.dialect, self.extras)
            needed = beyond_top_p(request.sampling)
            if (better := learned(self.dialect, failure, body, request.messages, needed)) is not None:
                logger.warning("%s: %s; %s", self.model, self.clean(failure.text), better[1])
                self.dialect = better[0]
                return True
            # Another line of the same batch may have taught it.
            return bool(past.attempts == 1 and self.dialect != self._submitted_in)
        if failure.kind not in {"retry", "refused", "unusable"} or past.attempts >= self.max_attempts:
            return False
        if failure.kind == "unusable" and 0 < self.tries <= past.unusable:
            return False
        return not failure.billed or request.may_retry is None or request.may_retry()

    def _stop_if_hopeless(self) -> None:
        """After finished answers were passed on: stop for an error that every other request would meet too."""
        if self._hopeless:
            raise EngineError(f"batch for {self.model}: {self.clean(self._hopeless)}")

    def _told(self, outcome: Completion | Failure, asked: list[Request], past: _Tried) -> list[Completion]:
        if isinstance(outcome, Failure):
            finish: FinishReason = "content_filter" if outcome.kind == "filtered" else "error"
            outcome = Completion("", "", finish, error=self.clean(outcome.text))
        first = replace(
            outcome,
            attempts=max(1, past.attempts),
            unread=past.unread,
            unusable=past.unusable,
            unseen_prompt_tokens=outcome.unseen_prompt_tokens + past.prompt,
            unseen_completion_tokens=outcome.unseen_completion_tokens + past.completion,
        )
        return [replace(first, key=request.key, cached=place > 0) for place, request in enumerate(asked)]
