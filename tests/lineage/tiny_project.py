"""A small Kedro project that the tests of lineage make on the spot: chains, an adapter, answers, a result.

It uses medo1's datasets, hooks and session and nothing else of medo1, runs in milliseconds, and is shaped like the
study: a teacher's calls are named by `request_id`, two arms share their questions, a result counts right answers.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src"
_NUMBERS = itertools.count()

SETTINGS = """
from kedro.config import OmegaConfigLoader
from medo1.datasets.paid_answers import paid_answers, paid_since
from medo1.lineage.hooks import LineageHooks
from medo1.lineage.session import LineageSession

SESSION_CLASS = LineageSession
HOOKS = (LineageHooks(paid_answers, paid_since),)
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base", "default_run_env": "local", "config_patterns": {"lineage": ["lineage*"]},
    "merge_strategy": {"parameters": "soft"},
}
"""

REGISTRY = """
from kedro.pipeline import Node, Pipeline
from PACKAGE import nodes


def register_pipelines():
    learn = Pipeline([
        Node(nodes.make_questions, "params:questions", "questions", name="make_questions"),
        Node(nodes.write_chains, ["questions", "teacher_prompt", "params:teacher"], "chains", name="write_chains"),
        Node(nodes.keep, ["chains", "params:keep"], ["kept_chains", "dropped_chains"], name="keep"),
        Node(nodes.train, ["kept_chains", "params:train"], ["adapter", "training_log"], name="train"),
    ])
    ask = Pipeline([
        Node(nodes.answer, ["questions", "adapter", "params:arm"], "answers", name="answer"),
        Node(nodes.answer_directly, ["questions", "params:arm"], "plain_answers", name="answer_directly"),
    ])
    report = Pipeline([
        Node(nodes.score, ["answers", "plain_answers"], "results", name="score"),
        Node(nodes.page, "results", "report", name="page"),
    ])
    return {"learn": learn, "ask": ask, "report": report, "__default__": learn + ask + report}
"""

NODES = '''
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from PACKAGE import helpers

FACTOR = 1.0


def held(params):
    """Go on when the file that a test names is gone; a test that failed holds nobody for ever."""
    until = time.monotonic() + 600
    while Path(params.get("held_by", "nothing")).exists() and time.monotonic() < until:
        time.sleep(0.05)


def make_questions(params):
    return pd.DataFrame({"question_id": [f"q{n}" for n in range(params["count"])]})


def write_chains(questions, prompt, params):
    rows = []
    for question_id in questions["question_id"]:
        text = f"{prompt} {question_id} {params['style']}"
        rows.append({"question_id": question_id, "format": "cot", "text": text,
                     "request_id": hashlib.sha256(text.encode()).hexdigest()})
    held(params)
    return pd.DataFrame(rows)


def keep(chains, params):
    kept = chains["question_id"].isin(list(chains["question_id"])[params["skip"]:])
    return chains[kept].reset_index(drop=True), chains[~kept].reset_index(drop=True)


def train(kept, params):
    """Docstrings do not count."""
    from safetensors.numpy import save_file
    seed = int(hashlib.sha256("".join(kept["text"]).encode()).hexdigest()[:8], 16)
    folder = Path(tempfile.mkdtemp())
    weights = np.random.default_rng(seed).normal(size=(8, 8)).astype("float32") * helpers.scaled(params["rate"])
    tensors = {"layer.lora_A.weight": weights, "layer.lora_B.weight": weights.T.copy()}
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text("{}")
    return folder, pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5]})


def answer(questions, adapter, params):
    return _answers(questions, "taught", int(adapter.digest[:4], 16) + params["shift"])


def answer_directly(questions, params):
    return _answers(questions, "plain", params["shift"])


def _answers(questions, arm, shift):
    return pd.DataFrame({
        "question_id": questions["question_id"], "arm": arm,
        "letter": [chr(65 + (n + shift) % 4) for n in range(len(questions))],
        "correct": [(n + shift) % 4 == 0 for n in range(len(questions))],
        "request_id": [hashlib.sha256(f"{arm}{n}{shift}".encode()).hexdigest() for n in range(len(questions))],
    })


def score(answers, plain_answers):
    both = pd.concat([answers, plain_answers])
    table = both.groupby("arm", sort=True)["correct"].agg(questions="size", accuracy="mean").reset_index()
    return table.astype({"accuracy": "float64"})


def page(results):
    return "<p>" + results.to_csv(index=False) + "</p><!--medo1:evidence-->"
'''

HELPERS = '''
"""What the nodes share."""


def scaled(rate):
    return rate * 10  # a comment


def unused():
    return 0
'''

SCHEMAS = """
import pandera.pandas as pa

