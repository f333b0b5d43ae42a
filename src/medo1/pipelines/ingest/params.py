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
    """Column mapping for a file of an unknown form (`medo1.questions.ColumnMapping`)."""

    stem: str = Field(description="column of the case and the question")
    options: str | tuple[str, ...] | dict[str, str] = Field(
        description="columns of the options in letter order, a map of letter to column, or the single column of all"
    )
    gold: str = Field(description="column of the right option")
    gold_is: GoldIs = Field(default="letter", description="how that column gives the right option")
    context: str | tuple[str, ...] | None = Field(default=None, description="column or columns to put before the stem")
    split: str | None = Field(default=None, description="column with train, dev or test")
    extra: dict[str, str] = Field(default_factory=dict, description="further columns to keep, as name: column")
    ignore: tuple[str, ...] = Field(default=(), description="text columns that are not part of the questions")

    @model_validator(mode="after")
    def _is_a_mapping(self) -> Self:
        self.as_mapping()
        return self

    def as_mapping(self) -> ColumnMapping:
        """The same for the readers."""
        return ColumnMapping(**self.model_dump())


class QuestionFile(Parameters):
    """One file of questions, or one data set from the hub."""

    benchmark: str | None = Field(
        default=None, min_length=1, description="its name in tables; None: taken from the file"
    )
    file: str | None = Field(default=None, description="file name in the benchmark folder")
    hub: str | None = Field(
        default=None, description="hub id, or a directory in the benchmark folder that `datasets` saved"
    )
    hub_name: str | None = Field(default=None, description="the hub data set's configuration, where it has several")
    hub_split: str | None = Field(default=None, description="the hub's name of the split to read; None: all")
    revision: str | None = Field(
        default=None, description="commit of the hub data set: pin it for reproducible results"
    )
    split: Split | None = Field(default=None, description="split of its questions; None: taken from the file")
    form: str | None = Field(default=None, description="form of the file; None: detected from the content")
    mapping: MappingParams | None = Field(default=None, description="the columns of a file of unknown form")
    links: str | None = Field(default=None, description="JAMA: file of links and gold letters to check against")
    test_urls: str | None = Field(default=None, description="JAMA: file of the test split's URLs")
    gold_is: GoldIs | None = Field(
        default=None, description="how the column gives the right option; None: detected from the file"
    )
    gold_base: Literal[0, 1] | None = Field(
        default=None, description="number of the first option where the right one is a number; None: detected"
    )
    context: tuple[str, ...] = Field(default=(), description="columns to put before the question, in order")
    ignore: tuple[str, ...] = Field(default=(), description="text columns that are not part of the questions")
    split_ids: dict[Split, str] = Field(
        default_factory=dict, description="for each split, the file that lists its ids, such as PubMedQA's 500"
    )
    id_column: str | None = Field(default=None, description="column of the ids; None: detected")
    rest: Split | None = Field(default=None, description="split of rows whose id is in no list; None: left out")
    part: str | None = Field(default=None, description="which table to read, in a file with several; None: all")
    encoding: str | None = Field(default=None, description="encoding of a text file that is not UTF-8, such as cp1252")
    shareable: bool | None = Field(
        default=None,
        description="whether the licence lets the text be redistributed; None: the form's default (JAMA: no)",
    )
    limit: int | None = Field(default=None, gt=0, description="use only the first this many usable questions")

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

    seed: int = Field(ge=0, description="seed of the shuffling")
    splits: tuple[Split, ...] = Field(
        default=("dev", "test"),
        min_length=1,
        description="splits to shuffle; not train, because recorded chains refer to letters as they were read",
    )


class DoubtfulParams(Parameters):
    """A list of questions that physicians found faulty, joined by stem."""

    file: str = Field(description="file name in the benchmark folder")
    question: str | None = Field(default=None, description="column of the question; None: found by its usual names")
    where: dict[str, tuple[str | int | bool, ...]] = Field(
        default_factory=dict, description="use only rows with one of these values in a column; {}: every row"
    )


class IngestParams(Parameters):
    """What is read, from the folder that the catalog calls `benchmark_files`."""

    files: tuple[QuestionFile, ...] = Field(
        min_length=1, description="the files of questions, each with what it does not say itself"
    )
    ordered: bool = Field(default=False, description="make the order of the options part of a question's identity")
    exclude: tuple[Flag, ...] = Field(
        default=(),
        description="leave out questions with these flags: figure, missing_case, doubtful",
    )
    doubtful: DoubtfulParams | None = Field(
        default=None,
        description="questions whose answer is disputed; clustered_results reports the others separately",
    )
    near_copies: bool = Field(
        default=True, description="detect nearly identical questions, within and across benchmarks and splits"
    )
    shuffle_options: ShuffleParams | None = Field(default=None, description="None: options keep their order")

    @model_validator(mode="after")
    def _no_order_denies_the_identity(self) -> Self:
        if self.ordered and self.shuffle_options is not None:
            raise ValueError("shuffle_options changes the options' order, which `ordered` makes part of the identity")
        return self
