"""The figures as a picture: each contestant's median beside ours, one panel a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.figures import shown

# Bars that differ by more are drawn on a logarithmic scale.
_FAR = 30


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
    bars = panel.barh(names, medians, color=["tab:blue" if mine else "tab:gray" for mine in ours])
    panel.bar_label(bars, [shown(median, row["unit"]) for median in medians], padding=3, fontsize=8)
    if max(medians) > _FAR * min(medians):
        panel.set_xscale("log")
        panel.set_xlim(min(medians) / 3, max(medians) * 8)
    else:
        # From nothing on, so that the lengths of bars compare as the figures do.
        panel.set_xlim(0, max(medians) * 1.25)
    panel.invert_yaxis()
    panel.set_xticks([])
    panel.minorticks_off()
    panel.set_title(row["name"] + (" (logarithmic)" if panel.get_xscale() == "log" else ""), fontsize=10, loc="left")
    panel.tick_params(labelsize=8)
