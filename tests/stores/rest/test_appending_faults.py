"""Rows are appended once or not at all, whatever gets lost or is gone on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import orjson
import pytest
import quantities as pq

from gnode_orm import AnalogSignalArray
from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.errors import ConflictError, IntegrityError, StoreUnavailable
from gnode_orm.session import Lab, Session
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.rest.store import RestStore
from tests.stores.rest.growing import FEW, MANY, ROWS, SOME, WHOLE, asked, held, stored
from tests.stores.rest.serving import Fault, Served, cut_after, cut_before, cut_within
from tests.stores.rest.test_faults import FAULTS, HASTY


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("rows", [FEW, SOME, MANY], ids=["few", "some", "many"])
def test_rows_are_appended_once_whatever_is_lost(server: Served, local: LocalStore, fault: str, rows: Any) -> None:
    store = server.open("ann", HASTY)
    base = stored(store)
    server.fault("/extend", FAULTS[fault])
    longer = store.put_arrays([(base.extended(held(rows)), "uV")])[0]
    assert longer.hash == array_hash(np.concatenate([WHOLE, rows]))
    assert asked(server).count("extend") == 2
    assert np.array_equal(store.read_array(longer, np.s_[ROWS:]), rows)


@pytest.mark.parametrize("fault", [cut_before, cut_after, cut_within])
def test_a_commit_that_is_given_up_is_done_by_the_next(
    server: Served, session: Session, signal: AnalogSignalArray, fault: Fault
) -> None:
    signal.signal = signal.signal.extended((MANY, "uV"))
    for _ in range(4):
        server.fault("/extend", fault)
    with pytest.raises(StoreUnavailable, match="given up after 4 attempts"):
        session.commit()
    assert session.plan().counts() == {"change AnalogSignalArray": 1}
    session.commit()
    assert len(session.history(signal)) == 2
    assert signal.signal.ref.hash == array_hash(np.concatenate([WHOLE, MANY]))


@pytest.mark.parametrize(
    "arrays",
    [
        None,
        [],
        [["00" * 32, "<i2", [ROWS + 1_000, 4]]] * 2,
        [["00" * 31, "<i2", [ROWS + 1_000, 4]]],
        [["00" * 32, "<i4", [ROWS + 1_000, 4]]],
        [["00" * 32, "<i2", [ROWS, 4]]],
        [["00" * 32, "<i2"]],
        [[]],
        [7],
        [None],
    ],
)
def test_an_answer_that_is_not_what_the_rows_give_is_not_taken(
    server: Served, ann: RestStore, base: ArrayHandle, arrays: Any
) -> None:
    def say(exchange: Any) -> None:
        body = orjson.dumps({"arrays": arrays})
        exchange.status, exchange.head = 200, [(b"Content-Length", str(len(body)).encode())]
        exchange.send_head()
        exchange.handler.wfile.write(body)
        exchange.drop()

    server.fault("/extend", say)
    with pytest.raises(StoreUnavailable, match="other arrays than"):
        ann.put_arrays([(base.extended(held(FEW)), "uV")])


def age_and_collect(local: LocalStore) -> None:
    with local._database.write() as transaction:
        transaction.run('UPDATE "array" SET touched = 0')
    collector = local.collector(timedelta(0))
    collector.remove(collector.find())


def test_an_array_that_was_removed_is_not_appended_to(local: LocalStore, ann: RestStore, base: ArrayHandle) -> None:
    longer = base.extended(held(FEW))
    age_and_collect(local)
    with pytest.raises(IntegrityError, match=f"{base.ref.hash.hex()}.* is not in the lab"):
        ann.put_arrays([(longer, "uV")])


@pytest.mark.parametrize("moment", ["/extend", "/changes"])
def test_what_is_removed_on_the_way_is_sent_again(
    server: Served, local: LocalStore, session: Session, signal: AnalogSignalArray, moment: str
) -> None:
    def remove_first(exchange: Any) -> None:
        age_and_collect(local)
        exchange.handle()

    signal.signal = signal.signal.extended((MANY, "uV"))
    since = len(server.requests)
    server.fault(moment, remove_first)
    session.commit()
    assert asked(server, since).count("extend") == 2
    assert session.plan().counts() == {}
    age_and_collect(local)
    assert np.array_equal(signal.signal[ROWS:].magnitude, MANY)


def test_a_deleted_signal_is_not_appended_to(server: Served, session: Session, signal: AnalogSignalArray) -> None:
    other = Lab(server.by("ann"), "ann").session()
    other.delete(other.get(signal.location))
    other.commit()
    base = signal.signal
    signal.signal = base.extended((FEW, "uV"))
    with pytest.raises(ConflictError, match="deleted there"):
        session.commit()
    session.rollback()
    # What was deleted stands in the past, and its samples may go on elsewhere.
    other_signal = session.add(AnalogSignalArray(base.extended((FEW, "uV")), sampling_rate=1 * pq.kHz))
    since = len(server.requests)
    session.commit()
    assert asked(server, since) == ["extend", "changes"]
    assert other_signal.signal.ref.hash == array_hash(np.concatenate([WHOLE, FEW]))


def test_two_who_append_to_one_signal_learn_of_each_other(
    server: Served, session: Session, signal: AnalogSignalArray
) -> None:
    other = Lab(server.by("ann"), "ann").session()
    theirs = other.get(signal.location)
    theirs.signal = theirs.signal.extended((MANY, "uV"))
    other.commit()
    signal.signal = signal.signal.extended((FEW, "uV"))
    with pytest.raises(ConflictError) as caught:
        session.commit()
    caught.value.resolve("mine")
    session.commit()
    other.refresh(theirs)
    assert theirs.signal.ref.hash == array_hash(np.concatenate([WHOLE, FEW]))
