"""Units as other programs spell them."""

from __future__ import annotations

import warnings

import pytest

from gnode_orm.files.foreign_units import foreign_unit


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mV", "mV"),
        ("volts", "V"),
        ("Volts", "V"),
        ("VOLTS", "V"),
        ("MΩ", "megaohm"),
        ("k\u2126", "kiloohm"),
        ("MOhms", "megaohm"),
        ("Megaohm", "megaohm"),
        ("millivolts", "mV"),
        ("µV", "uV"),
        ("μs", "us"),
        ("Kelvin", "K"),
        ("", "dimensionless"),
        ("n/a", "dimensionless"),
    ],
)
def test_another_way_to_write_a_unit_is_read(text: str, meant: str) -> None:
    assert foreign_unit(text)[0].dimensionality.string == meant


@pytest.mark.case(26)
@pytest.mark.parametrize(("text", "meant"), [("Khz", "kHz"), ("KHZ", "kHz"), ("msec", "ms"), ("uv", "uV")])
def test_a_guess_is_told(text: str, meant: str) -> None:
    with pytest.warns(UserWarning, match=f"unit '{text}' is taken for {meant}"):
        assert foreign_unit(text)[0].dimensionality.string == meant


@pytest.mark.parametrize("text", ["a.u.", "samples", "MV/", "9**9**9", "10*ms"])
def test_what_is_no_unit_is_kept_as_text_beside_none(text: str) -> None:
    with pytest.warns(UserWarning, match="is unknown: kept as dimensionless"):
        unit, original = foreign_unit(text)
    assert (unit.dimensionality.string, original) == ("dimensionless", text)


def test_a_prefix_is_never_made_another_one() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert all(foreign_unit(text)[0].dimensionality.string == "dimensionless" for text in ("MVOLTS", "mOHMS"))
