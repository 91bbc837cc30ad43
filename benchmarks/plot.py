"""The figures as a picture: each contestant's median beside ours, one panel a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw(data: dict[str, Any], path: Path) -> None:
    """Draw what ``report.as_json`` gave as an SVG file."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    rows = [row for row in data["rows"] if row["contestants"]]
    columns = 3
    lines = -(-len(rows) // columns)
    figure, panels = plt.subplots(lines, columns, figsize=(16, 2.2 * lines), squeeze=False, layout="constrained")
    for panel in panels.flat[len(rows) :]:
        panel.set_axis_off()
    for panel, row in zip(panels.flat, rows, strict=False):
        _panel(panel, row)
    figure.savefig(path)
    plt.close(figure)


def _panel(panel: Any, row: dict[str, Any]) -> None:
    names = list(row["contestants"])
    medians = [row["contestants"][name]["median"] for name in names]
    ours = [name.startswith("ours") for name in names]
    panel.barh(names, medians, color=["tab:blue" if mine else "tab:gray" for mine in ours], log=True)
    panel.invert_yaxis()
    panel.set_title(f"{row['name']} ({row['unit']})", fontsize=10, loc="left")
    panel.tick_params(labelsize=8)
