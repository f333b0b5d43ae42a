"""Which code made something: a digest of a node's function and of the project's code that it can reach.

A digest over whole modules would call everything stale after every edit: all nodes share the table schemas. A digest
of the function alone would miss the helper that was mended. So definitions are followed by name: the function, the
functions, classes and constants that its text names, what those name, across modules of the same packages. The sources
are read, never imported, so that `kedro audit stale` can do it in milliseconds and without torch.

What is followed: names, attributes of imported modules (`tables.CHAINS`), imports inside functions. A module that is
used as a value counts whole. Statements at a module's top level that define nothing (registrations) count as soon as
anything of the module does. What is not seen: names that are made up at run time (`getattr`, dotted paths in the
catalog other than an engine's class), other packages (their versions are in the ledger), and how nodes are wired.

Comments, docstrings, blank lines and type-checking imports do not count.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import json
import re
import sqlite3
import sys
import time
import tokenize
from collections import deque
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medo1.lineage.digests import digest_of_file, digest_of_text, digest_of_value
from medo1.lineage.known_digests import cache_folder

EFFECTS = "<top level>"
# A text that may name a file beside the source, such as a template.
FILE_NAME = re.compile(r"[\w-][\w./-]{0,80}\.\w{1,8}")
# Raised when what is below would read the same source otherwise.
READER = "1"


@dataclass(slots=True)
class Definition:
    """A name defined at a module's top level: the digest of its text and the dotted names that it uses."""

    digest: str
    uses: list[str]
    imports: dict[str, str] = field(default_factory=dict)  # made inside it: local name to dotted target
    files: list[str] = field(default_factory=list)  # texts that may name files beside the source


@dataclass(slots=True)
class Module:
    """What a source file defines and imports, by name."""

    definitions: dict[str, Definition] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reached:
    """The code that a function reaches: each definition with its digest, and one digest of all."""

    parts: dict[str, str]

    @property
    def digest(self) -> str:
        return digest_of_value(self.parts)


class CodeReader:
    """Reads sources of a few packages and answers what a function of theirs reaches.

    Args:
        packages: top-level packages that count as the project's own.
    """

    def __init__(self, packages: Iterable[str]) -> None:
        self._roots = {name: folder for name in packages if (folder := _folder_of(name)) is not None}
        self._modules: dict[str, Module | None] = {}
        self._cache = _SourceCache()

    def reached_from(self, name: str) -> Reached | None:
        """What `module:function` reaches; None when there is no such function in these packages."""
        module, _, function = name.partition(":")
        start = (module, function.partition(".")[0])
        found = self._module(module)
        if found is None or start[1] not in found.definitions:
            return None
        parts: dict[str, str] = {}
        queue, seen = deque([start]), {start}
        while queue:
            module, symbol = queue.popleft()
            here = self._module(module)
            if here is None:
                continue
            definition = here.definitions.get(symbol)
            if definition is None:
                continue
            parts[f"{module}:{symbol}"] = definition.digest
            parts |= self._files(module, definition)
            targets = [(module, EFFECTS), *self._targets(module, here, definition)]
            for target in targets:
                if target not in seen:
                    seen.add(target)
                    queue.append(target)
        return Reached(dict(sorted(parts.items())))

    def close(self) -> None:
        """Write what was read to the cache."""
        self._cache.close()

    def _files(self, module: str, definition: Definition) -> dict[str, str]:
        if not definition.files:
            return {}
        root, *rest = module.split(".")
        folder = self._roots[root].joinpath(*rest)
        folder = folder if folder.is_dir() else folder.parent
        return {
            f"{module}/{name}": digest_of_file(folder / name)
            for name in definition.files
            if ".." not in name and (folder / name).is_file() and (folder / name).suffix != ".py"
        }

    def _targets(self, name: str, module: Module, definition: Definition) -> Iterable[tuple[str, str]]:
        for dotted in definition.uses:
            head, _, rest = dotted.partition(".")
            target = definition.imports.get(head) or module.imports.get(head)
            if target is not None:
                yield from self._resolved(f"{target}.{rest}" if rest else target)
            elif head in module.definitions:
                yield name, head
            else:
                for star in module.stars:
                    yield from self._resolved(f"{star}.{head}")

    def _resolved(self, dotted: str) -> Iterable[tuple[str, str]]:
        """The definitions that a dotted name stands for; of a whole module, all of them."""
        for _ in range(20):  # as many re-exports
            module, rest = self._split(dotted)
            if module is None:
                return
            found = self._module(module)
            assert found is not None
            if not rest:
                for symbol in found.definitions:
                    yield module, symbol
                return
            head, _, tail = rest.partition(".")
            if head in found.definitions:
                yield module, head
                return
            target = found.imports.get(head)
            if target is None:
                for star in found.stars:
                    yield from self._resolved(f"{star}.{rest}")
                return
            dotted = f"{target}.{tail}" if tail else target

    def _split(self, dotted: str) -> tuple[str | None, str]:
        """The longest module at the head of a dotted name, and what remains."""
        parts = dotted.split(".")
        if parts[0] not in self._roots:
            return None, ""
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if self._module(name) is not None:
                return name, ".".join(parts[length:])
        return None, ""

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def _read(self, name: str) -> Module | None:
        root, *rest = name.split(".")
        folder = self._roots.get(root)
        if folder is None:
            return None
        base = folder.joinpath(*rest)
        for path, is_package in ((base / "__init__.py", True), (base.with_suffix(".py"), False)):
            if path.is_file():
                with suppress(SyntaxError, UnicodeDecodeError):
                    return self._cache.module(path, name, is_package)
        return None


