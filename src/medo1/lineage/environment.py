"""What a run ran in: code, packages, machine. Taken once, when a run starts; costs a few milliseconds.

Package versions are read from the names of their metadata folders: asking each of two hundred packages for its version
takes longer than starting Kedro.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# A larger difference is known by its digest only, and a run with it cannot be reproduced.
LARGEST_DIFF_BYTES = 1 << 20
GIT_TIMEOUT_S = 20
# What runs come to is kept beside the code (`kedro study`), and changes nothing that a later run does.
NO_CODE = (":(exclude)docs/results",)
AS_PATCH = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv")
METADATA_NAME = re.compile(r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[^-]+)\.(?:dist|egg)-info$")


@dataclass(frozen=True, slots=True)
class Code:
    """The state of the git repository; all None where there is none.

    Attributes:
        commit: full id of HEAD.
        branch: its name, None when detached.
        dirty: whether a file differs from HEAD or is new (ignored files do not count, nor do kept results).
        diff: what `git apply` needs to come from HEAD to this state; empty when clean, None when larger than 1 MiB.
        diff_digest: SHA-256 of the difference, also of one that is too large to keep.
    """

    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    diff: str | None = ""
    diff_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """Which process on which machine, so that a later reader can say whether it still lives.

    Attributes:
        host: the machine's name.
        machine: what the process number is valid for: a boot of a kernel and a namespace of processes.
        pid: the process number.
        started: when the process started, in the kernel's own count; a number that was given again has another.
    """

    host: str
    machine: str
    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class Environment:
    """All of it."""

    code: Code
    process: Process
    packages: dict[str, str]
    python: str
    hardware: dict[str, Any]
    user: str
    platform: str = field(default_factory=platform.platform)


def current_environment(root: Path) -> Environment:
    """What this process runs in.

    Args:
        root: the project, whose git repository is described.
    """
    return Environment(
        code=code_at(root),
        process=current_process(),
        packages=installed_packages(),
        python=platform.python_version(),
        hardware=hardware(),
        user=user_name(),
    )


# Code


def code_at(root: Path) -> Code:
    """The state of the git repository that holds `root`; of the files below `root` only.

    Files that git was told to overlook (`git update-index --assume-unchanged`, `--skip-worktree`) are looked at too.
    """
    overlooked = _overlooked(root)
    if not overlooked:
        return _code_at(root, {})
    with tempfile.TemporaryDirectory(prefix="medo1-index-") as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}  # one of our own, in which no file is marked
        _git(root, "read-tree", "HEAD", index=index)
        absent = [name for name in overlooked if not (root / os.fsdecode(name)).exists()]  # a sparse checkout's
        if absent:
            _git(root, "update-index", "--skip-worktree", "--", *map(os.fsdecode, absent), index=index)
        return _code_at(root, index)


def _overlooked(root: Path) -> list[bytes]:
    """Files below `root` whose changes git does not tell, because it was told not to look."""
    listed = _git(root, "ls-files", "-v", "-z", "--", ".") or b""
    return [entry[2:] for entry in listed.split(b"\0") if entry[:1].islower() or entry[:1] == b"S"]


def _code_at(root: Path, index: Mapping[str, str]) -> Code:
    command = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--", ".", *NO_CODE)
    status = _git(root, *command, index=index)
    if status is None:
        return Code()
    entries = [entry for entry in status.split(b"\0") if entry]
    head = {key: value for _, key, value in (_words(entry) for entry in entries if entry.startswith(b"# "))}
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    changes = [entry for entry in entries if not entry.startswith(b"# ")]
    named = {
        "commit": None if commit == "(initial)" else commit,
        "branch": None if branch == "(detached)" else branch,
    }
    if not changes:
        return Code(**named, dirty=False)
    new = [os.fsdecode(entry[2:]) for entry in changes if entry.startswith(b"? ")]
    diff = _difference(root, new, index)
    if diff is None:
        return Code(**named, dirty=True, diff=None)
    try:
        text = diff.decode()
    except UnicodeDecodeError:  # a text file in another encoding
        text = None
    kept = text if len(diff) <= LARGEST_DIFF_BYTES else None
    return Code(**named, dirty=True, diff=kept, diff_digest=hashlib.sha256(diff).hexdigest())


def why_no_commit(root: Path) -> str:
    """Why no commit is known of a place: no git, no repository, or one that git refuses to look into."""
    import shutil

    if shutil.which("git") is None:
        return "there is no git on this machine"
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"git does not answer ({error})"
    lines = (done.stderr or "nothing is committed yet").strip().splitlines()
    return f"git says: {lines[0]}"


def _difference(root: Path, new: list[str], index: Mapping[str, str]) -> bytes | None:
    """A binary-safe patch against HEAD, new files included, with paths from the repository's root."""
    top = _git(root, "rev-parse", "--show-toplevel")
    diff = _git(root, "diff", "HEAD", *AS_PATCH, "--", ".", *NO_CODE, index=index)
    if top is None or diff is None:
        return None
    folder = Path(os.fsdecode(top.strip()))
    for name in new:
        added = _git(
            folder,
            *("diff", "--no-index", *AS_PATCH, "--", "/dev/null", name),
            expected=(0, 1),
        )
        if added is None:
            return None
        diff += added
        if len(diff) > 64 * LARGEST_DIFF_BYTES:
            return None
    return diff


