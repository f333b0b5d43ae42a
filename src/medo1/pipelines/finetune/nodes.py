"""Nodes of finetune."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.engines.base import Model
from medo1.frames import Frame, records
from medo1.lineage.digests import digest_of_value
from medo1.parameters import plain_values
from medo1.pipelines.finetune.params import FinetuneParams
from medo1.pipelines.finetune.small_student import SmallStudentSpec
from medo1.questions import prompt_text, questions_from
from medo1.wiring import checked_first, takes_the_memory

if TYPE_CHECKING:
    from medo1.datasets.caches import DirectoryCache
else:
    DirectoryCache = Any  # Kedro reads annotations at start, and should not import the datasets for it

logger = logging.getLogger(__name__)


def make_small_student(
    folder: Path,
    questions: Frame,
    cache: DirectoryCache,
    params: SmallStudentSpec,
    seed: int,
    *prompts_and_formats: Any,
    formats: tuple[str, ...],
) -> tuple[Path, dict[str, Any]]:
    """A tiny base model that has read the imported chains, and its training log. Made once, then kept in a cache.

    Args:
        folder: where the files of chains lie.
        questions: the training questions; chains of others are not read.
        cache: where a student that was made from the same is found again.
        params: sizes and loop.
        seed: of its first weights and of the order of texts.
        prompts_and_formats: the prompt of each of `formats`, then the parameters of each.
        formats: names of the formats whose chains are imported.
    """
    from medo1.pipelines.finetune.small_student import exchanges, train_small_student

    prompts = dict(zip(formats, prompts_and_formats, strict=False))
    plain = [plain_values(spec) for spec in prompts_and_formats[len(formats) :]]
    specs = dict(zip(formats, plain, strict=True))
    texts = exchanges(folder, questions_from(questions), prompts, specs)
    made_from = {"texts": digest_of_value(texts), "spec": params.model_dump(mode="json"), "seed": seed}
    return cache.get_or_train(made_from, lambda directory: train_small_student(texts, params, seed, directory))


def check_training(base_model: Model, params: FinetuneParams) -> None:
    """What can be known to be wrong with a training before any chain is paid for: the machine, the model's template,
    the modules that are to be trained.

    Raises:
        UserError: what does not fit, and what to set instead.
    """
    from medo1.training.adapters import refuse_missing_targets
    from medo1.training.templates import chat_template_of
    from medo1.training.trainer import device_kind, refuse_unfit

    refuse_unfit(params, device_kind())
    chat_template_of(base_model, params.chat_template_kwargs)
    if params.method != "full":
        refuse_missing_targets(base_model, params.target_modules)


@checked_first(check_training)
def make_training_examples(
    kept_chains: Frame, questions: Frame, prompt: str, base_model: Model, params: FinetuneParams, seed: int
) -> tuple[Frame, Frame, Frame, dict[str, Any]]:
    """Prompt and completion of each kept chain, and what is known of them before anything is trained.

    The prompt is the one that the arm will be asked with: what is learnt is what is measured.

    Returns:
        `tables.TRAINING_EXAMPLES`; `tables.TRAINING_REJECTED`; `tables.TRAINING_LENGTHS`, a row a chain; and what the
        chat template does, with one example token by token.
    """
    from medo1 import tables
    from medo1.training.examples import ChainText, context_of, prepared, with_dev_split
    from medo1.training.pages import masked_example
    from medo1.training.templates import chat_template_of

    by_id = {question.question_id: question for question in questions_from(questions)}
    template = chat_template_of(base_model, params.chat_template_kwargs)
    chains = (
        ChainText(
            row["question_id"],
            int(row["sample"]),
            prompt_text(by_id[row["question_id"]], prompt),
            row["text"],
            by_id[row["question_id"]].options,
        )
        for row in records(kept_chains)
    )
    ready = prepared(chains, template, params, context_of(base_model))
    return (
        tables.as_table(tables.TRAINING_EXAMPLES, with_dev_split(ready.examples, params.dev.share, seed)),
        tables.as_table(tables.TRAINING_REJECTED, ready.rejected),
        tables.as_table(tables.TRAINING_LENGTHS, ready.lengths),
        {**template.described(), **masked_example(ready.examples, template, params)},
    )


def estimate_training(
    training_examples: Frame, base_model: Model, params: FinetuneParams, format: str
) -> dict[str, Any]:
    """Steps, tokens, time and memory of the training, before it begins; with advice where it does not fit."""
    from medo1.training.estimate import described, estimated, free_memory_gib, total_memory_gib

    rows = [row for row in records(training_examples) if row["part"] == "train"]
    tokens = [row["prompt_tokens"] + row["completion_tokens"] for row in rows]
    found = estimated(base_model, params, tokens, free_gib=free_memory_gib(), total_gib=total_memory_gib())
    for line in described(found):
        logger.info("%s: %s", format, line)
    return found.told()


@takes_the_memory
def train_adapter(
    training_examples: Frame,
    questions: Frame,
    base_model: Model,
    training_estimate: dict[str, Any],
    checkpoints: Path,
    params: FinetuneParams,
    seed: int,
    format: str,
) -> tuple[Path, Frame, Frame]:
    """An adapter's directory, the training log, and what its steps took.

    Args:
        training_examples: of parts `train` and `dev`.
        questions: those of the dev examples are looked up.
        base_model: who learns.
        training_estimate: made and logged before; it has chosen what the parameters leave to it.
        checkpoints: a folder; a killed training resumes from there.
        params: how to train.
        seed: of the adapter's first weights and of the order of examples.
        format: what is trained, for messages.
    """
    from medo1 import tables
    from medo1.training.run import train

    job = training_job(training_examples, questions, base_model, params, training_estimate, seed, format)
    output = Path(tempfile.mkdtemp(prefix="medo1-adapter-"))
    done = train(job, output, checkpoints)
    return output, tables.as_table(tables.TRAINING_LOG, done.log), tables.as_table(tables.TRAINING_TIMING, done.timing)


def training_job(
    training_examples: Frame,
    questions: Frame,
    base_model: Model,
    params: FinetuneParams,
    training_estimate: Mapping[str, Any],
    seed: int,
    format: str,
) -> Any:
    """The `TrainingJob` of one format's examples; `micro_batch_size: auto` is what the estimate chose."""
    from medo1.training.examples import TrainingExample
    from medo1.training.job import DevQuestion, TrainingJob

    parts: dict[str, list[TrainingExample]] = {"train": [], "dev": []}
    for row in records(training_examples):
        values = {str(name): value for name, value in row.items()}
        parts[str(values.pop("part"))].append(TrainingExample(**values))
    held = {example.question_id for example in parts["dev"]}
    asked = {
        question.question_id: DevQuestion(question.options, question.gold)
        for question in questions_from(questions[questions["question_id"].isin(held)])
    }
    if params.micro_batch_size == "auto":
        params = params.model_copy(update={"micro_batch_size": training_estimate["micro_batch_size"]})
    return TrainingJob(tuple(parts["train"]), base_model, params, seed, format, tuple(parts["dev"]), asked)


