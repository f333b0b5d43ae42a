"""Continuous batching: rows are admitted, decoded together, leave when they are done, and others take their place.

All rows of a run answer as one adapter. Rows that have the same prompt (the samples of a question) share its prefill.
A row's tokens depend on its prompt, sampling and seed alone, never on the rows beside it.

When memory runs out, all active rows are preempted with the tokens that they have, and half as many at a time are
prefilled again and go on where they were.
"""

from __future__ import annotations

import gc
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import isnan
from threading import Event

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from medo1.engines.base import EngineError
from medo1.engines.local.active_rows import ActiveRows, DecodingRow
from medo1.engines.local.batch_limits import BatchLimits, rounded
from medo1.engines.local.kv_cache import BatchKVCache, prompt_mask
from medo1.engines.local.loading import Loaded
from medo1.engines.local.sampling import Drawing, penalised, sample_tokens, uniforms
from medo1.engines.local.work import Work
from medo1.progress_bars import GENERATED

logger = logging.getLogger(__name__)

ADMITTED_SHARE = 8  # rows are admitted when a share of this size of the batch is free: a prefill of few rows is slow
FEWEST_CACHE_ROWS = 8
TOLD_EVERY_S = 30.0  # while no row is done
NEW_CHECKED = 4  # tokens by which a model is verified
LONGEST_CHECKED = 512  # the largest window that the check goes beyond: a longer prompt would cost seconds on a CPU


