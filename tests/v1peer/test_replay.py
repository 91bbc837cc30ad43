"""The peer with every defect is the original server, as far as it was recorded."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from gnode_orm.stores.local import open_local
from tests.server.replaying import (
    PASSWORD,
    USERS,
    Replay,
    address_of,
    body_of,
    compared,
    exchanges,
    on_the_day_of_the_recording,
)
from tests.server.test_replay import listed_exchanges
from tests.v1peer.defects import ALL, DEFECTS
from tests.v1peer.evidence import ORDERED, REMAINING, SHOWN_BY, VALUES, keys
from tests.v1peer.peer import Peer

Key = tuple[str, int]
REMAIN = set[Key]().union(*map(keys, REMAINING))


@dataclass
class Replayed:
    """What came of sending every recorded exchange again.

    Attributes:
        otherwise: exchanges whose status or shape is another one.
        disordered: exchanges whose list has another order.
        values: members of answers, by defect: then and now.
        members: members that have another value, with an exchange for each.
    """

    otherwise: set[Key] = field(default_factory=set)
    disordered: set[Key] = field(default_factory=set)
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    members: dict[str, Key] = field(default_factory=dict)

    def add(self, key: Key, replay: Replay, exchange: dict[str, Any], answer: httpx.Response) -> None:
        if compared(replay, exchange, answer):
            self.otherwise.add(key)
        then, now = parsed(replay.renamed(body_of(exchange["response"]))), parsed(answer.content)
        if ids(then) and len(ids(then)) == len(ids(now)) and ids(then) != ids(now):
            self.disordered.add(key)
        if None not in (then, now) and key not in REMAIN and exchange["topic"] != "02_schema":
            self.members.update((path, key) for path in other_values(then, now))
        for defect, (topic, number, name) in VALUES.items():
            if key == (topic, number):
                self.values[defect] = repr(then[name]), repr(now[name])


def parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def other_values(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """Members of two answers of one shape that have another value, but for what is new with every version."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in then.keys() & now.keys() - {"guid", "date_created", "error"}:
            yield from other_values(then[key], now[key], f"{path}.{key}")
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for one, other in zip(sorted(then, key=address_of), sorted(now, key=address_of), strict=True):
            yield from other_values(one, other, f"{path}[]")
    elif repr(then) != repr(now) and not isinstance(then, list):
        yield path


def ids(value: Any) -> list[str]:
    listed = value.get("selected") if isinstance(value, dict) else None
    return [item["id"] for item in listed] if isinstance(listed, list) else []


@on_the_day_of_the_recording()
def replayed(transcripts: Path, defects: Collection[str]) -> Replayed:
    """Send every recorded exchange again, to a peer with some defects."""
    store = open_local(":memory:")
    for user in USERS.values():
        store.accounts.add(user, PASSWORD)
    peer, found = Peer(store, defects), Replayed()
    replay = Replay(peer)
    for file in sorted(transcripts.glob("*.jsonl")):
        peer.debug = file.stem != "18_errors_debug0"
        for exchange in exchanges(file):
            key = exchange["topic"], exchange["n"]
            if key == ("10_paging_ordering", 9):
                replay.make_up(exchange)
            found.add(key, replay, exchange, replay.send(exchange))
    replay.client.close()
    store.close()
    return found


@pytest.fixture(scope="module")
def original(transcripts: Path) -> Replayed:
    """The peer with every defect that was observed."""
    return replayed(transcripts, ALL)


@pytest.fixture(scope="module")
def without(transcripts: Path) -> Replayed:
    """The peer without any."""
    return replayed(transcripts, ())


def test_the_original_is_met_but_for_what_is_listed(original: Replayed) -> None:
    assert original.otherwise == REMAIN


def test_every_value_is_that_of_the_original_but_for_those_of_its_accounts(original: Replayed) -> None:
    accounts = {f"{path}.{name}" for path in ("", ".objects[]") for name in ("id", "first_name", "last_name")}
    assert {path: key for path, key in original.members.items() if path not in accounts} == {}


def test_nearly_all_that_our_page_announces_as_other_is_as_it_was(original: Replayed) -> None:
    announced = set(listed_exchanges())
    assert len(announced) > 200
    assert announced & original.otherwise == announced & REMAIN


@pytest.mark.parametrize("defect", sorted(SHOWN_BY))
def test_a_defect_is_seen_in_the_exchanges_that_are_named(defect: str, original: Replayed, without: Replayed) -> None:
    named = keys(SHOWN_BY[defect])
    assert not named & original.otherwise
    assert named <= without.otherwise


@pytest.mark.parametrize("defect", sorted(VALUES))
def test_a_defect_is_seen_in_a_value(defect: str, original: Replayed, without: Replayed) -> None:
    then, now = original.values[defect]
    assert then == now
    then, now = without.values[defect]
    assert then != now


def test_heap_order_is_the_order_of_the_recorded_lists(original: Replayed, without: Replayed) -> None:
    assert not keys(ORDERED) & original.disordered
    assert keys(ORDERED) <= without.disordered


def test_evidence_is_of_defects_that_there_are() -> None:
    assert {*SHOWN_BY, *VALUES} <= set(DEFECTS)
