"""Answer reading: agreement, letters given to cut outputs, speed, and the slowest texts, beside a rule in common use.

    python benchmarks/answers.py [RECORDED.jsonl] [--repeats N]

Reads recorded model outputs (JSONL with `set`, `dataset`, `qid`, `model`, `raw`, `options`, `peer_pred`); prints tables
and, as the last line, one JSON object:

- `agreement`: share of outputs that are read as their label says, known to have ended; `agreement_no_finish`: the same
  with nothing known. Labels that are wrong are corrected first, each by row and reason: `answer_labels.jsonl`.
- `cut_given_letter`: letters given to outputs that are cut at every 20th character before their answer, and to chains
  whose marks are lost, with the finish reason and without; right: 0.
- `rows_per_s` on one core (median of the repeats), and `vs_mmlu_pro_rule`, how many times that is the rate of
  MMLU-Pro's rule, measured in turn.
- `worst_ms`: the slowest of many texts of 25,000 characters that are built to be slow, best of five;
  `worst_growth`: the most that the time of the slowest ones grows when they are four times as long (linear: 4).

Times are this process' own, so that what else a machine does at the same time counts less.
"""
# ruff: noqa: RUF001  (texts hold the marks that models write)

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from _absent import not_here
from medo1.answers import read_answer, strict_letter
from medo1.answers.rules import CUES

RECORDED = Path(__file__).parents[2] / "shared" / "benchmarks" / "recorded_outputs_dev.jsonl"
LABELS = Path(__file__).parent / "answer_labels.jsonl"
STEP = 20  # characters between cuts
LENGTH = 25_000  # characters of a text that is built to be slow

clock = time.process_time

Rule = Callable[[str, Mapping[str, str], str | None], str | None]


def read(text: str, options: Mapping[str, str], finish_reason: str | None = None) -> str | None:
    """The letter by `medo1.answers`."""
    return read_answer(text, options, finish_reason).letter


def strict(text: str, options: Mapping[str, str], finish_reason: str | None = None) -> str | None:
    """The letter of the last line `Final answer: X`."""
    return strict_letter(text, options)


def mmlu_pro(text: str, options: Mapping[str, str], finish_reason: str | None = None) -> str | None:
    """The letter by MMLU-Pro's rule: `answer is X`, else `Answer: X`, else the last letter that stands alone."""
    letters = "".join(options)
    for pattern in (rf"answer is \(?([{letters}])\)?", rf".*[aA]nswer:\s*([{letters}])"):
        match = re.search(pattern, text)
        if match:
            return match[1]
    match = re.search(rf"\b([{letters}])\b(?!.*\b[{letters}]\b)", text, re.DOTALL)
    return match[1] if match else None


def key_of(row: Mapping[str, str]) -> tuple[str, ...]:
    """What names a row of the recorded outputs."""
    return tuple(row[name] for name in ("set", "dataset", "qid", "model"))


def corrected(rows: list[dict[str, Any]]) -> dict[int, str | None]:
    """The right letter of each row by its place: as labelled, or as `answer_labels.jsonl` corrects it."""
    wrong = {key_of(one): one["right"] for one in map(json.loads, LABELS.open())}
    right = {}
    for place, row in enumerate(rows):
        label = wrong.get(key_of(row), row["peer_pred"])
        right[place] = label if label is not None and len(label) == 1 else None
    return right


CONCLUDING = re.compile(
    r"answer|choice|option|best|most (?:likely|appropriate|accurate|suitable|probable)|therefore|thus|hence|conclu|"
    r"correct|final|diagnosis|step|select|choose|boxed|based on|given|considering|closest|only|is:|be:|are:|so,|as |"
    r"because",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s)[^.!?\n]*)*[.!?\n]*\s*")


