"""The paper's claims one by one: what it says, what this study measured, and whether that agrees.

`holds` and `does not hold` need a difference that is told from zero; else it cannot be told with so many questions. A
claim that the questions were made to show (`reporting.built_in`) is `built in` whatever comes out. The student's own
vanilla stands beside every claim.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from medo1.pipelines.reporting.evidence import Evidence
from medo1.pipelines.reporting.params import CLAIM_NAMES, ClaimName, Role
from medo1.pipelines.reporting.wording import between, points, signed_points
from medo1.statistics.intervals import Interval, share_interval
from medo1.statistics.means import difference_of_means

Row = dict[str, Any]
SMALL = 1e10  # weights: below it the paper saw chains hurt (7 billion), at 20 billion hardly
LISTED = 2  # diagnoses that make a list


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a claim.

    Attributes:
        text: in words. interval: the number that decides, between its bounds. n: observations behind it.
        told: whether it is told from zero.
        sign: the side of zero on which the claim holds.
        why: what else a reader must know.
    """

    text: str
    interval: Interval
    n: int
    told: bool
    sign: int = 1
    why: str = ""

    @property
    def verdict(self) -> str:
        if not self.told:
            return "cannot be told"
        return "holds" if self.interval.value * self.sign > 0 else "does not hold"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the paper: in a sentence, as published, and how it is measured; a text says why it was not."""

    says: str
    paper: str
    measure: Callable[[Evidence], Measured | str]


def claim_rows(evidence: Evidence) -> list[Row]:
    """Rows of `CLAIMS`, one a claim, in the paper's order."""
    return [_row(name, CLAIMS[name], evidence) for name in CLAIM_NAMES]


def _row(name: ClaimName, claim: Claim, evidence: Evidence) -> Row:
    found = claim.measure(evidence)
    if isinstance(found, str):
        measured = Measured("", Interval(nan, nan, nan), 0, told=False, why=found)
        verdict, why = "not measured", found
    else:
        measured, verdict, why = found, found.verdict, found.why
        if name in evidence.params.built_in:
            why = f"The questions were made to show it; by the numbers alone: {verdict}. {why}".strip()
            verdict = "built in"
    return {
        "claim": name,
        "says": claim.says,
        "paper": claim.paper,
        "measured": measured.text,
        "value": measured.interval.value,
        "low": measured.interval.low,
        "high": measured.interval.high,
        "n": measured.n,
        "verdict": verdict,
        "why": why,
    }


def _against_vanilla(role: Role, sign: int = 1) -> Callable[[Evidence], Measured | str]:
    """The arm of a role against the baseline, over all benchmarks."""

    def measure(evidence: Evidence) -> Measured | str:
        arm = evidence.roles.get(role)
        row = evidence.comparison(arm) if arm else None
        if arm is None or row is None:
            return f"No arm of this study is {role} beside the baseline {evidence.params.baseline}."
        own, base = evidence.accuracy(arm), evidence.accuracy(evidence.params.baseline)
        assert own is not None
        assert base is not None
        joint = Interval(row["difference"], row["simultaneous_low"], row["simultaneous_high"])
        text = (
            f"{arm} {points(own['accuracy'])}, {evidence.params.baseline} {points(base['accuracy'])}: "
            f"{signed_points(joint.value)} {between(joint)}"
        )
        told = row["p_adjusted"] <= 1 - evidence.params.confidence
        why = ""
        if row["muted"]:
            told, why = False, f"The better of the two cannot be told from guessing: {row['why']}."
        elif not told and not isnan(row["smallest_detectable"]):
            least = 100 * row["smallest_detectable"]
            why = (
                f"With {row['questions']} questions a difference of {least:.1f} points would be found in "
                f"{100 * evidence.params.power:.0f} % of studies; a smaller one may be there."
            )
        return Measured(text, joint, int(row["questions"]), told, sign, why)

    return measure


def _chains_hurt(evidence: Evidence) -> Measured | str:
    sizes = dict(zip(evidence.model_sizes["arm"], evidence.model_sizes["weights"], strict=True))
    weights = sizes.get(evidence.params.baseline, nan)
    if weights >= SMALL:
        return (
            f"The student has {weights / 1e9:.3g} billion weights; the claim is about models below {SMALL / 1e9:.0f}."
        )
    measured = _against_vanilla("vanilla_cot", sign=-1)(evidence)
    if isinstance(measured, str):
        return measured
    size = "a student of unknown size" if isnan(weights) else f"a student of {weights:,.0f} weights"
    return Measured(
        measured.text,
        measured.interval,
        measured.n,
        measured.told,
        measured.sign,
        f"Measured on {size} alone; where the threshold lies takes several sizes. {measured.why}".strip(),
    )


