"""Every sample recording imported, beside neo's own reading of it: ``python -m benchmarks.import_table [NAME...]``.

Prints a table in Markdown: objects, warnings, time over neo's reading (median of rounds in turns, each import into a
new lab), and the most memory that a process of its own took for the one and for the other. The recordings are those of
``GNODE_ORM_TEST_DATA``, with the figures of ``expected.json`` beside them.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from benchmarks.rows.recordings import DATA

_HEAD = (
    "| recording | reader | size | objects | warnings | neo | import | ratio | CPU ratio | peak, neo | peak, import |",
    "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
)


def main() -> None:
    """Print the table, or be the process that handles one recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="sample recordings; all when none is named")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--alone", choices=_ALONE, help=argparse.SUPPRESS)
    options = parser.parse_args()
    recordings = _recordings(options.names)
    if options.alone:
        ((path, _),) = recordings.values()
        print(json.dumps(_ALONE[options.alone](path, options.rounds)))
        return
    print("\n".join(_HEAD), flush=True)
    ratios = []
    for name, (path, _) in recordings.items():
        timed = _in_a_process(name, "timed", options.rounds)
        if "refused" in timed:
            print(f"| {name} | | {_size(path)} | {timed['refused']} |" + " |" * 7, flush=True)
            continue
        neo, ours = (_in_a_process(name, what, 1)["peak"] for what in ("neo", "import"))
        ratios.append((timed["neo"], timed["import"]))
        print(_line(name, path, timed, neo, ours), flush=True)
    whole = sum(ours for _, ours in ratios) / sum(neo for neo, _ in ratios)
    print(f"\nAll together: {whole:.2f} times neo's reading.")


def _line(name: str, path: Path, timed: dict[str, Any], neo: int, ours: int) -> str:
    return (
        f"| {name} | {timed['reader']} | {_size(path)} | {timed['objects']} | {timed['warnings']} "
        f"| {timed['neo'] * 1e3:.1f} ms | {timed['import'] * 1e3:.1f} ms | {timed['import'] / timed['neo']:.2f} "
        f"| {timed['import_cpu'] / timed['neo_cpu']:.2f} | {neo / 1e6:.0f} MB | {ours / 1e6:.0f} MB |"
    )


def _recordings(names: list[str]) -> dict[str, tuple[Path, Any]]:
    sets = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
    return {
        name: (DATA / facts["path"], facts)
        for name, facts in sets.items()
        if (name in names or not names) and not name.startswith("odml")
    }


def _size(path: Path) -> str:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return f"{sum(file.stat().st_size for file in files) / 1e6:.2f} MB"


def _in_a_process(name: str, what: str, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.import_table", "--alone", what, "--rounds", str(rounds), name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _timed(path: Path, rounds: int) -> dict[str, Any]:
    from gnode_orm.errors import FormatError
    from gnode_orm.files.recordings import open_recording

    try:
        with open_recording(path) as recording:
            reader = recording.reader_name
    except FormatError as error:
        return {"refused": str(error).removeprefix(f"{path}: ")}
    facts: dict[str, Any] = {"reader": reader}
    figures: dict[str, list[float]] = {key: [] for key in ("neo", "neo_cpu", "import", "import_cpu")}
    for turn in range(1 + rounds):
        pairs = {"neo": lambda: _read(path, reader), "import": lambda: _imported(path, facts)}
        for what, work in sorted(pairs.items(), reverse=bool(turn % 2)):
            gc.collect()
            seconds, cpu = work()
            if turn:
                figures[what].append(seconds)
                figures[f"{what}_cpu"].append(cpu)
    return facts | {key: statistics.median(values) for key, values in figures.items()}


def _read(path: Path, reader: str) -> tuple[float, float]:
    from unittest.mock import patch

    from gnode_orm.files import construction, readers

    def read() -> None:
        source = readers.open_source(reader, path)
        for number in range(source.block_count):
            source.read(number)
        source.close()

    as_neo_has_it = patch.dict(construction._MENDED, clear=True)
    with redirect_stdout(StringIO()), as_neo_has_it, patch.object(readers, "read_raw_block", _block_of_neo):
        return _clocked(read)


def _block_of_neo(reader: Any, number: int, *, raw: bool) -> Any:
    """Read a block with its waveforms, or without where there are none, as neo itself does."""
    try:
        return reader.read_block(block_index=number, load_waveforms=True)
    except ValueError:
        return reader.read_block(block_index=number)


def _imported(path: Path, facts: dict[str, Any]) -> tuple[float, float]:
    from gnode_orm import connect
    from gnode_orm.models import MODELS

    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "lab") as lab, lab.session() as session:
        results: list[Any] = []
        clocked = _clocked(lambda: results.append(session.import_file(path)))
        facts["warnings"] = len(results[0].warnings)
        facts["objects"] = sum(session.query(model).count() for model in MODELS.values())
        return clocked


def _clocked(work: Callable[[], object]) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


def _peak_of_neo(path: Path, rounds: int) -> dict[str, Any]:
    from gnode_orm.files.recordings import open_recording

    with open_recording(path, raw=True) as recording:
        reader = recording.reader_name
    _read(path, reader)
    return _peak()


def _peak_of_import(path: Path, rounds: int) -> dict[str, Any]:
    _imported(path, {})
    return _peak()


def _peak() -> dict[str, Any]:
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


_ALONE = {"timed": _timed, "neo": _peak_of_neo, "import": _peak_of_import}

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # neo's own
    logging.disable(logging.CRITICAL)
    main()
