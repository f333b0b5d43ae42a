"""Rows come in, are decoded together, leave when they are done, and others take their place.

Called by the `transformers` engine with rows of one adapter. Rows that have the same prompt (the samples of a question)
are read once. A row's tokens depend on its prompt, sampling and seed alone, never on the rows beside it.

When memory runs out, all rows in work are put back with the tokens that they have, and half as many at a time are read
again and go on where they were.
"""

from __future__ import annotations

import gc
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from medo1.engines.base import EngineError
from medo1.engines.local.kv_cache import SlotCache, prompt_mask
from medo1.engines.local.loading import Loaded
from medo1.engines.local.memory import Plan, rounded
from medo1.engines.local.rows import Row, Table
from medo1.engines.local.sampling import picks, uniforms
from medo1.engines.local.work import Work

logger = logging.getLogger(__name__)

TAKEN_IN_SHARE = 8  # rows are taken in when a share of this size of the slots is free: reading few at a time is slow
FEWEST_SLOTS = 8


class Decoder:
    """Decodes rows with a loaded model.

    Args:
        loaded: the model.
        plan: how much may be in work at once.
        work: where to count; None for a count of its own.
        watch: called with the rows that got a token, after each pass; for streaming.
    """

    def __init__(
        self,
        loaded: Loaded,
        plan: Plan,
        work: Work | None = None,
        watch: Callable[[Sequence[Row]], None] | None = None,
    ) -> None:
        self._loaded = loaded
        self.plan = plan
        self.work = work or Work()
        self._watch = watch
        self._ends = np.array(sorted(loaded.end_tokens), np.int64)
        self._slots = SlotCache(loaded.config.num_hidden_layers, loaded.windows)
        self._table = Table()

    def run(self, rows: Sequence[Row], stop: Event | None = None) -> Iterator[list[Row]]:
        """Decode rows; each comes back once, with those that ended in the same pass.

        Args:
            rows: what to decode.
            stop: when it is set no further row is taken in; those in work are still decoded.
        """
        waiting = deque(sorted(rows, key=lambda row: (-len(row.prompt), row.prompt)))
        try:
            while waiting or len(self._table):
                if stop is not None and stop.is_set():
                    waiting.clear()
                if done := self._turn(waiting):
                    yield done
        finally:
            self._slots.release()
            self._table = Table()

    @torch.inference_mode()
    def _turn(self, waiting: deque[Row]) -> list[Row]:
        """Take rows in, or give each row in work its next token; returns the rows that are done."""
        if not waiting and not len(self._table):
            return []
        try:
            ended = self._take_in(waiting) if self._wants_more(waiting) else self._one_more_token(waiting)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            return self._put_back(waiting, error)
        if self._watch is not None:
            self._watch([self._table.sync(place) for place in range(len(self._table))])
        return self._without(ended)

    # Taking rows in

    def _wants_more(self, waiting: deque[Row]) -> bool:
        if not waiting:
            return False
        table = self._table
        if not len(table):
            return True
        read, most = (
            max(int(table.of("read").max()), waiting[0].read),
            max(int(table.of("most").max()), waiting[0].most),
        )
        slots = self.plan.rows_for(self._columns(read, most))
        return slots - len(table) >= max(1, slots // TAKEN_IN_SHARE)

    def _columns(self, read: int, most: int) -> int:
        """Columns to have ready: for the longest row and its next tokens, and no more than it can ever need."""
        return max(read + 1, min(rounded(read + 2, self._loaded.context), most))

    def _take_in(self, waiting: deque[Row]) -> np.ndarray:
        """Read the prompts of the next rows and pick their first tokens."""
        began = time.monotonic()
        table = self._table
        groups: list[list[Row]] = []
        width = 0
        total = len(table)
        read = int(table.of("read").max(initial=0))
        most = int(table.of("most").max(initial=0))
        while waiting:
            row = waiting[0]
            known = bool(groups) and _begins_alike(groups[-1][0], row)
            wider = max(width, len(row.prompt) + len(row.tokens))
            read, most = max(read, row.read), max(most, row.most)
            if groups and not known and wider * (len(groups) + 1) > self.plan.reading:
                break
            if total and total + 1 > self.plan.rows_for(self._columns(read, most)):
                break
            waiting.popleft()
            if known:
                groups[-1].append(row)
            else:
                groups.append([row])
            width, total = wider, total + 1
        try:
            ended = self._read(groups, width)
        except BaseException:
            waiting.extendleft(row for group in reversed(groups) for row in reversed(group) if row not in table.rows)
            raise
        self.work.read_s += time.monotonic() - began
        return ended

    def _read(self, groups: list[list[Row]], width: int) -> np.ndarray:
        loaded, slots, table = self._loaded, self._slots, self._table
        prompts = [group[0].prompt + group[0].tokens for group in groups]
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=loaded.device)
        ids = torch.tensor(
            [[loaded.pad_token] * (width - len(prompt)) + prompt for prompt in prompts], device=loaded.device
        )
        places = (torch.arange(width, device=loaded.device)[None] - (width - lengths)[:, None]).clamp_min(0)
        prompt_cache = DynamicCache()
        logits = loaded.model(
            input_ids=ids,
            attention_mask=prompt_mask(lengths, width, loaded.windows),
            position_ids=places,
            past_key_values=prompt_cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        rows = [row for group in groups for row in group]
        first, size = len(table), len(table) + len(rows)
        read = max(int(table.of("read").max(initial=0)), *(row.read for row in rows), width)
        most = max(int(table.of("most").max(initial=0)), *(row.most for row in rows))
        slots.width = int(table.of("read").max(initial=0))
        slots.reserve(prompt_cache, self._slots_for(size), max(width, self._columns(read, most)))
        owners = torch.tensor([n for n, group in enumerate(groups) for _ in group], device=loaded.device)
        slots.fill(first, prompt_cache, owners, lengths)
        now = time.monotonic()
        for row in rows:
            row.started = row.started or now
        table.add(rows)
        slots.used = size
        self.work.read_tokens += sum(len(prompt) for prompt in prompts)
        self.work.most_rows = max(self.work.most_rows, size)
        return self._pick(first, logits.index_select(0, owners))

    def _slots_for(self, rows: int) -> int:
        """Slots to have: a few sizes only, so that the room is not remade for each row."""
        size = FEWEST_SLOTS
        while size < rows:
            size *= 2
        return min(size, max(rows, self.plan.rows))

    # One pass

    def _one_more_token(self, waiting: deque[Row]) -> np.ndarray:
        """Each row's next token."""
        began = time.monotonic()
        loaded, slots, table = self._loaded, self._slots, self._table
        columns = self._columns(int(table.of("read").max()), int(table.of("most").max()))
        if columns > slots.columns:
            self._make_room(columns, waiting)
        lengths = torch.from_numpy(table.of("read").copy()).to(loaded.device)
        mask = slots.step(lengths, int(table.of("read").max()) + 1, loaded.dtype)
        logits = loaded.model(
            input_ids=torch.from_numpy(table.last_tokens[:, None]).to(loaded.device),
            attention_mask=mask,
            position_ids=lengths[:, None],
            past_key_values=slots,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        ended = self._pick(0, logits)
        self.work.decode_s += time.monotonic() - began
        self.work.passes += 1
        return ended

    def _make_room(self, columns: int, waiting: deque[Row]) -> None:
        """More columns; where fewer rows fit with them, the rows that have come least far wait again."""
        table = self._table
        surplus = len(table) - self.plan.rows_for(columns)
        if surplus > 0:
            early = np.argsort(table.of("count"), kind="stable")[:surplus]
            waiting.extendleft(self._without(early))
            columns = self._columns(int(table.of("read").max()), int(table.of("most").max()))
        self._slots.width = int(table.of("read").max())
        self._slots.resize(self._slots_for(len(table)), columns)

    def _pick(self, first: int, logits: torch.Tensor) -> np.ndarray:
        """Pick a token for each row from `first` on; returns the places of those that are done with it."""
        table = self._table
        part = slice(first, len(table))
        picked = picks(
            logits,
            table.temperature[part],
            table.top_p[part],
            uniforms(table.seed[part], table.count[part].astype(np.uint64)),
        )
        ended = table.note(first, picked, self._ends)
        self.work.new_tokens += len(table) - first
        if looking := list(table.looking(first)):
            texts = self._loaded.texts([tokens for _, tokens in looking])
            stopped = [row for (row, _), text in zip(looking, texts, strict=True) if _stops(row, text)]
            for row in stopped:
                row.ended = "stop"
            if stopped:
                return np.array([place for place in range(first, len(table)) if table.rows[place].ended])
        return ended

    # Rows that leave

    def _without(self, places: np.ndarray) -> list[Row]:
        """Take rows out; the last rows move into their slots."""
        gone = []
        for place in sorted(places.tolist(), reverse=True):
            gone.append(self._table.rows[place])
            moved = self._table.remove(place)
            if moved is not None:
                self._slots.move(moved, place, int(self._table.read[place]))
        self._slots.used = len(self._table)
        return gone

    def _put_back(self, waiting: deque[Row], error: BaseException) -> list[Row]:
        """After memory ran out: go on with half of the rows; the others wait again, with the tokens that they have."""
        table = self._table
        rows = len(table) or min(len(waiting), self.plan.rows)
        back = [table.sync(place) for place in range(len(table))]
        waiting.extendleft(reversed(back))
        self._forget()
        self.work.halvings += 1
        if rows <= 1:
            row = waiting.popleft()
            row.ended, row.error = "error", f"out of memory with {row.read} tokens, on its own: {_head(error)}"
            return [row]
        self.plan = self.plan.halved(rows)
        logger.warning("out of memory with %d rows; going on with at most %d (%s)", rows, self.plan.rows, _head(error))
        return []

    def _forget(self) -> None:
        self._slots.release()
        self._table = Table()
        gc.collect()
        if self._loaded.device.type == "cuda":
            torch.cuda.empty_cache()


def _begins_alike(one: Row, other: Row) -> bool:
    return one.prompt == other.prompt and not one.tokens and not other.tokens


def _stops(row: Row, text: str) -> bool:
    return any(stop in text for stop in row.stops)


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return "not enough memory" in text or "can't allocate memory" in text or "out of memory" in text.lower()


def _head(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def verify(loaded: Loaded) -> None:
    """Check once that this model, decoded in slots, says what it says on its own: an architecture with a memory of
    another kind, or positions of another kind, would answer wrongly without a word.

    Raises:
        EngineError: naming the model.
    """
    try:
        worst = _largest_difference(loaded)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # whatever an architecture that was not made for this may raise
        raise EngineError(
            f"The transformers engine cannot decode {loaded.name} ({type(loaded.model).__name__}): "
            f"{type(error).__name__}: {_head(error)}. Serve it with the vllm engine."
        ) from error
    allowed = 1e-2 if loaded.dtype == torch.float32 else 0.5
    if not worst < allowed:
        raise EngineError(
            f"The transformers engine cannot decode {loaded.name} ({type(loaded.model).__name__}): its "
            f"log-probabilities differ by {worst:.3g} from those of single prompts. Serve it with the vllm engine."
        )


def _largest_difference(loaded: Loaded) -> float:
    """Between the log-probabilities of a few tokens, decoded together in slots, and of each sequence read alone."""
    generator = np.random.default_rng(0)
    vocabulary = int(loaded.config.vocab_size)
    rows = [Row(generator.integers(0, vocabulary, size).tolist(), 3, 0.0, 1.0, 0) for size in (5, 9, 2)]
    ends, loaded.end_tokens = loaded.end_tokens, frozenset()
    try:
        list(Decoder(loaded, Plan(rows=3, cells=1 << 20, reading=1 << 10)).run(rows))
    finally:
        loaded.end_tokens = ends
    worst = 0.0
    for row in rows:
        with torch.inference_mode():
            ids = torch.tensor([row.prompt + row.tokens[:-1]], device=loaded.device)
            logits = loaded.model(input_ids=ids, use_cache=False).logits[0, -len(row.tokens) :].float()
        alone = torch.log_softmax(logits, dim=-1).gather(1, torch.tensor([row.tokens], device=loaded.device).T)[:, 0]
        worst = max(worst, (alone.cpu() - torch.tensor(row.logprobs)).abs().max().item())
    return worst
