"""What the registry of units answers while a reader runs is what it answers otherwise."""

from __future__ import annotations

import pytest
import quantities as pq

from gnode_orm.files.unit_lookups import units_looked_up_once


def test_a_name_stands_for_the_same_unit_inside_and_outside() -> None:
    before = pq.unit_registry["mV"]
    with units_looked_up_once():
        assert pq.unit_registry["mV"] is pq.unit_registry["mV"] is before
        with units_looked_up_once():
            assert pq.unit_registry["mV"] is before
    assert pq.unit_registry["mV"] is before


def test_a_name_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    parse = type(pq.unit_registry).__getitem__
    monkeypatch.setattr("gnode_orm.files.unit_lookups._known", {})
    monkeypatch.setattr(
        type(pq.unit_registry), "__getitem__", lambda self, label: asked.append(label) or parse(self, label)
    )
    with units_looked_up_once():
        for label in ("kHz", "kHz", "mV/ms", "mV/ms"):
            pq.Quantity(1.0, label)
    pq.Quantity(1.0, "kHz")
    assert asked.count("kHz") == 2
    assert asked.count("mV/ms") == 2


def test_an_expression_gives_an_object_of_its_own() -> None:
    with units_looked_up_once():
        assert pq.unit_registry["mV/ms"] is not pq.unit_registry["mV/ms"]


def test_a_unit_that_is_registered_meanwhile_is_found() -> None:
    with units_looked_up_once():
        with pytest.raises(LookupError, match="furlong_of_tests"):
            pq.unit_registry["furlong_of_tests"]
        unit = pq.UnitLength("furlong_of_tests", 201.168 * pq.m)
        assert pq.unit_registry["furlong_of_tests"] is unit


def test_the_registry_is_as_before_after_an_error() -> None:
    before = type(pq.unit_registry).__getitem__
    with pytest.raises(SyntaxError), units_looked_up_once():
        pq.unit_registry["°C"]
    assert type(pq.unit_registry).__getitem__ is before
