"""The table in the terminal, and the same as JSON."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import shown
from benchmarks.measuring import Result
from benchmarks.plot import draw

_PACKAGES = ("gnode-orm", "numpy", "pydantic", "SQLAlchemy", "sqlmodel", "datajoint", "h5py", "nixio", "pynwb", "neo")


def text_of(result: Result) -> str:
    """Show a row: each contestant's median and spread, then what was to be reached."""
    row = result.row
    lines = [f"{row.name}: {row.work}"]
    ours = statistics.median(next(iter(result.figures.values()))) if result.figures else 0.0
    for name, figures in result.figures.items():
        median = statistics.median(figures)
        ratio = f"{median / ours:8.2f} x" if ours else ""
        best = shown(min(figures), row.unit)
        lines.append(
            f"  {name:<36} {shown(median, row.unit):>8} {ratio}  best {best:>8}  spread {spread(figures):4.0%}"
        )
    lines += [f"  {name:<36} skipped: {reason}" for name, reason in result.skipped.items()]
    for reach in row.reaches:
        value = reach.value(result.figures)
        if value is not None:
            verdict = "" if reach.is_free else "reached" if reach.reached(value) else "NOT REACHED"
            lines.append(f"  -> {reach}: {reach.shown(value)}  {verdict}")
    return "\n".join(lines)


def spread(figures: list[float]) -> float:
    """Give the range of the middle half of the rounds over their median."""
    low, _, high = statistics.quantiles(figures, n=4)
    middle = statistics.median(figures)
    return (high - low) / middle if middle else 0.0


def as_json(results: list[Result], *, quick: bool) -> dict[str, Any]:
    """Give everything measured as plain data."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "packages": _versions(),
        "rows": [_row_json(result) for result in results],
    }


def write(results: list[Result], folder: Path, *, quick: bool) -> None:
    """Write ``benchmarks.json``, and ``benchmarks.svg`` where matplotlib is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    data = as_json(results, quick=quick)
    (folder / "benchmarks.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    if importlib.util.find_spec("matplotlib") is not None:
        draw(data, folder / "benchmarks.svg")


def _row_json(result: Result) -> dict[str, Any]:
    row = result.row
    reaches = [(reach, reach.value(result.figures)) for reach in row.reaches]
    return {
        "name": row.name,
        "work": row.work,
        "unit": row.unit,
        "contestants": {
            name: {
                "median": statistics.median(figures),
                "best": min(figures),
                "spread": spread(figures),
                "rounds": figures,
            }
            for name, figures in result.figures.items()
        },
        "skipped": result.skipped,
        "reaches": [
            {"reach": str(reach), "value": value, "shown": reach.shown(value), "reached": reach.reached(value)}
            for reach, value in reaches
            if value is not None
        ],
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