def describe_training(
    training_examples: Frame,
    questions: Frame,
    base_model: Model,
    adapter: Any,
    training_log: Frame,
    training_timing: Frame,
    training_lengths: Frame,
    training_rejected: Frame,
    training_template: dict[str, Any],
    training_estimate: dict[str, Any],
    checkpoints: Path,
    params: FinetuneParams,
    seed: int,
    format: str,
) -> tuple[Any, str]:
    """The curve of a training and its page. Its checkpoints are removed: the adapter is saved, for it is an input."""
    from medo1.training.checkpoints import Checkpoints
    from medo1.training.pages import curve_figure, training_page

    figure = curve_figure(records(training_log), format)
    page = training_page(
        format,
        log=records(training_log),
        timing=records(training_timing),
        lengths=records(training_lengths),
        rejected=records(training_rejected),
        template=training_template,
        estimate=training_estimate,
    )
    job = training_job(training_examples, questions, base_model, params, training_estimate, seed, format)
    Checkpoints(checkpoints, job.key).remove()
    return figure, page


def gather_training_pages(*figures_and_pages: Any, formats: tuple[str, ...]) -> tuple[Any, Path]:
    """The curves of all trainings in one figure, a line a format; and a folder of their pages.

    Args:
        figures_and_pages: the figure of each of `formats`, then the page of each.
        formats: their names.
    """
    from medo1.training.pages import curves_together

    figures, pages = figures_and_pages[: len(formats)], figures_and_pages[len(formats) :]
    folder = Path(tempfile.mkdtemp(prefix="medo1-trainings-")) / "pages"
    folder.mkdir()
    for name, page in zip(formats, pages, strict=True):
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return curves_together(dict(zip(formats, figures, strict=True))), folder