def before_the_answer(text: str, options: Mapping[str, str], letter: str, statement: int) -> int:
    """Where the text first says anything that could be its answer, found without the reader's own patterns.

    That is the first sentence that has the option's whole text, or its letter and a word that concludes, weighs or
    calls something an answer; where a line ends with a colon, the line below belongs to it. At the latest `statement`.
    """
    own = options[letter].strip(" .").lower()
    label = re.compile(rf"(?<![A-Za-z0-9]){letter}(?![A-Za-z0-9'’-])", re.IGNORECASE)
    start = 0
    for sentence in SENTENCE.finditer(text):
        announced = sentence[0].rstrip().rstrip("*_ ").endswith(":")
        if not announced:
            whole = text[start : sentence.end()]
            if (own and own in whole.lower()) or (label.search(whole) and CONCLUDING.search(whole)):
                return min(start, statement)
            start = sentence.end()
    return min(start, statement)


def cut_prefixes(rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, str], str | None]]:
    """Outputs cut at every 20th character before their answer, with and without the finish reason that says so."""
    for row in rows:
        answer = read_answer(row["raw"], row["options"], "stop")
        if answer.letter is None or answer.span is None:
            continue
        limit = before_the_answer(row["raw"], row["options"], answer.letter, answer.span[0])
        for cut in range(STEP, limit, STEP):
            for finish_reason in (None, "length"):
                yield row["raw"][:cut], row["options"], finish_reason


def cut_chains(rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, str], str | None]]:
    """Thinking cut at every 20th character before its end, with its opening mark and without it."""
    for row in rows:
        thinking, closed, _ = row["raw"].partition("</think>")
        for cut in range(STEP, len(thinking), STEP) if closed else ():
            for opening in ("", "<think>"):
                for finish_reason in (None, "length"):
                    yield opening + thinking[:cut].removeprefix("<think>"), row["options"], finish_reason


# what any rule looks for, and what texts of a model may repeat
MARKS = (
    "**", "__", "####", "# ", "\\boxed{", "\\text{", "<think>", "</think>", "<answer>", "</answer>",
    "<|im_start|>", "[[", "]]", '{"answer": ', '"answer": "A", ', "- (A) x\n", "A. ", "A) ", "(A) ", "(A) or ",
    "A and ", "A, ", "\n\n", "\n- ", "\n* ", "\n1. ", ". ", ": ", "? ", "; ", "-> ", "A\n", "\nA) ",
    "A) Metformin\n", "Metformin ", "Beta-blocker therapy (B) ", "The answer is ", "answer: ",
    "The answer is B. ", "answer is not B but ", "I choose ", "the best option is ", "is the best answer ",
    "The most likely is ", "The most likely diagnosis is:\n\n(A) ", "n't ", "if the answer is A, ", "Wait, C. ",
    "\nQuestion: y", "\nOptions: ", "but but ", "so so ", "  \n", "option A ", "(option A) ", "which is ",
    "[A] ", "A to ", "ABCDE ", "是C", "答案是", "정답은 ", "正解は", "la respuesta es ", "Final answer: A\n",
    "is: ", "A–", "most likely ", "\nconclusion: ", "no, ", "not ", "example 1: ", "A. foo\nB. bar\n", "İ",
    "\u0301", "😀", "\x00", "\r\n", "| A |", "“", "\\n",
)  # fmt: skip
OPTIONS = {
    "A": "Metformin", "B": "Beta-blocker therapy", "C": "no", "D": "None of the above", "E": "Digoxin is no option (A)",
}  # fmt: skip


def pieces() -> list[str]:
    """Each character, word and mark that a rule looks for."""
    words = {word for cue in CUES for word in cue.words}
    words |= {word for cue in CUES for text in (cue.example, cue.counter) for word in text.split()}
    return [*string.printable, *"“”‘’–—→⇒✅（【。！？、，；：·•▁｜◁▷", *MARKS, *sorted(words)]


