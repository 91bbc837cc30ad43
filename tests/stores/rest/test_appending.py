"""Appending to an array behind a server moves the new rows alone, and shares on its disk what was there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm import AnalogSignalArray
from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.server.additions import discovery
from gnode_orm.session import Session
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.rest.store import RestStore
from tests.stores.rest.growing import FEW, MANY, ROWS, SOME, SPARE, WHOLE, asked, held, new_signal, stored
from tests.stores.rest.serving import Served, served


@pytest.mark.parametrize(
    ("rows", "requests"),
    [
        (FEW, ["extend", "changes"]),
        (SOME, ["extend", "changes"]),
        (MANY, ["begin", "0", "1", "extend", "changes"]),
    ],
)
def test_a_commit_moves_the_new_rows_alone(
    server: Served, session: Session, signal: AnalogSignalArray, rows: Any, requests: list[str]
) -> None:
    since, server.received, server.sent = len(server.requests), 0, 0
    signal.signal = signal.signal.extended((rows, "uV"))
    session.commit()
    assert sorted(asked(server, since)) == sorted(requests)
    assert rows.nbytes <= server.received < rows.nbytes + SPARE
    assert server.sent < SPARE
    assert signal.signal.ref.hash == array_hash(np.concatenate([WHOLE, rows]))
    assert np.array_equal(signal.signal[ROWS - 2 : ROWS + 2].magnitude, np.concatenate([WHOLE[-2:], rows[:2]]))


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[LocalStore, Callable[[], int]]]:
    """A lab, and what tells the bytes that its arrays take."""
    if request.param == "folder":
        lab = open_local(tmp_path / "lab")
        folder = tmp_path / "lab" / "arrays"
        size = lambda: sum(path.stat().st_size for path in folder.rglob("*.npy"))  # noqa: E731
    else:
        lab = open_local(request.getfixturevalue("emptied_postgres"), arrays=request.getfixturevalue("bucket"))
        size = lambda: sum(file.size for file in lab._arrays.files.listed(lambda name: True))  # noqa: E731
    yield lab, size
    lab.close()


def test_the_lab_behind_the_server_keeps_what_was_there_once(kept: tuple[LocalStore, Callable[[], int]]) -> None:
    lab, size = kept
    with served(lab) as server:
        ann = server.by("ann")
        base = stored(ann)
        before = size()
        longer = ann.put_arrays([(base.extended(held(SOME)), "uV")])[0]
        assert before >= WHOLE.nbytes
        assert SOME.nbytes <= size() - before < 2 * SOME.nbytes
        assert np.array_equal(ann.read_array(longer, np.s_[ROWS:]), SOME)
        again = ann.put_arrays([(ArrayHandle.stored(ann, longer).extended(held(MANY)), "uV")])[0]
        # The rows were sent ahead as an array of their own, whose file the longer one shares.
        assert size() - before < 2 * (SOME.nbytes + MANY.nbytes)
        assert again.hash == array_hash(np.concatenate([WHOLE, SOME, MANY]))


def test_many_signals_grow_by_one_request(server: Served, session: Session) -> None:
    signals = [new_signal(WHOLE[start : start + 20_000]) for start in range(120)]
    session.add_all(signals)
    session.commit()
    since, server.received = len(server.requests), 0
    for number, signal in enumerate(signals):
        signal.signal = signal.signal.extended((FEW[number:], "uV"))
    session.commit()
    assert asked(server, since) == ["extend", "extend", "changes"]
    assert server.received < 120 * (FEW.nbytes + SPARE // 4)
    for number, signal in enumerate(signals):
        whole = np.concatenate([WHOLE[number : number + 20_000], FEW[number:]])
        assert signal.signal.ref.hash == array_hash(whole)


def test_several_appends_before_a_commit_are_one(server: Served, session: Session, signal: AnalogSignalArray) -> None:
    since = len(server.requests)
    for number in range(5):
        signal.signal = signal.signal.extended((FEW[number:], "uV"))
    session.commit()
    assert asked(server, since) == ["extend", "changes"]
    assert signal.signal.ref.hash == array_hash(np.concatenate([WHOLE, *(FEW[number:] for number in range(5))]))


def test_rows_that_are_stored_there_are_not_sent(server: Served, ann: RestStore, base: ArrayHandle) -> None:
    for rows in (MANY, FEW):
        handle = stored(ann, rows)
        server.received = server.sent = 0
        longer = ann.put_arrays([(base.extended(handle), "uV")])[0]
        assert longer.hash == array_hash(np.concatenate([WHOLE, rows]))
        assert server.received + server.sent < SPARE


def test_the_whole_is_sent_where_the_server_does_not_have_what_grew(server: Served, ann: RestStore) -> None:
    other = open_local(":memory:")
    for base in (held(WHOLE), stored(other)):
        since = len(server.requests)
        ref = ann.put_arrays([(base.extended(held(FEW)), "uV")])[0]
        assert ref.hash == array_hash(np.concatenate([WHOLE, FEW]))
        assert "extend" not in asked(server, since)
    other.close()


def test_the_whole_is_sent_to_a_server_that_cannot_append(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tuple(name for name in discovery.CAPABILITIES if name != "appending")
    assert len(known) < len(discovery.CAPABILITIES)
    monkeypatch.setattr(discovery, "CAPABILITIES", known)
    store = server.open("ann")
    ref = store.put_arrays([(stored(store).extended(held(FEW)), "uV")])[0]
    assert ref.hash == array_hash(np.concatenate([WHOLE, FEW]))
    assert "extend" not in asked(server)


def test_what_is_small_with_its_new_rows_travels_in_the_change_set(server: Served, session: Session) -> None:
    signal = session.add(new_signal(FEW))
    session.commit()
    since = len(server.requests)
    signal.signal = signal.signal.extended((FEW, "uV"))
    session.commit()
    assert asked(server, since) == ["read", "changes"]
    assert signal.signal.ref.hash == array_hash(np.concatenate([FEW, FEW]))


def test_a_short_array_that_grows_long_is_appended_to(server: Served, ann: RestStore) -> None:
    base = stored(ann, FEW)
    server.received = server.sent = 0
    assert ann.put_arrays([(base.extended(held(MANY)), "uV")])[0].hash == array_hash(np.concatenate([FEW, MANY]))
    assert server.received < MANY.nbytes + SPARE
    assert server.sent < SPARE
