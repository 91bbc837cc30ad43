from __future__ import annotations

import numpy as np
import pytest

from gnode_orm import AnalogSignal, Session

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("kind", "least"), [("analogsignal", 2000), ("spiketrain", 2000)])
def test_a_png_has_something_drawn_in_it(run, filled_lab, listed, tmp_path, kind, least):
    from matplotlib.image import imread

    item = listed(filled_lab, kind)[0]
    path = tmp_path / "plot.png"
    result = run("plot", item["location"], "-o", path, "--lab", filled_lab)
    assert result.exit_code == 0, result.output
    picture = imread(path)[..., :3]
    # The lines are blue, and axes and letters black on white.
    blue = (picture[..., 2] > picture[..., 0] + 0.2).sum()
    assert blue > least


def test_an_svg_is_drawn(run, filled_lab, listed, tmp_path):
    item = listed(filled_lab, "analogsignal")[0]
    path = tmp_path / "plot.svg"
    assert run("plot", item["location"], "-o", path, "--lab", filled_lab).exit_code == 0
    assert path.read_text().lstrip().startswith("<?xml")
    assert path.read_text().count("<path") > 5


def test_a_long_signal_takes_no_larger_picture_than_a_short_one(run, tmp_path):
    with Session(tmp_path / "lab") as session:
        signals = [
            AnalogSignal((np.sin(np.arange(count) / 900).astype("f4"), "mV"), sampling_rate="20 kHz", name="s")
            for count in (20_000, 2_000_000)
        ]
        session.add_all(signals)
        session.commit()
        locations = [signal.location for signal in signals]
    sizes = []
    for number, location in enumerate(locations):
        path = tmp_path / f"{number}.svg"
        assert run("plot", location, "-o", path, "--lab", tmp_path / "lab").exit_code == 0
        sizes.append(path.stat().st_size)
    assert sizes[1] < 2 * sizes[0]


def test_without_a_name_the_picture_is_called_after_the_location(run, filled_lab, listed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    item = listed(filled_lab, "spiketrain")[0]
    assert run("plot", item["location"], "--lab", filled_lab).exit_code == 0
    assert (tmp_path / f"spiketrain-{item['id']}.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_wrong_use(run, filled_lab, listed, tmp_path):
    block = listed(filled_lab, "block")[0]
    result = run("plot", block["location"], "--lab", filled_lab)
    assert result.exit_code == 2
    assert "is of kind block; a signal or spike train can be plotted" in result.stderr
    signal = listed(filled_lab, "analogsignal")[0]
    result = run("plot", signal["location"], "-o", tmp_path / "plot.txt", "--lab", filled_lab)
    assert result.exit_code == 2
    assert ".png, .svg, .pdf" in result.stderr


def test_a_folder_that_is_not_there_is_told(run, filled_lab, listed, tmp_path):
    signal = listed(filled_lab, "analogsignal")[0]
    result = run("plot", signal["location"], "-o", tmp_path / "nowhere" / "plot.png", "--lab", filled_lab)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_a_long_constant_signal_can_be_seen(run, tmp_path):
    from matplotlib.image import imread

    with Session(tmp_path / "lab") as session:
        signal = session.add(AnalogSignal((np.zeros(50_000, "f4"), "mV"), sampling_rate="20 kHz", name="s"))
        session.commit()
        location = signal.location
    assert run("plot", location, "-o", tmp_path / "plot.png", "--lab", tmp_path / "lab").exit_code == 0
    picture = imread(tmp_path / "plot.png")
    assert (picture[..., 2] > picture[..., 0] + 0.2).sum() > 800