def _longer_where_harder(evidence: Evidence) -> Measured | str:
    arm = evidence.roles.get("longmonolog_sft") or evidence.roles.get("longstep_sft")
    if arm is None:
        return "No arm of this study writes long chains."
    lengths = evidence.lengths(arm)
    names = [name for name in evidence.benchmarks if (lengths["benchmark"] == name).any()]
    if len(names) > 1:
        column, easy, hard = "benchmark", names[0], names[-1]
        order = f"benchmarks in the order of {evidence.params.baseline}'s accuracy"
    else:
        graded = sorted(lengths["difficulty"].dropna().unique())
        if len(graded) < 2:  # noqa: PLR2004
            return "One benchmark whose questions have no difficulty: nothing is harder than anything."
        column, easy, hard, names = "difficulty", graded[0], graded[-1], graded
        order = "strata of difficulty"
    tokens = {name: lengths.loc[lengths[column] == name, "completion_tokens"].astype(float).tolist() for name in names}
    found = difference_of_means(tokens[hard], tokens[easy], evidence.params.confidence)
    means = ", ".join(f"{name} {sum(mine) / len(mine):.0f}" for name, mine in tokens.items())
    return Measured(
        f"{arm}, mean tokens by {order}: {means}; the hardest against the easiest {found.value:+.0f} "
        f"({found.low:+.0f} to {found.high:+.0f})",
        found,
        len(tokens[hard]) + len(tokens[easy]),
        found.low > 0 or found.high < 0,
        why="The value is in tokens.",
    )


def _votes_add(evidence: Evidence) -> Measured | str:
    arm = evidence.roles.get("longmonolog_sft") or evidence.roles.get("longstep_sft")
    return _gain_of_votes(evidence, arm, "No arm of this study writes long chains.", 1)


def _votes_hurt(evidence: Evidence) -> Measured | str:
    arm = evidence.roles.get("vanilla")
    return _gain_of_votes(evidence, arm, "No arm of this study answers at once.", -1)


def _gain_of_votes(evidence: Evidence, arm: str | None, missing: str, sign: int) -> Measured | str:
    if arm is None:
        return missing
    found = evidence.vote_gain(arm)
    if found is None:
        return f"{arm} was not sampled: votes need at least two samples of a question (inference.samples)."
    gain, votes, questions = found
    guesses = evidence.guessing.get(arm)
    return Measured(
        f"{arm}, majority of {votes} against one sample: {signed_points(gain.value)} {between(gain)} for {votes} times "
        "the tokens",
        gain,
        questions,
        (gain.low > 0 or gain.high < 0) and guesses is None,
        sign,
        "" if guesses is None else f"{arm} cannot be told from guessing: {guesses}.",
    )


def _lists_diagnoses(evidence: Evidence) -> Measured | str:
    arm = evidence.roles.get("free_form")
    if arm is None:
        return "No arm of this study answers without options (arms.<name>.answers: differential)."
    mine = evidence.greedy[evidence.greedy["arm"] == arm]
    lists = sum(len(names) >= LISTED for names in mine["differential"])
    found = share_interval(lists, len(mine), evidence.params.confidence)
    half = Interval(found.value - 0.5, found.low - 0.5, found.high - 0.5)
    ranked = mine["rank"].notna().mean()
    return Measured(
        f"{arm}: {points(found.value)} ({100 * found.low:.1f} to {100 * found.high:.1f}) of the answers list "
        f"{LISTED} diagnoses or more; the right one stands in {points(float(ranked))}",
        half,
        len(mine),
        half.low > 0 or half.high < 0,
        why="The value is the share of answers that are lists, minus one half.",
    )


CLAIMS: dict[ClaimName, Claim] = {
    "long_chains_pay": Claim(
        "Fine-tuning on 500 long reasoning chains (LongMonolog) raises mean accuracy above answering at once.",
        "+6.0 (Qwen2.5-32B), +6.0 (Llama3.1-70B), +11.4 points (Qwen2.5-72B)",
        _against_vanilla("longmonolog_sft"),
    ),
    "steps_pay": Claim(
        "Fine-tuning on structured long steps (LongStep) raises mean accuracy above answering at once.",
        "+5.9 (Qwen2.5-32B), +5.2 (Llama3.1-70B), +9.7 points (Qwen2.5-72B)",
        _against_vanilla("longstep_sft"),
    ),
    "harder_questions_longer_chains": Claim(
        "Harder benchmarks draw longer chains.",
        "Qwen2.5-72B LongMonolog: MedQA 873, Medbullets 917, JAMA 1,076 tokens",
        _longer_where_harder,
    ),
    "chains_hurt_small_models": Claim(
        "Below a threshold of capacity, thinking step by step hurts.",
        "Qwen2.5-7B: Vanilla 51.23, CoT 49.61; InternLM2.5-7B: 45.84, 42.47",
        _chains_hurt,
    ),
    "votes_add_little": Claim(
        "Majority voting adds to the accuracy of long chains, and multiplies the cost.",
        "+1 to +1.5 points (Qwen2.5-72B LongMonolog on MedQA: 86.48 to 87.98 at the largest k)",
        _votes_add,
    ),
    "votes_can_hurt": Claim(
        "On shallow answers majority voting can lower accuracy.",
        "80.44 to 79.81",
        _votes_hurt,
    ),
    "free_form_is_a_differential": Claim(
        "Answers without options list diagnoses and narrow them (the hypothetico-deductive method).",
        "shown by example",
        _lists_diagnoses,
    ),
}