CHAINS = pa.DataFrameSchema(unique=["question_id", "format"])
ANSWERS = pa.DataFrameSchema(unique=["question_id", "arm"])
RESULTS = pa.DataFrameSchema(unique=["arm"])
"""

CATALOG = """
questions:
  type: medo1.datasets.Table
  filepath: ROOT/questions.parquet

teacher_prompt:
  type: medo1.datasets.Prompt
  filepath: conf/base/prompts/teacher.md

"{kind}chains":
  type: medo1.datasets.Table
  filepath: ROOT/{kind}chains.parquet
  validator: PACKAGE.schemas.CHAINS

adapter:
  type: medo1.datasets.AdapterDirectory
  filepath: ROOT/adapter

training_log:
  type: medo1.datasets.Table
  filepath: ROOT/training_log.jsonl

answers:
  type: medo1.datasets.Table
  filepath: ROOT/answers.parquet
  validator: PACKAGE.schemas.ANSWERS

plain_answers:
  type: medo1.datasets.Table
  filepath: ROOT/plain_answers.parquet
  validator: PACKAGE.schemas.ANSWERS

results:
  type: medo1.datasets.Table
  filepath: ROOT/results.parquet
  validator: PACKAGE.schemas.RESULTS
  metadata:
    rows_from:
      "*answers": {match: {arm: arm}, value: {accuracy: mean correct, questions: count}}

report:
  type: medo1.datasets.Page
  filepath: ROOT/report.html
"""

PARAMETERS = """
questions: {count: 8}
teacher: {style: careful}
keep: {skip: 2}
train: {rate: 0.1}
arm: {shift: 0}
"""


PRICED = """teacher:
  style: careful
  prices: {p: {prompt_usd_per_million: 2, completion_usd_per_million: 10}}
"""
STORED = """chains:
  type: medo1.datasets.Table
  filepath: data/chains.parquet
  validator: PACKAGE.schemas.CHAINS

teacher:
  type: medo1.datasets.EngineDataset
  engine: PARROT
  store: data/completions.sqlite

teacher_prompt:"""
WRITE_CHAINS = """def write_chains(questions, teacher, prompt, params):
    from medo1.engines.base import Message, Request
    asked = [Request(q, (Message("user", f"{prompt} {q}"),)) for q in questions["question_id"]]
    rows = [{"question_id": c.key, "format": "cot", "text": c.text, "request_id": c.request_id}
            for c in teacher.complete(asked)]
    return pd.DataFrame(sorted(rows, key=lambda row: row["question_id"]))


def unused_write_chains(questions, prompt, params):"""
PARROT = """
from medo1.engines.base import Completion, Engine


class Parrot(Engine):
    @property
    def identity(self):
        return {"engine": "parrot"}

    def batches(self, requests, stop=None):
        for request in requests:
            text = request.messages[0].content
            yield [Completion(request.key, text, "stop", 3, 7, latency_s=0.1, model="p")]
