"""Rows appended to a stored array make a longer one, in every store, by hand and by sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignalArray
from gnode_orm.core.arrayhash import LEAF, array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.streamed import ExtendedArray
from gnode_orm.errors import ValidationFailed
from gnode_orm.session import Lab
from tests.stores.rest.serving import EveryUser

FEW, LEAFLESS, MANY = 100, 40_000, LEAF // 8 + 12_345


def of_ann(store: Any) -> Any:
    """The store itself: behind a server, the one of a single user."""
    return store.served.by("ann") if type(store) is EveryUser else store


def samples(rows: int) -> Any:
    return np.random.default_rng(rows).integers(-1000, 1000, (rows, 4), dtype=np.int16)


def held(array: Any) -> ArrayHandle:
    return ArrayHandle.in_memory(array, None).with_unit("uV")


@pytest.mark.parametrize("base", [0, FEW, LEAFLESS, MANY])
@pytest.mark.parametrize("rows", [0, FEW, LEAFLESS])
def test_a_longer_array_is_the_one_that_is_stored_at_once(store: Any, base: int, rows: int) -> None:
    store = of_ann(store)
    whole = samples(base + rows)
    first = store.put_arrays([(held(whole[:base]), "uV")])[0]
    longer = ArrayHandle.stored(store, first).extended(held(whole[base:]))
    refs = store.put_arrays([(longer, "uV"), (held(whole[:FEW]), "mV"), (longer, None)])
    assert refs[0] == ArrayRef(array_hash(whole), whole.dtype.str, whole.shape, "uV")
    assert (refs[2].hash, refs[2].unit) == (refs[0].hash, None)
    assert (refs[1].hash, refs[1].unit) == (array_hash(whole[:FEW]), "mV")
    assert np.array_equal(store.read_array(refs[0]), whole)
    assert np.array_equal(store.read_array(refs[0], np.s_[base // 2 :, 1]), whole[base // 2 :, 1])
    assert np.array_equal(store.read_array(first), whole[:base])
    assert store.put_arrays([(longer, "uV")]) == refs[:1]


@pytest.mark.parametrize("step", [FEW, LEAFLESS])
def test_an_array_grows_commit_after_commit(store: Any, step: int) -> None:
    whole = samples(LEAFLESS + 4 * step)
    with Lab(of_ann(store), "ann").session() as session:
        signal = AnalogSignalArray((whole[:LEAFLESS], "uV"), sampling_rate=1 * pq.kHz, t_start=0 * pq.s)
        session.add(signal)
        session.commit()
        for begin in range(LEAFLESS, len(whole), 2 * step):
            for start in (begin, begin + step):
                signal.signal = signal.signal.extended((whole[start : start + step], "uV"))
            session.commit()
        again = session.lab.session().get(signal.location)
        assert again is not None
        assert again.signal.shape == whole.shape
        assert np.array_equal(again.signal.magnitude, whole)


def test_a_stored_array_is_appended_to_another(store: Any) -> None:
    store = of_ann(store)
    whole = samples(2 * LEAFLESS)
    refs = store.put_arrays([(held(whole[:LEAFLESS]), "uV"), (held(whole[LEAFLESS:]), "uV")])
    first, second = (ArrayHandle.stored(store, ref) for ref in refs)
    longer = store.put_arrays([(first.extended(second), "uV")])[0]
    assert longer.hash == array_hash(whole)
    assert np.array_equal(store.read_array(longer, np.s_[-5:]), whole[-5:])


def test_rows_that_are_appended_one_by_one_are_read_and_relabelled_together() -> None:
    whole = samples(3_000)
    handle = held(whole[:1])
    for start in range(1, len(whole)):
        handle = handle.extended((whole[start : start + 1], "uV"))
    assert isinstance(handle, ExtendedArray)
    assert np.array_equal(handle[998:1_005].magnitude, whole[998:1_005])
    assert np.array_equal(handle.with_unit("mV").magnitude, whole)
    assert np.array_equal(np.concatenate(list(handle.chunks())), whole)


def test_a_single_value_is_no_row() -> None:
    with pytest.raises(ValidationFailed, match="cannot be appended"):
        held(np.zeros(2, np.int16)).extended((np.int16(1), "uV"))


def test_rows_that_many_append_at_once_give_one_array(store: Any) -> None:
    store = of_ann(store)
    whole = samples(LEAFLESS + FEW)
    longer = ArrayHandle.stored(store, store.put_arrays([(held(whole[:LEAFLESS]), "uV")])[0])
    longer = longer.extended(held(whole[LEAFLESS:]))
    with ThreadPoolExecutor(4) as pool:
        refs = list(pool.map(lambda _: store.put_arrays([(longer, "uV")])[0], range(8)))
    assert {ref.hash for ref in refs} == {array_hash(whole)}
    assert np.array_equal(store.read_array(refs[0]), whole)