def slow_texts(length: int, pairs: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Texts of one piece, or of two or three in turn, again and again; with the piece that they repeat."""
    draw = random.Random(seed)
    known = pieces()
    units = [piece + gap for piece in known for gap in ("", " ")]
    units += ["".join(draw.choices(known, k=draw.choice((2, 2, 3)))) for _ in range(pairs)]
    for unit in units:
        repeated = (unit * (length // len(unit) + 1))[:length]
        yield unit, repeated
        if len(unit) > 1:
            yield unit, f"The answer is B. {repeated}"[:length]
            yield unit, f"{repeated[:-20]} The answer is (B)."


def best_of(times: int, text: str, finish_reason: str | None = None) -> float:
    """Seconds of the fastest of several readings."""
    seconds = []
    for _ in range(times):
        start = clock()
        read_answer(text, OPTIONS, finish_reason)
        seconds.append(clock() - start)
    return min(seconds)


def slowest(pairs: int, again: int = 40) -> tuple[float, float, str]:
    """The slowest text: its milliseconds, the most that the slowest ones' time grows fourfold, and what it repeats."""
    once = sorted(((best_of(1, text), unit, text) for unit, text in slow_texts(LENGTH, pairs)), reverse=True)[:again]
    measured = sorted(((best_of(5, text), unit, text) for _, unit, text in once), reverse=True)
    growth = max(best_of(5, text + text[:17] + text * 3) / seconds for seconds, _, text in measured)
    return measured[0][0] * 1e3, growth, measured[0][1]


def rates(rules: Mapping[str, Rule], rows: list[dict[str, Any]], repeats: int) -> dict[str, list[float]]:
    """Rows a second of each rule in each repeat over all rows, the rules in turn."""
    measured: dict[str, list[float]] = {name: [] for name in rules}
    for _ in range(repeats):
        for name, rule in rules.items():
            start = clock()
            for row in rows:
                rule(row["raw"], row["options"], None)
            measured[name].append(len(rows) / (clock() - start))
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recorded", nargs="?", type=Path, default=RECORDED)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--pairs", type=int, default=400, help="texts of two or three pieces among the slow ones")
    arguments = parser.parse_args()
    if not arguments.recorded.is_file():
        not_here(f"{arguments.recorded} is not there: name the file of recorded outputs")
    rows = [json.loads(line) for line in arguments.recorded.read_text().splitlines()]
    right = corrected(rows)
    differing = sum(right[place] != row["peer_pred"] for place, row in enumerate(rows))
    prefixes = [*cut_prefixes(rows), *cut_chains(rows)]
    print(f"{len(rows):,} outputs ({differing} letters corrected), {len(prefixes):,} cut prefixes and chains")
    rules: dict[str, Rule] = {"Final answer: X": strict, "MMLU-Pro": mmlu_pro, "medo1": read}
    speed = rates(rules, rows, arguments.repeats)
    print(f"{'rule':<17}{'agreement':>10}{'no finish':>10}{'cut, letter':>13}{'rows/s':>10}")
    figures: dict[str, float] = {}
    for name, rule in rules.items():
        shares = [
            statistics.mean(rule(row["raw"], row["options"], finish) == right[place] for place, row in enumerate(rows))
            for finish in ("stop", None)
        ]
        given = sum(rule(*prefix) is not None for prefix in (prefixes if rule is not mmlu_pro else prefixes[::20]))
        rate = statistics.median(speed[name])
        given *= 20 if rule is mmlu_pro else 1
        print(f"{name:<17}{shares[0]:>10.4f}{shares[1]:>10.4f}{given:>13,}{rate:>10,.0f}")
        figures = {
            "agreement": round(shares[0], 4),
            "agreement_no_finish": round(shares[1], 4),
            "cut_given_letter": given,
            "rows_per_s": round(rate),
        }
    ratio = statistics.median(ours / theirs for ours, theirs in zip(speed["medo1"], speed["MMLU-Pro"], strict=True))
    print("MMLU-Pro's letters for cut texts are counted on every 20th of these and multiplied.")
    print("\nset                rows  answer  abstain  conflict  truncated")
    for group in dict.fromkeys(row["set"] for row in rows):
        members = [row for row in rows if row["set"] == group]
        status = Counter(read_answer(row["raw"], row["options"]).status for row in members)
        print(
            f"{group:<18}{len(members):>5}{status['answer']:>8}{status['abstain']:>9}{status['conflict']:>10}"
            f"{status['truncated']:>11}"
        )
    worst, growth, unit = slowest(arguments.pairs)
    print(
        f"\nslowest of {LENGTH:,} characters: {worst:.1f} ms, repeats {unit!r}; four times as long: {growth:.1f} times"
    )
    figures |= {
        "vs_mmlu_pro_rule": round(ratio, 1), "worst_ms": round(worst, 2), "worst_growth": round(growth, 2)
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
