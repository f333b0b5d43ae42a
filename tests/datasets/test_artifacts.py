"""Versions are complete or absent."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io.core import DatasetError, Version, VersionNotFoundError

from medo1.datasets import Directory, Json, Table
from medo1.lineage.digests import digest_of_file
from medo1.lineage.manifests import MANIFEST_NAME, Provenance
from tests.lineage.killing import counting_syncs, killed_at, started

FIRST, SECOND = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"
TABLE = pd.DataFrame({"question_id": ["a", "b"], "n": [1, 2]})


def table(tmp_path: Path, save: str | None = None, load: str | None = None) -> Table:
    return Table(filepath=str(tmp_path / "table.parquet"), version=Version(load, save))


def test_a_saved_table_comes_back_with_its_manifest(tmp_path: Path) -> None:
    dataset = table(tmp_path, FIRST)
    dataset.provenance = Provenance("questions", "run-1", "read", {"files": {"digest": "d"}})
    dataset.save(TABLE)
    pd.testing.assert_frame_equal(table(tmp_path).load(), TABLE)
    manifest = table(tmp_path).manifest()
    file = tmp_path / "table.parquet" / FIRST / "table.parquet"
    assert (manifest.dataset, manifest.run, manifest.node) == ("questions", "run-1", "read")
    assert manifest.made_from == {"files": {"digest": "d"}}
    assert (manifest.digest, manifest.size_bytes, manifest.rows) == (digest_of_file(file), file.stat().st_size, 2)


def test_the_latest_complete_version_is_loaded_and_an_unfinished_one_is_not(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    table(tmp_path, SECOND).save(TABLE.head(1))
    assert len(table(tmp_path).load()) == 1
    (tmp_path / "table.parquet" / SECOND / MANIFEST_NAME).unlink()
    assert len(table(tmp_path).load()) == 2
    assert table(tmp_path).complete_versions() == [FIRST]


def test_a_stray_directory_is_never_a_version(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    stray = tmp_path / "table.parquet" / "zzz-backup"
    (tmp_path / "table.parquet" / FIRST).rename(stray)
    with pytest.raises(VersionNotFoundError, match="No complete version"):
        table(tmp_path).load()


def test_a_version_is_never_overwritten(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    with pytest.raises(DatasetError, match="never overwritten"):
        table(tmp_path, FIRST).save(TABLE.head(1))
    assert len(table(tmp_path).load()) == 2


def test_a_failed_save_leaves_nothing_that_can_be_loaded(tmp_path: Path) -> None:
    dataset = Json(filepath=str(tmp_path / "value.json"), version=Version(None, FIRST))
    with pytest.raises(DatasetError):
        dataset.save({"not json": object()})
    assert dataset.complete_versions() == []
    assert list((tmp_path / "value.json").iterdir()) == []


def test_a_version_whose_size_changed_is_refused(tmp_path: Path) -> None:
    dataset = Json(filepath=str(tmp_path / "value.json"), version=Version(None, FIRST))
    dataset.save({"a": 1})
    file = tmp_path / "value.json" / FIRST / "value.json"
    file.write_text(file.read_text()[:-3])
    with pytest.raises(DatasetError, match="damaged"):
        Json(filepath=str(tmp_path / "value.json")).load()


def test_a_manifest_that_is_no_manifest_is_named(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    (tmp_path / "table.parquet" / FIRST / MANIFEST_NAME).write_text("{}")
    with pytest.raises(DatasetError, match=r"_manifest\.json: not a manifest"):
        table(tmp_path).load()


def test_a_pin_holds_whatever_is_saved_meanwhile(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    reader = table(tmp_path)
    reader.pin(FIRST)
    table(tmp_path, SECOND).save(TABLE.head(1))
    reader.release()
    assert len(reader.load()) == 2


def test_a_run_reads_what_it_saved_itself_and_not_a_later_version_of_another_run(tmp_path: Path) -> None:
    own = table(tmp_path, FIRST)
    own.save(TABLE)
    table(tmp_path, SECOND).save(TABLE.head(1))
    own.release()
    assert len(own.load()) == 2


def test_missing_pins_name_the_versions_that_there_are(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    with pytest.raises(VersionNotFoundError, match=FIRST):
        table(tmp_path, load=SECOND).load()


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE.head(0))
    assert list(table(tmp_path).load().columns) == ["question_id", "n"]
    lines = Table(filepath=str(tmp_path / "table.jsonl"), version=Version(None, FIRST))
    with pytest.raises(DatasetError, match="empty table"):
        lines.save(TABLE.head(0))


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    table(tmp_path, SECOND).save(TABLE.copy())
    assert table(tmp_path, load=FIRST).manifest().digest == table(tmp_path, load=SECOND).manifest().digest


def test_versions_are_complete_on_a_file_system_without_rename() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    path = "memory://bucket/value.json"
    Json(filepath=path, version=Version(None, FIRST)).save({"a": 1})
    assert Json(filepath=path).load() == {"a": 1}
    memory.pipe_file(f"/bucket/value.json/{SECOND}/value.json", b"{}")  # an upload that was killed before its manifest
    assert Json(filepath=path).complete_versions() == [FIRST]
    memory.rm("/bucket", recursive=True)


WRITER = """
import sys
import pandas as pd
from kedro.io.core import Version
from medo1.datasets import Table
table = pd.DataFrame({"text": ["x" * 1000] * 20000})
print("ready", flush=True)
for second in range(60):
    Table(filepath=sys.argv[1], version=Version(None, f"2026-01-01T00.00.{second:02d}.000Z")).save(table)
