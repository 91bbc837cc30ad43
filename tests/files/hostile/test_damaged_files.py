"""A damaged or hostile file ends in a good import or one clear line, and does nothing else to the machine."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.files.formats import SAMPLES
from tests.files.hostile.importing_child import LIMIT
from tests.files.hostile.mutations import Damage, damaged, damages
from tests.files.sample_sets import METADATA, READ_BY_NEO, READ_BY_OTHERS, TABLES, UNREADABLE

SECONDS = 120
RECORDINGS = (*READ_BY_NEO, *READ_BY_OTHERS, *UNREADABLE)
# Examples for each set; what is cheap to read may be tried more often.
EXAMPLES = int(os.environ.get("GNODE_ORM_TEST_EXAMPLES", "12"))


class Child:
    """A process that imports; started again when it was lost."""

    def __init__(self, place: Path) -> None:
        self.lab = place / "lab"
        self.scratch = place / "scratch"
        self.scratch.mkdir(parents=True)
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def imported(self, path: Path) -> dict[str, Any]:
        """Import a file and tell what happened."""
        process = self._running()
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died after its last answer, which is seen below
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
        try:
            line = self._lines.get(timeout=SECONDS)
        except queue.Empty:
            self.stop()
            return {"outcome": "hung", "message": f"no answer in {SECONDS} s"}
        if not line:
            self.stop()
            return {"outcome": "died", "message": f"the process ended with {process.returncode}"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError), self._process as process:
                process.kill()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._lines = queue.Queue()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.files.hostile.importing_child", str(self.lab)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={
                    **os.environ,
                    "TMPDIR": str(self.scratch),
                    "OPENBLAS_NUM_THREADS": "1",
                    "PYTHONWARNINGS": "ignore",
                },
            )
            threading.Thread(target=_forward, args=(self._process.stdout, self._lines), daemon=True).start()
            assert self._lines.get(timeout=SECONDS) == "ready\n"
        return self._process


def _forward(stream: Any, lines: queue.Queue[str]) -> None:
    with contextlib.suppress(ValueError):  # closed meanwhile
        for line in stream:
            lines.put(line)
    lines.put("")


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    child = Child(tmp_path_factory.mktemp("child"))
    yield child
    child.stop()


def files_of(source: Path) -> list[Path]:
    """The files of a sample set that a reader looks at, without those of a megabyte of nothing but samples."""
    return [source] if source.is_file() else sorted(file for file in source.rglob("*") if file.is_file())


def copied(source: Path, folder: Path) -> Path:
    """Copy a recording with all that belongs to it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source.parent, folder)
    return folder / source.name


def assert_harmless(child: Child, path: Path) -> None:
    """Import a file and hold that nothing bad came of it."""
    before = sorted((str(file), file.stat().st_size) for file in path.parent.rglob("*"))
    said = child.imported(path)
    assert said["outcome"] in ("imported", "refused"), said["message"]
    if said["outcome"] == "refused":
        assert "\n" not in said["message"]
        assert said["message"].startswith(f"{path}: ")
        assert len(said["message"]) < 3000
        assert "more memory than there is" not in said["message"]
        assert said["unchanged"]
    assert said["outside"] == []
    assert said["peak"] < LIMIT
    assert sorted((str(file), file.stat().st_size) for file in path.parent.rglob("*")) == before
    assert list(child.scratch.iterdir()) == []


@pytest.mark.parametrize("name", [*RECORDINGS, *METADATA, *TABLES])
def test_a_damaged_file_is_refused_in_one_line_or_read(
    data: Path, expected: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, child: Child, name: str
) -> None:
    source = data / expected[name]["path"]
    path = copied(source, tmp_path_factory.mktemp("damaged") / name)
    hold_harmless(path, child, EXAMPLES)


# The child imports without options, so those that need some are refused at once.
@pytest.mark.parametrize("reader", [name for name, sample in SAMPLES.items() if not sample.by_name])
def test_a_damaged_file_of_any_format_is_refused_in_one_line_or_read(
    tmp_path_factory: pytest.TempPathFactory, child: Child, reader: str
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / reader
    folder.mkdir()
    hold_harmless(SAMPLES[reader].make(folder), child, max(EXAMPLES // 3, 1))


def hold_harmless(path: Path, child: Child, examples: int) -> None:
    """Damage the files of a recording one after the other, and import it each time."""
    files = {file: file.read_bytes() for file in files_of(path if path.is_dir() else path.parent)}

    @settings(
        max_examples=examples,
        derandomize="GNODE_ORM_TEST_EXAMPLES" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(which=st.sampled_from(list(files)), steps=damages())
    def run(which: Path, steps: list[Damage]) -> None:
        which.write_bytes(damaged(files[which], steps))
        try:
            assert_harmless(child, path)
        finally:
            which.write_bytes(files[which])

    run()