class Decoder:
    """Decodes rows with a loaded model.

    Args:
        loaded: the model.
        limits: how much may be active at once.
        work: where to count; None for a count of its own.
        watch: called with the rows that got a token, after each pass; for streaming.
    """

    def __init__(
        self,
        loaded: Loaded,
        limits: BatchLimits,
        work: Work | None = None,
        watch: Callable[[Sequence[DecodingRow]], None] | None = None,
    ) -> None:
        self._loaded = loaded
        self.limits = limits
        self.work = work or Work()
        self._watch = watch
        self._ends = np.array(sorted(loaded.end_tokens), np.int64)
        self._cache = BatchKVCache(loaded.config.num_hidden_layers, loaded.windows)
        self._active = ActiveRows()

    def run(self, rows: Sequence[DecodingRow], stop: Event | None = None) -> Iterator[list[DecodingRow]]:
        """Decode rows; each comes back once, with those that ended in the same pass.

        Args:
            rows: what to decode.
            stop: when it is set no further row is admitted; active ones are still decoded.
        """
        waiting = deque(sorted(rows, key=lambda row: (-len(row.prompt), row.prompt)))
        try:
            told_at = time.monotonic()
            while waiting or len(self._active):
                if time.monotonic() - told_at >= TOLD_EVERY_S:
                    told_at = time.monotonic()
                    logger.info(
                        "%d rows are being decoded, %d wait; %s tokens so far",
                        len(self._active), len(waiting), f"{self.work.new_tokens:,}",
                    )  # fmt: skip
                if stop is not None and stop.is_set():
                    waiting.clear()
                if done := self._turn(waiting):
                    told_at = time.monotonic()
                    yield done
        finally:
            self._cache.release()
            self._active = ActiveRows()

    @torch.inference_mode()
    def _turn(self, waiting: deque[DecodingRow]) -> list[DecodingRow]:
        """Admit rows, or give each active row its next token; returns the rows that are done."""
        if not waiting and not len(self._active):
            return []
        try:
            ended = self._admit(waiting) if self._wants_more(waiting) else self._one_more_token(waiting)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            return self._preempt(waiting, error)
        if self._watch is not None:
            self._watch([self._active.sync(place) for place in range(len(self._active))])
        return self._without(ended)

    # Admission and prefill

    def _wants_more(self, waiting: deque[DecodingRow]) -> bool:
        if not waiting:
            return False
        active = self._active
        if not len(active):
            return True
        cached, most = (
            max(int(active.of("cached").max()), waiting[0].cached),
            max(int(active.of("most_columns").max()), waiting[0].most_columns),
        )
        rows = self.limits.rows_for(self._columns(cached, most))
        return rows - len(active) >= max(1, rows // ADMITTED_SHARE)

    def _columns(self, cached: int, most: int) -> int:
        """Columns to have ready: for the longest row and its next tokens, and no more than it can ever need."""
        return max(cached + 1, min(rounded(cached + 2, self._loaded.context), most))

    def _admit(self, waiting: deque[DecodingRow]) -> np.ndarray:
        """Prefill the prompts of the next rows and sample their first tokens."""
        began = time.monotonic()
        active = self._active
        groups: list[list[DecodingRow]] = []
        width = 0
        total = len(active)
        cached = int(active.of("cached").max(initial=0))
        most = int(active.of("most_columns").max(initial=0))
        while waiting:
            row = waiting[0]
            known = bool(groups) and _begins_alike(groups[-1][0], row)
            wider = max(width, len(row.prompt) + len(row.tokens))
            cached, most = max(cached, row.cached), max(most, row.most_columns)
            if groups and not known and wider * (len(groups) + 1) > self.limits.prefill_tokens:
                break
            if total and total + 1 > self.limits.rows_for(self._columns(cached, most)):
                break
            waiting.popleft()
            if known:
                groups[-1].append(row)
            else:
                groups.append([row])
            width, total = wider, total + 1
        try:
            ended = self._prefill(groups, width)
        except BaseException:
            waiting.extendleft(row for group in reversed(groups) for row in reversed(group) if row not in active.rows)
            raise
        self.work.prefill_s += time.monotonic() - began
        return ended

    def _prefill(self, groups: list[list[DecodingRow]], width: int) -> np.ndarray:
        loaded, cache, active = self._loaded, self._cache, self._active
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
        first, size = len(active), len(active) + len(rows)
        cached = max(int(active.of("cached").max(initial=0)), *(row.cached for row in rows), width)
        most = max(int(active.of("most_columns").max(initial=0)), *(row.most_columns for row in rows))
        cache.width = int(active.of("cached").max(initial=0))
        cache.reserve(prompt_cache, self._cache_rows_for(size), max(width, self._columns(cached, most)))
        owners = torch.tensor([n for n, group in enumerate(groups) for _ in group], device=loaded.device)
        cache.fill(first, prompt_cache, owners, lengths)
        now = time.monotonic()
        for row in rows:
            row.started = row.started or now
        active.add(rows)
        cache.used = size
        self.work.prefill_tokens += sum(len(prompt) for prompt in prompts)
        self.work.most_rows = max(self.work.most_rows, size)
        return self._sample(first, logits.index_select(0, owners))

    def _cache_rows_for(self, rows: int) -> int:
        """Rows to have in the cache: a few sizes only, so that it is not remade for each row."""
        size = FEWEST_CACHE_ROWS
        while size < rows:
            size *= 2
        return min(size, max(rows, self.limits.rows))

    # One pass

    def _one_more_token(self, waiting: deque[DecodingRow]) -> np.ndarray:
        """Each row's next token."""
        began = time.monotonic()
        loaded, cache, active = self._loaded, self._cache, self._active
        columns = self._columns(int(active.of("cached").max()), int(active.of("most_columns").max()))
        if columns > cache.columns:
            self._grow_cache(columns, waiting)
        lengths = torch.from_numpy(active.of("cached").copy()).to(loaded.device)
        mask = cache.step(lengths, int(active.of("cached").max()) + 1, loaded.dtype)
        logits = loaded.model(
            input_ids=torch.from_numpy(active.last_tokens[:, None]).to(loaded.device),
            attention_mask=mask,
            position_ids=lengths[:, None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        ended = self._sample(0, logits)
        self.work.decode_s += time.monotonic() - began
        self.work.passes += 1
        return ended

    def _grow_cache(self, columns: int, waiting: deque[DecodingRow]) -> None:
        """More columns; where fewer rows fit with them, the rows that have come least far are preempted."""
        active = self._active
        surplus = len(active) - self.limits.rows_for(columns)
        if surplus > 0:
            early = np.argsort(active.of("count"), kind="stable")[:surplus]
            waiting.extendleft(self._without(early))
            columns = self._columns(int(active.of("cached").max()), int(active.of("most_columns").max()))
        self._cache.width = int(active.of("cached").max())
        self._cache.resize(self._cache_rows_for(len(active)), columns)

    def _sample(self, first: int, logits: torch.Tensor) -> np.ndarray:
        """Sample a token for each row from `first` on; returns the places of those that are done with it."""
        active = self._active
        part = slice(first, len(active))
        drawing = Drawing(active.temperature[part], active.top_p[part], active.top_k[part], active.min_p[part])
        penalty = active.repetition_penalty[part]
        seen = {int(row): active.seen(first + int(row)) for row in np.flatnonzero(penalty != 1)}
        sampled = sample_tokens(
            penalised(logits, seen, penalty) if seen else logits,
            drawing,
            uniforms(active.seed[part], active.count[part].astype(np.uint64)),
            logits,
        )
        ended = active.note(first, sampled, self._ends)
        self.work.new_tokens += len(active) - first
        GENERATED.tokens += len(active) - first
        if looking := list(active.looking(first)):
            texts = self._loaded.texts([tokens for _, tokens in looking])
            stopped = [row for (row, _), text in zip(looking, texts, strict=True) if _stops(row, text)]
            for row in stopped:
                row.ended = "stop"
            if stopped:
                return np.array([place for place in range(first, len(active)) if active.rows[place].ended])
        return ended

    # Rows that leave

    def _without(self, places: np.ndarray) -> list[DecodingRow]:
        """Take rows out; the last rows move into their places in the cache."""
        gone = []
        for place in sorted(places.tolist(), reverse=True):
            gone.append(self._active.rows[place])
            moved = self._active.remove(place)
            if moved is not None:
                self._cache.move(moved, place, int(self._active.cached[place]))
        self._cache.used = len(self._active)
        return gone

    def _preempt(self, waiting: deque[DecodingRow], error: BaseException) -> list[DecodingRow]:
        """After memory ran out: preempt all rows, with the tokens that they have, and continue with half as many."""
        active = self._active
        rows = len(active) or min(len(waiting), self.limits.rows)
        back = [active.sync(place) for place in range(len(active))]
        waiting.extendleft(reversed(back))
        self._forget()
        self.work.preemptions += 1
        if rows <= 1:
            row = waiting.popleft()
            row.ended, row.error = "error", f"out of memory with {row.cached} tokens, on its own: {_head(error)}"
            return [row]
        self.limits = self.limits.halved(rows)
        logger.warning(
            "out of memory with %d rows; going on with at most %d (%s)", rows, self.limits.rows, _head(error)
        )
        return []

    def _forget(self) -> None:
        self._cache.release()
        self._active = ActiveRows()
        gc.collect()
        if self._loaded.device.type == "cuda":
            torch.cuda.empty_cache()


def _begins_alike(one: DecodingRow, other: DecodingRow) -> bool:
    return one.prompt == other.prompt and not one.tokens and not other.tokens


def _stops(row: DecodingRow, text: str) -> bool:
    return any(stop in text for stop in row.stops)


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return "not enough memory" in text or "can't allocate memory" in text or "out of memory" in text.lower()


def _head(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def verify(loaded: Loaded) -> None:
    """Check once that this model, decoded in batches, says what its own attention says of each sequence alone: an
    architecture with a memory, positions or an attention of another kind would answer wrongly without a word.

    Raises:
        EngineError: naming the model.
    """
    try:
        worst, spread = _largest_difference(loaded)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # whatever an architecture that was not made for this may raise
        told = _head(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {_head(error)}"
        raise EngineError(
            f"The transformers engine cannot decode {loaded.name} ({type(loaded.model).__name__}): {told}. Serve it "
            "with the vllm engine."
        ) from error
    if isnan(worst):
        raise EngineError(
            f"The model {loaded.name} computes numbers that are none (NaN): its weights are damaged, or "
            f"{str(loaded.dtype).removeprefix('torch.')} is too narrow for it. Copy its files again, or set another "
            "dtype."
        )
    # A model that hardly prefers one token to another differs by little, however wrong it is.
    allowed = max(1e-5, (1e-3 if loaded.dtype == torch.float32 else 0.5) * min(1.0, spread))
    if not worst < allowed:
        raise EngineError(
            f"The transformers engine cannot decode {loaded.name} ({type(loaded.model).__name__}): its "
            f"log-probabilities differ by {worst:.3g} from those of the model's own attention. Serve it with the vllm "
            "engine."
        )


def _largest_difference(loaded: Loaded) -> tuple[float, float]:
    """And how far the model's log-probabilities lie apart (their standard deviation). The difference is between the
    log-probabilities of a few tokens, decoded together, and of each sequence on its own with the model's
    own attention. One of them is longer than the smallest window that can be passed cheaply."""
    generator = np.random.default_rng(0)
    vocabulary = int(loaded.config.vocab_size)
    window = min((window for window in loaded.windows.values() if window is not None), default=0)
    longest = window + 3 if window <= LONGEST_CHECKED else 0
    sizes = [min(size, loaded.context - NEW_CHECKED) for size in (5, max(9, longest), 2)]
    rows = [DecodingRow(generator.integers(0, vocabulary, size).tolist(), NEW_CHECKED, 0.0, 1.0, 0) for size in sizes]
    ends, loaded.end_tokens = loaded.end_tokens, frozenset()
    try:
        limits = BatchLimits(rows=3, cells=1 << 20, prefill_tokens=1 << 10)
        list(Decoder(loaded, limits).run(rows))
    finally:
        loaded.end_tokens = ends
    worst, spreads = 0.0, []
    with loaded.own_attention(), torch.inference_mode():
        for row in rows:
            if row.error is not None:
                return float("nan"), 0.0
            ids = torch.tensor([row.prompt + row.tokens[:-1]], device=loaded.device)
            logits = loaded.model(input_ids=ids, use_cache=False).logits[0, -len(row.tokens) :].float()
            spreads.append(logits.std(dim=-1).mean().item())
            alone = torch.log_softmax(logits, dim=-1).gather(1, torch.tensor([row.tokens], device=loaded.device).T)
            difference = (alone[:, 0].cpu() - torch.tensor(row.logprobs)).abs().max().item()
            worst = difference if not difference < worst else worst  # NaN stays
    return worst, min(spreads)