def function_name(function: Any) -> str | None:
    """`module:name` of a node's function, however it is wrapped; None for a lambda or one of a notebook."""
    import functools
    import inspect

    while True:
        inner = inspect.unwrap(function)
        if isinstance(inner, functools.partial):
            inner = inner.func
        if inner is function:
            break
        function = inner
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not module or module == "__main__" or not name or "<" in name:
        return None
    return f"{module}:{name}"


def _folder_of(package: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


# Reading one source


def read_module(source: str, name: str, is_package: bool) -> Module:
    """What a source defines and imports.

    Raises:
        SyntaxError: when it is no Python.
    """
    tree = ast.parse(source)
    reader = _Reader(source, name if is_package else name.rpartition(".")[0])
    for statement in tree.body:
        reader.take(statement)
    return reader.module()


class _Reader:
    def __init__(self, source: str, package: str) -> None:
        self._lines = source.splitlines(keepends=True)
        self._package = package
        self._texts: dict[str, list[str]] = {}
        self._uses: dict[str, set[str]] = {}
        self._inner: dict[str, dict[str, str]] = {}
        self._files: dict[str, set[str]] = {}
        self._imports: dict[str, str] = {}
        self._stars: list[str] = []

    def take(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._imports |= self._imported(statement)
            return
        if isinstance(statement, ast.If) and _is_type_checking(statement.test):
            for inner in statement.orelse:
                self.take(inner)
            return
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return  # a docstring
        imported: dict[str, str] = {}
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imported |= self._imported(node)
        if not _is_definition(statement):  # imports below `if` and `try` are the module's
            self._imports |= imported
        files = {
            node.value
            for node in ast.walk(statement)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and FILE_NAME.fullmatch(node.value)
        }
        text, uses = self._text(statement), set(_used(statement))
        for name in _defined(statement) or [EFFECTS]:
            self._texts.setdefault(name, []).append(text)
            self._uses.setdefault(name, set()).update(uses)
            self._inner.setdefault(name, {}).update(imported)
            self._files.setdefault(name, set()).update(files)

    def module(self) -> Module:
        definitions = {
            name: Definition(
                digest_of_text("\n".join(texts)), sorted(self._uses[name]), self._inner[name], sorted(self._files[name])
            )
            for name, texts in self._texts.items()
        }
        return Module(definitions, self._imports, self._stars)

    def _imported(self, statement: ast.Import | ast.ImportFrom) -> dict[str, str]:
        if isinstance(statement, ast.Import):
            heads = [alias.name if alias.asname else alias.name.partition(".")[0] for alias in statement.names]
            return {alias.asname or head: head for alias, head in zip(statement.names, heads, strict=True)}
        source = statement.module or ""
        if statement.level:
            parents = self._package.split(".")
            base = ".".join(parts) if (parts := parents[: len(parents) - statement.level + 1]) else ""
            source = f"{base}.{source}" if source else base
        found = {}
        for alias in statement.names:
            if alias.name == "*":
                self._stars.append(source)
            else:
                found[alias.asname or alias.name] = f"{source}.{alias.name}"
        return found

    def _text(self, statement: ast.stmt) -> str:
        """The statement's source without comments, docstrings and blank lines."""
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        lines = self._lines[first - 1 : statement.end_lineno]
        hidden: set[int] = set()
        for node in ast.walk(statement):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(
                node, False
            ):
                docstring = node.body[0]
                hidden |= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
        kept = [line for number, line in enumerate(lines, start=first) if number not in hidden]
        text = "".join(kept)
        if "#" in text:
            text = _without_comments(text)
        return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _without_comments(text: str) -> str:
    lines = text.splitlines(keepends=True)
    with suppress(tokenize.TokenError, IndentationError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column].rstrip() + "\n"
    return "".join(lines)


def _is_definition(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement gives a meaning to."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    names: list[str] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif node is not statement and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
    return sorted(set(names))


def _used(statement: ast.stmt) -> Iterable[str]:
    """Dotted names that a statement reads, such as `tables.CHAINS`; of a chain of attributes the longest."""
    inner = {
        id(node.value)
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute)
    }
    for node in ast.walk(statement):
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in inner:
            parts: list[str] = []
            here: ast.expr = node
            while isinstance(here, ast.Attribute):
                parts.append(here.attr)
                here = here.value
            if isinstance(here, ast.Name):
                yield ".".join([here.id, *reversed(parts)])


# What was read before


class _SourceCache:
    """Modules by the digest of their source, kept across processes: parsing costs more than a run may wait."""

    def __init__(self) -> None:
        self._path = cache_folder() / "sources.sqlite"
        self._new: dict[str, str] = {}
        self._database: sqlite3.Connection | None = None

    def module(self, path: Path, name: str, is_package: bool) -> Module:
        source = path.read_bytes()
        version = f"{READER}/{sys.version_info.major}.{sys.version_info.minor}/{name}/{is_package}"
        key = hashlib.sha256(version.encode() + b"\0" + source).hexdigest()
        text = self._kept(key)
        if text is not None:
            fields = json.loads(text)
            definitions = {name: Definition(**item) for name, item in fields["definitions"].items()}
            return Module(definitions, fields["imports"], fields["stars"])
        module = read_module(source.decode(), name, is_package)
        self._new[key] = json.dumps(asdict(module))
        return module

    def close(self) -> None:
        with suppress(OSError, sqlite3.Error):
            if self._new:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
                    database.execute("CREATE TABLE IF NOT EXISTS sources (key TEXT PRIMARY KEY, module TEXT, at REAL)")
                    now = time.time()
                    rows = [(key, module, now) for key, module in self._new.items()]
                    database.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", rows)
                    # The latest sources are what is asked for; a cache of every edit would only grow.
                    database.execute(
                        "DELETE FROM sources WHERE key NOT IN (SELECT key FROM sources ORDER BY at DESC LIMIT 2000)"
                    )
            if self._database is not None:
                self._database.close()
        self._new, self._database = {}, None

    def _kept(self, key: str) -> str | None:
        with suppress(OSError, sqlite3.Error):
            if self._database is None and self._path.is_file():
                self._database = sqlite3.connect(self._path, timeout=5)
            if self._database is not None:
                row = self._database.execute("SELECT module FROM sources WHERE key = ?", (key,)).fetchone()
                return None if row is None else str(row[0])
        return None