def _git(
    root: Path, *arguments: str, expected: tuple[int, ...] = (0,), index: Mapping[str, str] | None = None
) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotepath=off", *arguments],
            cwd=root,
            capture_output=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(index or {})},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode in expected else None


def _words(entry: bytes) -> tuple[str, str, str]:
    mark, key, value = entry.decode().split(" ", 2)
    return mark, key, value


# Packages and machine


def installed_packages() -> dict[str, str]:
    """Name to version of every package on the path, as `pip freeze` would list them."""
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208  (called for each folder of the path: speed)
        except OSError:
            continue
        for name in names:
            match = METADATA_NAME.match(name)
            if match:
                found.setdefault(match["name"].replace("_", "-").lower(), match["version"])
    return dict(sorted(found.items()))


def hardware() -> dict[str, Any]:
    """Processor, cores, memory, GPUs, without starting a program or importing torch."""
    found: dict[str, Any] = {"machine": platform.machine(), "cores": os.cpu_count()}
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            found["processor"] = line.partition(":")[2].strip()
            break
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            found["memory_bytes"] = int(line.split()[1]) * 1024
            break
    gpus = [
        line.partition(":")[2].strip()
        for card in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
        for line in _lines(str(card))
        if line.startswith("Model")
    ]
    return found | ({"gpus": gpus} if gpus else {})


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def user_name() -> str:
    """The user that this process runs as."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return str(os.getuid()) if hasattr(os, "getuid") else ""


# Processes


def current_process() -> Process:
    """This process."""
    pid = os.getpid()
    return Process(platform.node(), this_machine(), pid, process_start(pid) or "")


def this_machine() -> str:
    """What process numbers are valid for: this boot of the kernel and this namespace of processes."""
    boot = "".join(_lines("/proc/sys/kernel/random/boot_id")) or platform.node()
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return f"{boot}/{space}"


def process_start(pid: int) -> str | None:
    """When a process started, in its kernel's count; None when there is no such process (or it is only not buried)."""
    lines = _lines(f"/proc/{pid}/stat")
    if lines:
        state, *rest = lines[0].rpartition(")")[2].split()
        return None if state in "ZX" else rest[18]
    if Path("/proc/self/stat").exists():
        return None
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None


def lives(process: Process) -> bool | None:
    """Whether a process is alive; None when it is on another machine and nobody here can know."""
    if process.machine != this_machine():
        return None
    return process_start(process.pid) == process.started


class Heart:
    """Beats in the background while a run goes on, so that readers on other machines know."""

    def __init__(self, beat: Any, every_s: float) -> None:
        self._beat, self._every_s = beat, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, name="medo1-lineage-heart", daemon=True)
        self._thread.start()

    def _go(self) -> None:
        while not self._stop.wait(self._every_s):
            self._beat()

    def stop(self) -> None:
        """No further beat after this returns."""
        self._stop.set()
        self._thread.join(timeout=5)
