"""The whole study on one page: six steps, five functions, no Kedro, no catalog, nothing kept.

    python notebooks/the_study_flat.py            # the embedded world as it is, a few minutes on two cores
    python notebooks/the_study_flat.py --small    # the same in half a minute; what its arms score says nothing

A teacher explains cases in three formats, a tiny student learns each format, and every arm answers the same test cases:
once greedily, and several times by votes. What the pipelines add is everything that makes such a study hold: real files
and models, stored answers, filters, budgets, lineage, a report. The science is what stands here.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from medo1.answers import read_answer
from medo1.clinic.base import BaseSpec, train_base
from medo1.clinic.exam import ExamSpec, questions
from medo1.clinic.expert import Expert
from medo1.clinic.lexicon import lexicon
from medo1.clinic.textbook import TextbookSpec, probes, textbook
from medo1.clinic.wording import REQUESTS
from medo1.clinic.world import WorldSpec, world_from
from medo1.engines import Adapter, Engine, Message, Model, Request, Sampling, Transformers
from medo1.from_scratch.scratch_training import LoopSpec
from medo1.from_scratch.tokenizers import world_tokenizer
from medo1.lineage.digests import digest_of_tree, seed_from
from medo1.questions import Question, prompt_text
from medo1.statistics.families import holm
from medo1.statistics.intervals import share_interval
from medo1.statistics.paired import paired

# 1. The study: formats of chains with the passes over them and the learning rate, and arms: what is asked, and whose
# adapter answers.
TRAINING = {"cot": (8, 1e-2), "longstep": (8, 5e-3), "longmonolog": (12, 1e-2)}
ARMS = {
    "vanilla": ("vanilla", None),
    "vanilla_cot": ("cot", None),
    "cot_sft": ("cot", "cot"),
    "longstep_sft": ("longstep", "longstep"),
    "longmonolog_sft": ("longmonolog", "longmonolog"),
}
SEED, TOKENS, VOTES = 11, 256, 8


def conversation(question: Question, form: str) -> tuple[Message, ...]:
    return (Message("user", prompt_text(question, REQUESTS[form])),)


def world_and_base(folder: Path, small: bool) -> tuple[list[Question], Expert, Model]:
    """2. A small world with a known truth: its questions, an expert who knows it, and a base model that read its
    textbook: facts and fragments of answering, never a whole case reasoned out."""
    world = world_from(WorldSpec())
    few = {"small": dict.fromkeys(range(6), 2)}
    cases = ExamSpec(train=dict.fromkeys(range(7), 6), test=few, dev_share=0) if small else ExamSpec()
    reading = TextbookSpec(documents=400) if small else TextbookSpec()
    spec = BaseSpec()
    if small:
        loop = LoopSpec(**{**spec.loop.model_dump(), "steps": 30, "warmup_steps": 5})
        spec = BaseSpec(loop=loop, gates={})
    book = textbook(world, reading)
    train_base(book, probes(world, reading, book), world_tokenizer(lexicon(world)), spec, SEED, folder / "base")
    base = Model("base", folder / "base", digest_of_tree(folder / "base"))
    return questions(world, cases), Expert(world, error_rate=0.08), base


def chains_of(expert: Expert, asked: list[Question], form: str) -> list[tuple[Question, str]]:
    """3. The teacher writes a chain for each training case; those that end on a wrong letter are dropped."""
    requests = [Request(question.question_id, conversation(question, form)) for question in asked]
    written = {completion.key: completion for completion in expert.complete(requests)}
    chains = [(question, written[question.question_id].text) for question in asked]
    return [
        (question, text) for question, text in chains if read_answer(text, question.options).letter == question.gold
    ]


def learn(
    base: Model, chains: list[tuple[Question, str]], form: str, passes: int, rate: float, folder: Path
) -> Adapter:
    """4. LoRA on whole chains: the loss falls on the chain's tokens, never on the question's."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # threads of a model this small only wait for one another
    tokenizer = AutoTokenizer.from_pretrained(base.path)
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base.path), lora)
    examples = []
    for question, text in chains:
        turns = [{"role": "user", "content": prompt_text(question, REQUESTS[form])}]
        head = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template([*turns, {"role": "assistant", "content": text}], tokenize=False)
        start, ids = len(tokenizer(head)["input_ids"]), tokenizer(whole)["input_ids"]
        examples.append((ids, [-100] * start + ids[start:]))
    optimizer = torch.optim.AdamW(
        [weight for weight in model.parameters() if weight.requires_grad], lr=rate, weight_decay=0.0
    )
    steps = passes * -(-len(examples) // 25)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    order = random.Random(SEED)
    for _ in range(passes):
        order.shuffle(examples)
        for at in range(0, len(examples), 25):
            batch = examples[at : at + 25]
            width = max(len(ids) for ids, _ in batch)
            ids = torch.tensor([ids + [tokenizer.pad_token_id] * (width - len(ids)) for ids, _ in batch])
            labels = torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in batch])
            model(input_ids=ids, labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    model.save_pretrained(folder / form)
    return Adapter(form, folder / form, digest_of_tree(folder / form))


def answers_of(
    engine: Engine, asked: list[Question], form: str, adapter: Adapter | None
) -> tuple[list[bool], list[bool], float]:
    """5. Each case once greedily and `VOTES` times by sampling: whether answer and vote are right, and the
    mean tokens of a greedy answer. What states no letter is wrong and does not vote."""
    requests = []
    for place, question in enumerate(asked):
        said = conversation(question, form)
        requests.append(Request(f"{place}/greedy", said, Sampling(0.0, max_new_tokens=TOKENS), adapter=adapter))
        for sample in range(VOTES):
            sampling, seed = Sampling(0.5, max_new_tokens=TOKENS), seed_from(SEED, question.question_id, sample)
            requests.append(Request(f"{place}/{sample}", said, sampling, sample, seed, adapter))
    came = {completion.key: completion for completion in engine.complete(requests)}
    greedy, voted, tokens = [], [], 0
    for place, question in enumerate(asked):
        letters = [
            read_answer(came[f"{place}/{draw}"].text, question.options, came[f"{place}/{draw}"].finish_reason).letter
            for draw in ("greedy", *range(VOTES))
        ]
        votes = Counter(letter for letter in letters[1:] if letter is not None)  # a tie: the letter stated first
        greedy.append(letters[0] == question.gold)
        voted.append(bool(votes) and votes.most_common(1)[0][0] == question.gold)
        tokens += came[f"{place}/greedy"].completion_tokens or 0
    return greedy, voted, tokens / len(asked)


def compare(right: dict[str, tuple[list[bool], list[bool], float]]) -> None:
    """6. Accuracy with Wilson's interval, and each arm against vanilla, paired by question and corrected by Holm."""
    baseline = right["vanilla"][0]
    pairs = {arm: paired(greedy, baseline) for arm, (greedy, _, _) in right.items() if arm != "vanilla"}
    adjusted = dict(zip(pairs, holm([pair.p_value for pair in pairs.values()]), strict=True))
    print(f"\n{'arm':<17}{'accuracy':>9}  {'95 % interval':<18}{'vs vanilla':>10}{'p':>9}{'votes':>9}{'tokens':>8}")
    for arm, (greedy, voted, tokens) in right.items():
        found = share_interval(sum(greedy), len(greedy))
        against = f"{pairs[arm].difference.value:>+10.1%}{adjusted[arm]:>9.3f}" if arm in pairs else " " * 19
        interval = f"{found.low:.1%} to {found.high:.1%}"
        print(f"{arm:<17}{found.value:>9.1%}  {interval:<18}{against}{sum(voted) / len(voted):>9.1%}{tokens:>8.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The whole study on one page.")
    parser.add_argument("--small", action="store_true", help="half a minute; the scores say nothing")
    small = parser.parse_args().small
    with tempfile.TemporaryDirectory() as name:
        asked, expert, base = world_and_base(Path(name), small)
        train, test = ([question for question in asked if question.split == split] for split in ("train", "test"))
        adapters = {
            form: learn(base, chains_of(expert, train, form), form, 1 if small else passes, rate, Path(name))
            for form, (passes, rate) in TRAINING.items()
        }
        with Transformers(threads=1).with_model(base) as engine:
            said = {arm: answers_of(engine, test, form, adapters.get(own or "")) for arm, (form, own) in ARMS.items()}
        compare(said)
