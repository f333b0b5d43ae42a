"""Parameters of ingest: which files are questions, and how they are read."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from medo1.parameters import Parameters
from medo1.questions.figure_references import Flag
from medo1.questions.readers.gold_answers import GoldIs
from medo1.questions.readers.mapping import ColumnMapping
from medo1.vocabulary import Split


class MappingParams(Parameters):
    """The columns of a file of one's own (`medo1.questions.ColumnMapping`)."""

    stem: str = Field(description="column of the case and the question")
    options: str | tuple[str, ...] | dict[str, str] = Field(
        description="columns of the options in the letters' order, letter to column, or the one column of them all"
    )
    gold: str = Field(description="column of the right option")
    gold_is: GoldIs = Field(default="letter", description="how the right option is given")
    context: str | tuple[str, ...] | None = Field(
        default=None, description="column or columns that come before the stem"
    )
    split: str | None = Field(default=None, description="column with train, dev or test")
    extra: dict[str, str] = Field(default_factory=dict, description="further columns to keep: name to column")
    ignore: tuple[str, ...] = Field(default=(), description="columns of text that are no part of the questions")

    @model_validator(mode="after")
    def _is_a_mapping(self) -> Self:
        self.as_mapping()
        return self

    def as_mapping(self) -> ColumnMapping:
        """The same for the readers."""
        return ColumnMapping(**self.model_dump())


class QuestionFile(Parameters):
    """One file of questions, or one data set of the hub."""

    benchmark: str | None = Field(default=None, min_length=1, description="its name in tables; None: as the file says")
    file: str | None = Field(default=None, description="file name below the benchmark folder")
    hub: str | None = Field(
        default=None, description="hub id, or a directory below the benchmark folder that `datasets` saved"
    )
    hub_name: str | None = Field(default=None, description="the hub data set's configuration, where it has several")
    hub_split: str | None = Field(default=None, description="the hub's own name of the split to read; None: all")
    revision: str | None = Field(default=None, description="commit of the hub data set: pin it to repeat results")
    split: Split | None = Field(default=None, description="what its questions are for; None: as the file says")
    form: str | None = Field(default=None, description="form of the file; None recognises it from the content")
    mapping: MappingParams | None = Field(default=None, description="the columns of a file of one's own")
    links: str | None = Field(default=None, description="JAMA: file of links and gold letters to check against")
    test_urls: str | None = Field(default=None, description="JAMA: file of the test split's URLs")
    gold_is: GoldIs | None = Field(
        default=None, description="how the column of the right option is meant; None: found out from the file"
    )
    gold_base: Literal[0, 1] | None = Field(
        default=None, description="number of the first option where the right one is a number; None: found out"
    )
    context: tuple[str, ...] = Field(default=(), description="columns that come before the question, in order")
    ignore: tuple[str, ...] = Field(default=(), description="columns of text that are no part of the questions")
    split_ids: dict[Split, str] = Field(
        default_factory=dict, description="split to a file of the ids that it has, such as PubMedQA's 500"
    )
    id_column: str | None = Field(default=None, description="column of the ids; None: the one that they are found in")
    rest: Split | None = Field(default=None, description="split of rows whose id is in no list; None: left out")
    part: str | None = Field(default=None, description="of a file of several tables the one to read; None: all")
    encoding: str | None = Field(default=None, description="of a text file that is not UTF-8, such as cp1252")
    shareable: bool | None = Field(
        default=None, description="whether the licence lets the text be passed on; None: as the form says (JAMA: no)"
    )
    limit: int | None = Field(default=None, gt=0, description="only the first so many usable questions")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.file is None) == (self.hub is None):
            raise ValueError(f"give either file or hub; found file={self.file!r}, hub={self.hub!r}")
        of_hub = [name for name in ("hub_name", "hub_split", "revision") if getattr(self, name) is not None]
        if self.file is not None and of_hub:
            raise ValueError(f"{of_hub[0]} is for hub data sets; {self.file} is a file")
        if self.form is not None and self.mapping is not None:
            raise ValueError(f"give either form or mapping; found form={self.form!r} and a mapping")
        return self

    @property
    def title(self) -> str:
        """The file's name or the hub id."""
        return self.file or self.hub or ""


class ShuffleParams(Parameters):
    """Another order of each question's options, drawn by a seed."""

    seed: int = Field(ge=0, description="another seed, other orders")
    splits: tuple[Split, ...] = Field(
        default=("dev", "test"),
        min_length=1,
        description="whose questions are shuffled; recorded chains name letters as they were read, so not train",
    )


class DoubtfulParams(Parameters):
    """A list of questions that physicians found wanting, joined by stem."""

    file: str = Field(description="file name below the benchmark folder")
    question: str | None = Field(default=None, description="its column of the question; None: found by its usual names")
    where: dict[str, tuple[str | int | bool, ...]] = Field(
        default_factory=dict, description="only rows with one of these values in a column; none: every row"
    )


class IngestParams(Parameters):
    """What is read, from the folder that the catalog calls `benchmark_files`."""

    files: tuple[QuestionFile, ...] = Field(min_length=1)
    ordered: bool = Field(
        default=False, description="the options' order is part of a question's identity: reordered, it is another one"
    )
    exclude: tuple[Flag, ...] = Field(
        default=(),
        description="questions to leave out by what they need and do not hold: figure, missing_case, doubtful",
    )
    doubtful: DoubtfulParams | None = Field(
        default=None,
        description="questions whose answer is disputed: clustered_results has the others apart",
    )
    near_copies: bool = Field(
        default=True, description="look for questions that say nearly the same, within and across benchmarks and splits"
    )
    shuffle_options: ShuffleParams | None = Field(default=None, description="None: options stand as they were read")

    @model_validator(mode="after")
    def _no_order_denies_the_identity(self) -> Self:
        if self.ordered and self.shuffle_options is not None:
            raise ValueError("shuffle_options changes the options' order, which `ordered` makes part of the identity")
        return self
