"""The command ``plot``: a picture of a signal, a spike train, or a segment with all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gnode_orm.cli.failures import WrongUse
from gnode_orm.cli.lab_access import find, location_of, open_session
from gnode_orm.cli.options import LabOption, LocationArgument, UserOption
from gnode_orm.cli.output import say
from gnode_orm.cli.values import name_of, short
from gnode_orm.errors import StoreUnavailable, UnsupportedByStore

_PLOTTED = ("analogsignal", "analogsignalarray", "irregularlysampledsignal", "spiketrain")
_SUFFIXES = (".png", ".svg", ".pdf")

OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="A .png, .svg or .pdf file; without it ./<kind>-<id>.png.",
        show_default=False,
    ),
]  # fmt: skip


def plot(
    location: LocationArgument, output: OutputOption = None, lab: LabOption = None, user: UserOption = None
) -> None:
    """Draw a signal or a spike train into a file; of a long recording the extremes are drawn."""
    address = location_of(location)
    if address.kind not in _PLOTTED:
        raise WrongUse(
            f"{short(address)} is of kind {address.kind}; a signal or spike train can be plotted. gnode-orm show "
            f"{short(address)} lists what hangs below it"
        )
    path = output or Path(f"{address.kind}-{address.id}.png")
    if path.suffix.lower() not in _SUFFIXES:
        raise WrongUse(f"{path}: {path.suffix or 'no suffix'!r} is no picture; use one of {', '.join(_SUFFIXES)}")
    with open_session(lab, user, readonly=True) as session:
        obj = find(session, location)
        _draw(obj, path)
    say(f"Drew {short(address)} {name_of(obj)} to {path}")


def _draw(obj: Any, path: Path) -> None:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UnsupportedByStore("Plots need matplotlib: pip install 'gnode-orm[plot]'") from error
    # A figure of its own, as pyplot would look for a display.
    figure: Any = Figure(figsize=(8, 3), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    obj.plot(axes)
    axes.set_title(_title(obj), fontsize="medium", loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.margins(x=0)
    try:
        figure.savefig(path)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror or error}") from error


def _title(obj: Any) -> str:
    segment = obj.segment
    above = [] if segment is None else [name_of(segment)]
    return " · ".join(part for part in (*above, name_of(obj) or short(obj.location)) if part)
