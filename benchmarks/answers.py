"""Answer reading: agreement, letters given to cut outputs, speed, and the slowest input, beside a common rule.

    python benchmarks/answers.py [RECORDED.jsonl] [--repeats N]

Reads recorded model outputs (JSONL with `set`, `raw`, `options`, `peer_pred`); prints a table and, as the last line,
one JSON object: `agreement` with the letters that a language model named, `cut_given_letter` (letters given to outputs
that were cut before their answer; right: 0), `rows_per_s` on one core (median of the repeats) and `worst_ms` (the
slowest of the pathological inputs, best of five runs each; the common rule is left out there, it takes minutes). Times
are this process' own, so that what else a machine does at the same time counts less.
"""
# ruff: noqa: RUF001  (texts hold the marks that models write)

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from medo1.answers import read_answer

RECORDED = Path(__file__).parents[2] / "shared" / "benchmarks" / "recorded_outputs_dev.jsonl"
NAMED_BY_A_MODEL = "medagents_cot"
CUTS = 8  # places at which each output is cut
SHORTEST = 10  # characters of a cut output: one letter of a word is no output
LENGTH = 25_000  # characters of a pathological input

clock = time.process_time

Rule = Callable[[str, Mapping[str, str], str | None], str | None]


def read(text: str, options: Mapping[str, str], finish_reason: str | None = None) -> str | None:
    """The letter by `medo1.answers`."""
    return read_answer(text, options, finish_reason).letter


def last_letter(text: str, options: Mapping[str, str], finish_reason: str | None = None) -> str | None:
    """The letter by a common rule: `answer is X`, else `Answer: X`, else the last capital letter that stands alone."""
    letters = "".join(options)
    for pattern in (rf"answer is \(?([{letters}])\)?", rf".*[aA]nswer:\s*([{letters}])"):
        match = re.search(pattern, text)
        if match:
            return match[1]
    alone = re.findall(rf"\b[{letters}]\b", text)
    return alone[-1] if alone else None


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


def cut_prefixes(rows: list[dict[str, Any]], seed: int = 0) -> Iterator[tuple[str, dict[str, str], str | None]]:
    """Outputs cut before their answer, with and without the finish reason that says so."""
    draw = random.Random(seed)
    for row in rows:
        answer = read_answer(row["raw"], row["options"])
        if answer.letter is None or answer.span is None:
            continue
        limit = before_the_answer(row["raw"], row["options"], answer.letter, answer.span[0])
        for _ in range(CUTS if limit > SHORTEST else 0):
            cut = draw.randint(SHORTEST, limit)
            for finish_reason in (None, "length"):
                yield row["raw"][:cut], row["options"], finish_reason


PATHOLOGICAL = (
    "answer ", "the answer is ", "The answer is B. ", "answer: ", "answer is not ", "answer is likely likely ",
    "option A ", "Option (A) is the best option. ", "(A) ", "(((((", "****", "\n", " ", "A", "A. ", "A\n",
    "(A) or (B) or ", "A and B and ", "\\boxed{", "\\boxed{A} ", "<think>", "<think></think>", "<answer>A</answer>",
    "<", "[[A]] ", "#### A\n", '{"answer": ', '"answer": "A", ', "Wait, C. ", "The answer is B. Wait, C. ",
    "I choose A. ",
    "best choice is ", "The most likely diagnosis is (A) ", "is is is ", "if the answer is A, ",
    "the answer is A, B, C, D, ", "答案是", "答案是C", "İ", "\u0301", "😀", "\x00", "\r\n", "- (A) x\n",
    "A. foo bar\nB. baz qux\n", "\nQuestion: y", "However, ", "Final answer: A\n", "C is correct. ",
    "is the best answer ", "| A |", "->", "“", "\\n", "answer (x) ", "answer choice ", "Metformin ",
    "The answer is Beta-blocker therapy and ",
    "The answer is \\mathbf{\\text{\\boxed{",
)  # fmt: skip
OPTIONS = {"A": "Metformin", "B": "Beta-blocker therapy", "C": "Ceftriaxone", "D": "Vitamin D supplementation"}


def slowest(rule: Rule, times: int = 5) -> list[tuple[float, str]]:
    """Milliseconds of each pathological input (best of `times`), slowest first."""
    measured = []
    for piece in PATHOLOGICAL:
        repeated = (piece * (LENGTH // len(piece) + 1))[:LENGTH]
        texts = (repeated, "x " * 2000 + repeated[4000:], repeated[:-20] + " The answer is (B).")
        measured.extend((best_of(times, rule, text) * 1e3, piece) for text in texts)
    return sorted(measured, reverse=True)


def best_of(times: int, rule: Rule, text: str) -> float:
    """Seconds of the fastest of several readings."""
    seconds = []
    for _ in range(times):
        start = clock()
        rule(text, OPTIONS, None)
        seconds.append(clock() - start)
    return min(seconds)


def rows_per_second(rule: Rule, rows: list[dict[str, Any]], repeats: int) -> list[float]:
    """Rows a second of each repeat over all rows."""
    rates = []
    for _ in range(repeats):
        start = clock()
        for row in rows:
            rule(row["raw"], row["options"], None)
        rates.append(len(rows) / (clock() - start))
    return rates


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recorded", nargs="?", type=Path, default=RECORDED)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    if not arguments.recorded.is_file():
        raise SystemExit(f"{arguments.recorded} is not there: name the file of recorded outputs")
    rows = [json.loads(line) for line in arguments.recorded.read_text().splitlines()]
    prefixes = list(cut_prefixes(rows))
    named = [row for row in rows if row["set"] == NAMED_BY_A_MODEL]
    print(
        f"{len(rows):,} outputs ({len(named)} with a letter named by a language model), {len(prefixes):,} cut prefixes"
    )
    print(f"{'rule':<14}{'agreement':>10}{'cut, letter':>13}{'rows/s':>10}{'best':>10}{'worst ms':>10}")
    figures: dict[str, float] = {}
    for name, rule in (("last letter", last_letter), ("medo1", read)):
        agreement = statistics.mean(rule(row["raw"], row["options"], None) == row["peer_pred"] for row in named)
        given = sum(rule(*prefix) is not None for prefix in prefixes)
        rates = rows_per_second(rule, rows, arguments.repeats)
        worst = slowest(rule)[0][0] if rule is read else float("nan")
        figures = {
            "agreement": round(agreement, 4),
            "cut_given_letter": given,
            "rows_per_s": round(statistics.median(rates)),
            "worst_ms": round(worst, 2),
        }
        print(
            f"{name:<14}{agreement:>10.4f}{given:>13,}{statistics.median(rates):>10,.0f}{max(rates):>10,.0f}"
            f"{worst:>10.2f}"
        )
    print("\nset                rows  agree  answer  abstain  conflict  truncated")
    for group in dict.fromkeys(row["set"] for row in rows):
        members = [row for row in rows if row["set"] == group]
        answers = [read_answer(row["raw"], row["options"]) for row in members]
        agree = sum(answer.letter == row["peer_pred"] for answer, row in zip(answers, members, strict=True))
        status = Counter(answer.status for answer in answers)
        print(
            f"{group:<18}{len(members):>5}{agree:>7}{status['answer']:>8}{status['abstain']:>9}{status['conflict']:>10}"
            f"{status['truncated']:>11}"
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
