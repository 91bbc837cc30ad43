"""A hash opens an array to those who sent it or may read an object that has it, and to nobody else."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Segment
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import ConflictError, IntegrityError, NotFound
from gnode_orm.session import Lab
from tests.stores.rows import create, inline, version
from tests.stores.test_arrays import Pieces

LARGE = np.arange(20_000.0)
SMALL = np.arange(5.0)


def block_with(store, ref, **arrays):
    block = create(store, "block")
    segment = create(store, "segment", block=block)
    return block, create(store, "analogsignal", segment=segment, signal=ref, **arrays)


@pytest.fixture(params=["large", "small"])
def ref(request, server):
    """An array of ann's private block; gives the block too."""
    ann = server.by("ann")
    if request.param == "large":
        found = ann.put_arrays([(Pieces(LARGE, 5_000), "mV")])[0]
        block, _ = block_with(ann, found)
    else:
        found, data = inline(SMALL, "mV")
        block, _ = block_with(ann, found, arrays=data)
    return found, block


def test_a_hash_alone_opens_nothing(server, ref):
    found, _ = ref
    ben = server.by("ben")
    with pytest.raises(NotFound, match="is not in the lab"):
        ben.read_array(found)
    with pytest.raises(IntegrityError, match="is not in the lab"):
        create(ben, "analogsignal", by="ben", signal=found)


def test_wrong_bytes_beside_a_hash_open_nothing(server, ref):
    found, _ = ref
    ben = server.by("ben")
    with pytest.raises(IntegrityError, match="do not match its hash"):
        create(ben, "analogsignal", by="ben", signal=found, arrays={found.hash: b"\0" * min(found.nbytes, 60_000)})


def test_who_sends_the_same_content_may_have_it(server, ref):
    found, _ = ref
    ben = server.by("ben")
    array = LARGE if found.nbytes > ben.inline_limit else SMALL
    assert ben.put_arrays([(Pieces(array, 5_000), "mV")])[0].hash == found.hash
    create(ben, "analogsignal", by="ben", signal=found)
    assert np.array_equal(ben.read_array(found), array)


def test_sharing_opens_and_closes_at_once(server, ref):
    found, block = ref
    ann, ben = server.by("ann"), server.by("ben")
    ann.set_access("block", block, {"ben": "read"}, "ann")
    assert ben.read_array(found).shape == found.shape
    create(ben, "analogsignal", by="ben", signal=found)
    ann.set_access("block", block, {}, "ann")
    # The copy that ben made of it is his.
    assert ben.read_array(found).shape == found.shape
    with pytest.raises(NotFound):
        server.by("eve").read_array(found)


def test_another_shape_than_the_array_has_is_refused(server, ref):
    found, _ = ref
    ann = server.by("ann")
    ann._sightings._places.clear()  # looked for everywhere
    for dtype, shape in (("<f8", (found.shape[0] // 5, 5)), ("<i8", found.shape), ("<f8", (10**9,))):
        with pytest.raises(IntegrityError, match="is not in the lab"):
            create(ann, "analogsignal", signal=ArrayRef(found.hash, dtype, shape, "mV"))
    assert ann.read_array(found).shape == found.shape


def test_two_users_who_edit_a_shared_block_learn_of_each_other(server):
    ann, ben = (Lab(server.by(user), user).session() for user in ("ann", "ben"))
    block = Block("x")
    signal = AnalogSignal(np.arange(30_000) * pq.mV, sampling_rate=1 * pq.kHz, t_start=0 * pq.s)
    segment = Segment("s", block=block)
    signal.segment = segment
    ann.add(block)
    ann.commit()
    ann.share(block, "ben", "write")
    theirs = ben.query(Block).one()
    theirs.name = "ben's"
    ben.commit()
    block.name = "ann's"
    with pytest.raises(ConflictError) as caught:
        ann.commit()
    (conflict,) = caught.value.conflicts
    assert (conflict.base, conflict.mine, conflict.theirs, conflict.user) == ("x", "ann's", "ben's", "ben")
    caught.value.resolve("mine")
    ann.commit()
    ben.refresh(theirs)
    assert theirs.name == "ann's"
    assert theirs.segments[0].analogsignals[0].signal[10:12].tolist() == [10, 11]
    assert version(server.store, "block", block.location.number, "ann")


def test_an_overview_of_a_long_signal_travels_without_its_samples(server):
    ann = Lab(server.by("ann"), "ann").session()
    samples = np.sin(np.arange(2_000_000) / 1000).astype("<f4")
    signal = AnalogSignal(samples * pq.mV, sampling_rate=20 * pq.kHz, t_start=0 * pq.s)
    ann.add(signal)
    ann.commit()
    server.sent = 0
    overview = signal.downsample(100)
    assert server.sent < 40_000
    assert overview.minimum.shape == (100,)
    assert float(overview.maximum.max()) == pytest.approx(samples.max())


def test_a_stretch_of_a_signal_is_one_small_request(server):
    ann = Lab(server.by("ann"), "ann").session()
    signal = AnalogSignal(np.arange(500_000.0) * pq.mV, sampling_rate=1 * pq.kHz, t_start=0 * pq.s)
    ann.add(signal)
    ann.commit()
    server.sent, asked = 0, len(server.requests)
    cut = signal.time_slice(10 * pq.s, 11 * pq.s)
    assert np.array_equal(np.asarray(cut.signal), np.arange(10_000.0, 11_000.0))
    assert len(server.requests) == asked + 1
    assert server.sent < 8_000 + 200
