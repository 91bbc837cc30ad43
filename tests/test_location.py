from __future__ import annotations

import pickle

import pytest

from gnode_orm.errors import ValidationFailed
from gnode_orm.location import NAMESPACES, Location

PATH = "/api/v1/electrophysiology/block/2DFA548ESC/"


@pytest.mark.parametrize(
    "text",
    [
        PATH,
        PATH.rstrip("/"),
        PATH.lstrip("/"),
        "http://gnode.example:8000" + PATH,
        "https://gnode.example" + PATH,
        "https://gnode.example/behind/a/proxy" + PATH,
        "electrophysiology/block/2DFA548ESC",
        "/electrophysiology/block/2DFA548ESC/",
        "block/2DFA548ESC",
        "block/2DFA548ESC/",
    ],
)
def test_full_addresses_and_short_forms_are_one_location(text: str) -> None:
    location = Location(text)
    assert location == PATH
    assert (location.namespace, location.kind, location.id) == ("electrophysiology", "block", "2DFA548ESC")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a location"),
        ("2DFA548ESC", "is not a location"),
        ("block/2DFA548ESC?x=1", "is not a location"),
        ("block//2DFA548ESC", "is not a location"),
        ("block/2DFA548ESC/segments/", "is not a location"),
        ("blokc/2DFA548ESC", "did you mean 'block'"),
        ("metadata/block/2DFA548ESC", "belongs to the namespace 'electrophysiology'"),
        ("block/2dfa548esc", "is not an id"),
        ("block/5", "is not an id"),
        (None, "is not a location"),
        (5, "is not a location"),
    ],
)
def test_what_is_no_location_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ValidationFailed, match=message):
        Location(text)


@pytest.mark.parametrize("kind", NAMESPACES)
def test_every_kind_has_locations(kind: str) -> None:
    location = Location.of(kind, "2DFA548ESC")
    assert Location(location) is location
    assert Location(f"{kind}/2DFA548ESC") == location
    assert Location.of_number(kind, location.number) == location


def test_there_are_eighteen_kinds_in_two_namespaces() -> None:
    assert len(NAMESPACES) == 18
    assert set(NAMESPACES.values()) == {"metadata", "electrophysiology"}


def test_a_location_is_text_and_says_what_it_is() -> None:
    location = Location(PATH)
    assert isinstance(location, str)
    assert repr(location) == f"Location({PATH!r})"
    assert hash(location) == hash(PATH)


def test_a_location_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(Location(PATH)))
    assert type(again) is Location
    assert again == PATH