"""


def test_a_save_that_is_killed_at_any_moment_leaves_no_half_version(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    rng = random.Random(1)
    killed_inside = 0
    for _ in range(8):
        for version in path.glob("*"):
            _remove_tree(version)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=_env())
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.25))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        complete = Table(filepath=str(path)).complete_versions()
        killed_inside += len(list(path.glob("*"))) > len(complete)
        for version in complete:
            assert len(Table(filepath=str(path), version=Version(version, None)).load()) == 20000
    assert killed_inside, "no kill fell into a save: the test shows nothing"


@pytest.mark.parametrize("kind", [Json, Directory])
def test_a_save_killed_at_any_sync_is_complete_and_tidy_or_is_not_there(kind: Any, tmp_path: Path) -> None:
    def save(place: Path) -> None:
        source = tmp_path / f"{place.name}_source"
        source.mkdir()
        (source / "file").write_text("x")
        kind(filepath=str(place / "value"), version=Version(None, FIRST)).save(str(source))

    _, syncs = counting_syncs(lambda: save(tmp_path / "whole"))
    states = []
    for number in range(syncs):
        place = tmp_path / f"killed{number}"
        pid = started(lambda number=number, place=place: killed_at(number, lambda: save(place)), tmp_path / "said")
        assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
        dataset = kind(filepath=str(place / "value"))
        left = sorted(path.name for path in (place / "value" / FIRST).iterdir())
        states.append(bool(dataset.complete_versions()))
        if states[-1]:
            dataset.load()
            assert left == [MANIFEST_NAME, "value"]
        else:
            with pytest.raises(VersionNotFoundError):
                dataset.load()
    assert states == sorted(states)
    assert set(states) == {False, True}, "kills before and after the moment at which the save was complete"


def _env() -> dict[str, str]:
    source = str(Path(__file__).parents[2] / "src")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}


def _remove_tree(path: Path) -> None:
    import shutil

    shutil.rmtree(path)


def test_previews_say_version_and_digest(tmp_path: Path) -> None:
    table(tmp_path, FIRST).save(TABLE)
    preview = table(tmp_path).preview(1)
    assert preview["columns"][0] == "version"
    assert preview["data"][0][0].startswith(FIRST)
    dataset = Json(filepath=str(tmp_path / "value.json"), version=Version(None, FIRST))
    dataset.save({"a": 1})
    assert json.loads(dataset.preview())["value"] == {"a": 1}


@pytest.mark.parametrize("protocol", ["file", "memory"])
def test_what_a_killed_save_left_is_no_part_of_what_is_saved_after_it(protocol: str, tmp_path: Path) -> None:
    import fsspec

    from medo1.datasets import Directory

    version = "2026-01-01T00.00.00.000Z"
    place = str(tmp_path / "adapter") if protocol == "file" else f"memory://{tmp_path.name}/adapter"
    files = fsspec.filesystem(protocol)
    left = f"{place.removeprefix('memory:/')}/{version}/adapter"
    files.makedirs(left, exist_ok=True)
    files.pipe_file(f"{left}/old.safetensors", b"old")
    new = tmp_path / "new"
    new.mkdir()
    (new / "new.safetensors").write_bytes(b"new")
    dataset = Directory(filepath=place, version=Version(None, version))
    dataset.save(new)
    assert [file.name for file in sorted(Directory(filepath=place).load().iterdir())] == ["new.safetensors"]


def test_equal_content_is_kept_once_and_each_version_stands_alone(tmp_path: Path) -> None:
    from medo1.datasets import Directory

    place = tmp_path / "value.json"
    names = [f"2026-01-0{day}T00.00.00.000Z" for day in (1, 2, 3)]
    for name, value in zip(names, (1, 2, 1), strict=True):
        Json(filepath=str(place), version=Version(None, name)).save(value)
    inodes = [(place / name / "value.json").stat().st_ino for name in names]
    assert inodes[0] == inodes[2] != inodes[1]
    (place / names[0] / "value.json").unlink()
    assert Json(filepath=str(place)).load() == 1
    folder = tmp_path / "folder"
    for name in names[:2]:
        source = tmp_path / "source"
        source.mkdir()
        (source / "a").write_text("a")
        Directory(filepath=str(folder), version=Version(None, name)).save(source)
    assert len({(folder / name / "folder" / "a").stat().st_ino for name in names[:2]}) == 1


def test_what_was_damaged_is_not_shared(tmp_path: Path) -> None:
    place = tmp_path / "value.json"
    names = [f"2026-01-0{day}T00.00.00.000Z" for day in (1, 2)]
    Json(filepath=str(place), version=Version(None, names[0])).save(1)
    (place / names[0] / "value.json").write_text("2\n")
    Json(filepath=str(place), version=Version(None, names[1])).save(1)
    assert Json(filepath=str(place)).load() == 1
