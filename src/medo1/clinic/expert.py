"""The embedded world's teacher: an engine that reads a case out of the prompt, solves it by rule, and explains it.

It sees what any teacher sees, the text of the prompt: never a gold letter. It knows the world, and at a set rate it
makes one wrong look-up and reasons on from there, so that filters have something to find. It is deterministic: the
same request gives the same completion, temperature or not; another `sample` or `seed` errs elsewhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, cast

from pydantic import ValidationError

from medo1.clinic import wording
from medo1.clinic.exam import Chart
from medo1.clinic.explanations import FORMATS, Format, explanation
from medo1.clinic.walks import walk
from medo1.clinic.world import World, WorldError, WorldSpec, world_from
from medo1.engines import Completion, Engine, EngineError, FinishReason, Message, Request, Sampling
from medo1.lineage.digests import seed_from

NAME = "clinic-expert"

OPTION = re.compile(r"^([A-Z])\. (.+?)\s*$", re.MULTILINE)
TOKEN = re.compile(r"\w+|[^\w\s]")
# Formats whose errors are drawn as another format's: of the same case, sample and seed they make the same chain.
DRAWN_AS: Mapping[str, Format] = {
    **dict.fromkeys(
        ("vanilla", "shuffled", "filler", "by_two", "by_three", "by_all", "no_steps", "wrong_steps", "detours", "mix"),
        "longstep",
    ),
    **dict.fromkeys(("no_reflection", "no_backtracking"), "longmonolog"),
}


class UnreadablePromptError(ValueError):
    """A prompt holds no case, or none that can be solved; the text says what was found."""


@dataclass(frozen=True, slots=True)
class Case:
    """What stands in a prompt: the chart and the task whose it is, the options, and the text around them."""

    world: World
    chart: Chart
    options: dict[str, str]
    around: str


def read_case(world: World, text: str) -> Case:
    """The case in a prompt.

    Args:
        world: says which complaints and findings there are, in each of its tasks.
        text: a user's message, with one case rendered by `medo1.questions.prompt_text` somewhere in it.

    Raises:
        UnreadablePromptError: no case or several, an unknown complaint or finding, findings out of order, no options.
    """
    stems = [(own, stem) for own in world.tasks for stem in own.wording.stem_pattern.finditer(text)]
    if len(stems) != 1:
        forms = " or ".join(repr(own.wording.presents.format(complaint="...")) for own in world.tasks)
        raise UnreadablePromptError(f"the prompt holds {len(stems)} cases of the form {forms}, expected 1")
    own, stem = stems[0]
    return Case(own, *_told(own, stem, text))


def _told(world: World, stem: re.Match[str], text: str) -> tuple[Chart, dict[str, str], str]:
    """The chart, the options and the text around them, of a case of one task that begins with this stem."""
    complaint, reported = stem[1].strip(), stem[2]
    if complaint not in world.impressions:
        raise UnreadablePromptError(f"{complaint!r} is no complaint of this world: {', '.join(world.impressions)}")
    values = []
    findings = reported.split(", ") if reported else []
    if len(findings) > len(world.slots):
        raise UnreadablePromptError(f"{len(findings)} findings are reported, this world knows {len(world.slots)}")
    for finding, (slot, known) in zip(findings, world.slots.items(), strict=False):
        name, _, value = finding.partition(" ")
        if name != slot or value not in known:
            raise UnreadablePromptError(
                f"the finding {finding!r} stands where {slot} with one of {', '.join(known)} is expected"
            )
        values.append(value)
    options: dict[str, str] = {}
    end = stem.end()
    for option in OPTION.finditer(text, stem.end()):
        if option[1] != chr(ord("A") + len(options)) or text[end : option.start()].strip():
            break
        options[option[1]] = option[2]
        end = option.end()
    if len(options) < 2:  # noqa: PLR2004
        raise UnreadablePromptError(
            f"{len(options)} lettered options follow the case, expected at least 2 lines 'A. ...'"
        )
    return Chart(complaint, tuple(values)), options, f"{text[: stem.start()]}\n{text[end:]}"


class Expert(Engine):
    """The engine that explains cases of one world, of each of its tasks.

    Tokens are counted as words and signs (`TOKEN`): close to what the world's own tokenizer counts, and independent of
    it. Sampling's temperature and top_p have no meaning here; `max_new_tokens` and `stop` have.

    Args:
        world: the world; or the fields of a `WorldSpec` that differ from its defaults, of which the world is made
            (none of them: the default world); or the file that holds a world's JSON.
        error_rate: share of completions with one wrong look-up somewhere in the path, 0 to 1. .08 costs a
            gold filter 5 to 8 % of the chains and lets 1 to 3 % through that are wrong inside.
        wrong_steps: of a chain in the format `wrong_steps`: so many of its steps state a wrong impression on purpose,
            beside `error_rate`.
        seed: of the errors and the phrasing.
        requests: format to the text that asks for it, as the prompt files have it; the rest as in `wording`.
            It is looked for in the user's message and in system messages.
    """

    answer_options = frozenset({"world", "error_rate", "wrong_steps", "seed", "requests"})

    def __init__(
        self,
        world: World | Mapping[str, Any] | Path | str | None = None,
        error_rate: float = 0.08,
        seed: int = 0,
        requests: Mapping[str, str] | None = None,
        wrong_steps: int = 1,
    ) -> None:
        if not 0 <= error_rate <= 1:
            raise EngineError(f"the expert's error_rate is {error_rate}: expected a share from 0 to 1")
        if wrong_steps < 0:
            raise EngineError(f"the expert's wrong_steps is {wrong_steps}: expected a number of steps, 0 or more")
        asked = {**wording.REQUESTS, **wording.CONTROL_REQUESTS, **(requests or {})}
        if unknown := set(asked) - set(FORMATS):
            raise EngineError(f"the expert writes no format {sorted(unknown)}: expected {', '.join(FORMATS)}")
        self.world = _world(world)
        self.error_rate, self.wrong_steps, self.seed = error_rate, wrong_steps, seed
        self.requests = {cast(Format, form): _one_line(text) for form, text in asked.items()}

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "kind": NAME,
            "world": self.world.digest,
            "error_rate": self.error_rate,
            "wrong_steps": self.wrong_steps,
            "seed": self.seed,
            "requests": dict(self.requests),
        }

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            try:
                yield [self._completion(request)]
            except UnreadablePromptError as error:
                prompt_tokens = _prompt_tokens(request.messages)
                yield [Completion(request.key, "", "error", prompt_tokens, 0, model=NAME, error=str(error))]

    def format_of(self, messages: Iterable[Message], around: str) -> Format:
        """The format that is asked for, by the one request text that stands around the case or in a system message.

        Raises:
            UnreadablePromptError: no known request, or several of different formats.
        """
        system = " ".join(message.content for message in messages if message.role == "system")
        said = _one_line(f"{system} {around}")
        found = {form: text for form, text in self.requests.items() if text in said}
        # A request that is part of another one found does not count: the longer one was meant.
        meant = [
            form for form, text in found.items() if not any(text != other and text in other for other in found.values())
        ]
        if len(meant) != 1:
            raise UnreadablePromptError(
                f"the prompt asks for {meant or 'no format that the expert knows'}, expected one of: "
                + "; ".join(f"{form} ({text!r})" for form, text in self.requests.items())
            )
        return meant[0]

    def _completion(self, request: Request) -> Completion:
        users = [message.content for message in request.messages if message.role == "user"]
        if not users:
            raise UnreadablePromptError("the conversation has no user's message, so no case")
        case = read_case(self.world, users[-1])
        form = self.format_of(request.messages, case.around)
        drawn_as = DRAWN_AS.get(form, form)
        posed = [case.chart.complaint, *case.chart.values, *case.options.values()]
        draw = seed_from(self.seed, drawn_as, *posed, request.sample, request.seed or 0)
        text = self._solution(case, form, random.Random(draw))  # noqa: S311
        if request.messages[-1].role == "assistant":
            begun = request.messages[-1].content
            if not text.startswith(begun):
                raise UnreadablePromptError("the begun answer is not the expert's own, so it cannot go on from there")
            text = text[len(begun) :]
        text, finish = _limited(text, request.sampling)
        return Completion(
            request.key,
            text,
            finish,
            prompt_tokens=_prompt_tokens(request.messages),
            completion_tokens=len(TOKEN.findall(text)),
            model=NAME,
        )

    def _solution(self, case: Case, form: Format, rng: random.Random) -> str:
        world = case.world
        truth = walk(world, case.chart)
        slips: dict[int, str] = {}
        if rng.random() < self.error_rate:
            place = rng.randrange(len(truth.impressions))
            slips[place] = rng.choice([name for name in world.diseases if name != truth.impressions[place]])
        solved = walk(world, case.chart, slips)
        letters = [letter for letter, name in case.options.items() if name == solved.conclusion]
        # A conclusion that is not on offer: the expert guesses, as one does in an examination.
        letter = letters[0] if letters else rng.choice(list(case.options))
        return explanation(world, form, solved, (case.options[letter], letter), rng, self.wrong_steps)


def _world(source: World | Mapping[str, Any] | Path | str | None) -> World:
    if isinstance(source, World):
        return source
    if source is None or isinstance(source, Mapping):
        try:
            return world_from(WorldSpec(**(source or {})))
        except ValidationError as error:
            raise EngineError(f"the expert's world cannot be made: {error}") from error
    try:
        return World.from_json(Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise EngineError(f"the expert's world {source} cannot be read ({error}): run the clinic pipeline") from error
    except WorldError as error:
        raise EngineError(f"the expert's world {source}: {error}") from error


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _prompt_tokens(messages: Iterable[Message]) -> int:
    return sum(len(TOKEN.findall(message.content)) for message in messages)


def _limited(text: str, sampling: Sampling) -> tuple[str, FinishReason]:
    """The text up to the first stop text or the token limit, whichever comes first."""
    finish: FinishReason = "stop"
    tokens = list(TOKEN.finditer(text))
    stops = [place for stop in sampling.stop if stop and (place := text.find(stop)) >= 0]
    if stops:
        text = text[: min(stops)]
    if len(tokens) > sampling.max_new_tokens:
        end = tokens[sampling.max_new_tokens - 1].end() if sampling.max_new_tokens else 0
        if end < len(text):
            text, finish = text[:end], "length"
    return text, finish
