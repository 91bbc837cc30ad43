"""What the units of quantities are while a reader runs is what they are otherwise."""

from __future__ import annotations

import pytest
import quantities as pq
import quantities.quantity as module

from gnode_orm.files import unit_lookups
from gnode_orm.files.unit_lookups import units_looked_up_once


class Counting:
    """A registry that tells what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, label):
        self.asked.append(label)
        return pq.unit_registry[label]


def test_a_name_stands_for_the_same_unit_inside_and_outside() -> None:
    before = pq.unit_registry["mV"]
    with units_looked_up_once():
        assert pq.Quantity(1.0, "mV").units == before
        assert module.unit_registry["mV"] is before
        with units_looked_up_once():
            assert module.unit_registry["mV"] is before
        assert module.unit_registry["mV"] is before


def test_a_name_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Counting()
    monkeypatch.setattr(unit_lookups, "_remembering", unit_lookups._Remembering(registry))
    with units_looked_up_once():
        for label in ("kHz", "kHz", "mV/ms", "mV/ms"):
            pq.Quantity(1.0, label)
    pq.Quantity(1.0, "kHz")
    assert registry.asked.count("kHz") == 1
    assert registry.asked.count("mV/ms") == 2


def test_an_expression_gives_an_object_of_its_own() -> None:
    with units_looked_up_once():
        assert module.unit_registry["mV/ms"] is not module.unit_registry["mV/ms"]


def test_a_unit_that_is_registered_meanwhile_is_found() -> None:
    with units_looked_up_once():
        with pytest.raises(LookupError, match="furlong_of_tests"):
            pq.Quantity(1.0, "furlong_of_tests")
        unit = pq.UnitLength("furlong_of_tests", 201.168 * pq.m)
        assert pq.Quantity(1.0, "furlong_of_tests").units == unit


def test_the_registry_is_as_before_after_an_error() -> None:
    with pytest.raises(SyntaxError), units_looked_up_once():
        pq.Quantity(1.0, "°C")
    assert module.unit_registry is pq.unit_registry