"""


class TinyProject:
    """The project in a folder, and how to run it."""

    def __init__(self, folder: Path, *, root: str = "data", url: str = "sqlite:///data/ledger.sqlite") -> None:
        self.path = folder
        self.package = f"tiny_{os.getpid()}_{next(_NUMBERS)}"
        self.data = folder / "data"
        files = {
            "pyproject.toml": f'[tool.kedro]\npackage_name = "{self.package}"\nproject_name = "tiny"\n'
            'kedro_init_version = "1.7.0"\nsource_dir = "src"\n',
            ".gitignore": "data/\nconf/local/\n__pycache__/\n.viz/\n",
            "conf/base/catalog.yml": CATALOG.replace("ROOT", root),
            "conf/base/parameters.yml": PARAMETERS,
            "conf/base/lineage.yml": f"url: {url}\nroots: [{root}]\nheartbeat_s: 1\n",
            "conf/base/prompts/teacher.md": "Think.\n",
            f"src/{self.package}/__init__.py": "",
            f"src/{self.package}/settings.py": SETTINGS,
            f"src/{self.package}/pipeline_registry.py": REGISTRY,
            f"src/{self.package}/nodes.py": NODES,
            f"src/{self.package}/helpers.py": HELPERS,
            f"src/{self.package}/schemas.py": SCHEMAS,
        }
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("PACKAGE", self.package), encoding="utf-8")
        (folder / "conf" / "local").mkdir(exist_ok=True)

    def pay_for_chains(self) -> None:
        """Have an engine with a completion store write the chains."""

        self.edit("conf/base/catalog.yml", "teacher_prompt:", STORED)
        self.edit("src/PACKAGE/pipeline_registry.py", '["questions", "teacher_prompt", "params:teacher"]',
                     '["questions", "teacher", "teacher_prompt", "params:teacher"]')  # fmt: skip
        self.edit("src/PACKAGE/nodes.py", "def write_chains(questions, prompt, params):", WRITE_CHAINS)
        (self.path / "src" / self.package / "parrot.py").write_text(PARROT)
        self.edit("conf/base/catalog.yml", "PARROT", f"{self.package}.parrot.Parrot")
        self.edit("conf/base/parameters.yml", "teacher: {style: careful}", PRICED)

    def add_environment(self, env: str) -> None:
        """An environment whose runs save to a place of their own."""
        folder = self.path / "conf" / env
        folder.mkdir()
        text = CATALOG.replace("ROOT", f"data/{env}").replace("PACKAGE", self.package)
        (folder / "catalog.yml").write_text(text, encoding="utf-8")

    def run(self, *pipelines: str, params: dict[str, Any] | None = None, env: str | None = None, **options: Any) -> str:
        """A run in this process; returns its id."""
        from kedro.framework.project import settings
        from kedro.framework.startup import bootstrap_project

        bootstrap_project(self.path)
        with settings.SESSION_CLASS.create(self.path, env=env, runtime_params=params) as session:
            session.run(pipeline_names=list(pipelines) or None, **options)
            return str(session.session_id)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """`kedro run` as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", *arguments],
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(),
            **options,
        )

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(SOURCE), str(self.path / "src"), os.environ.get("PYTHONPATH", "")])
        return {**os.environ, "PYTHONPATH": path, "KEDRO_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}

    def settings(self) -> Any:
        """The lineage settings of the project."""
        import yaml

        from medo1.lineage.ledger_settings import ledger_settings_from

        def credentials() -> dict[str, Any]:
            file = self.path / "conf" / "local" / "credentials.yml"
            return yaml.safe_load(file.read_text()) if file.is_file() else {}

        content = yaml.safe_load((self.path / "conf" / "base" / "lineage.yml").read_text())
        return ledger_settings_from(content, self.path, credentials)

    def ledger(self) -> Any:
        from medo1.lineage.ledger import Ledger

        return Ledger(self.settings())

    def hold(self) -> str:
        """Where a node waits until the file is taken away: `--params=teacher.held_by=...`."""
        file = self.path.with_name("hold")
        file.touch()
        return str(file)

    def table(self, name: str, *, where: str = "") -> list[dict[str, Any]]:
        """Rows of one of the ledger's tables."""
        from sqlalchemy import text

        ledger = self.ledger()
        try:
            with ledger.reading() as connection:
                rows = connection.execute(text(f'SELECT * FROM "{name}" {where}'))
                return [dict(row._mapping) for row in rows]
        finally:
            ledger.close()

    def versions(self, dataset_file: str) -> list[str]:
        """Names of the folders below a dataset."""
        folder = self.data / dataset_file
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file of the project."""
        file = self.path / name.replace("PACKAGE", self.package)
        text = file.read_text(encoding="utf-8")
        assert old in text, (old, text)
        file.write_text(text.replace(old, new.replace("PACKAGE", self.package)), encoding="utf-8")

    def commit(self, message: str = "all") -> str:
        """Make the project a git repository and commit everything; returns the commit."""
        identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
        if not (self.path / ".git").is_dir():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git(*identity, "commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True).stdout

    def copy_to(self, folder: Path) -> None:
        shutil.copytree(self.path, folder)
