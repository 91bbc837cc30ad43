"""One array of one object at an address: raw bytes, by index, by time, and as extremes."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignalArray, Block, Segment
from gnode_orm.session import Lab

SAMPLES = np.arange(60_000, dtype="<f4").reshape(-1, 2)


@pytest.fixture
def signal(store):
    """A stored signal of ann's: 30 s of two channels at 1 kHz."""
    session = Lab(store, "ann").session()
    segment = Segment("s", block=Block("b"))
    signal = AnalogSignalArray(SAMPLES * pq.mV, sampling_rate=1 * pq.kHz, t_start=1 * pq.s, segment=segment)
    session.add(signal)
    session.commit()
    return signal


def address(signal, field="signal"):
    return f"/api/v1/additions/arrays/analogsignalarray/{signal.id}/{field}"


def array_of(answer):
    assert answer.status_code == 200, answer.text
    shape = tuple(int(size) for size in answer.headers["x-array-shape"].split(",") if size)
    return np.frombuffer(answer.content, answer.headers["x-array-dtype"]).reshape(shape)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, SAMPLES),
        ({"index": "5:10"}, SAMPLES[5:10]),
        ({"index": "::1000,1"}, SAMPLES[::1000, 1]),
        ({"index": "...,0"}, SAMPLES[..., 0]),
        ({"index": "-3"}, SAMPLES[-3]),
        ({"t0": "2 s", "t1": "2.5 s"}, SAMPLES[1000:1500]),
        ({"t0": "30900 ms", "index": "1"}, SAMPLES[29_900:, 1]),
    ],
)
def test_a_part_is_given_by_index_and_by_time(ann, signal, query, wanted):
    answer = ann.get(address(signal), params=query)
    assert np.array_equal(array_of(answer), wanted)
    assert answer.headers["x-array-unit"] == "mV"


def test_extremes_are_computed_at_the_server(ann, signal):
    extremes = array_of(ann.get(address(signal), params={"points": "10"}))
    assert extremes.shape == (10, 2, 2)
    assert np.array_equal(extremes[0][0], SAMPLES[0])
    assert np.array_equal(extremes[-1][1], SAMPLES[-1])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"index": "x"}, 400),
        ({"index": "1:2:0"}, 400),
        ({"index": "99999999"}, 422),
        ({"index": "0,0,0,0"}, 422),
        ({"index": str(10**30)}, 400),
        ({"t0": "2"}, 422),
        ({"t0": "2 mV"}, 422),
        ({"t0": "5 s", "t1": "2 s"}, 422),
        ({"t0": "99 s"}, 422),
        ({"points": "0"}, 422),
        ({"points": "x"}, 400),
        ({"at": "x"}, 400),
        ({"at": "1"}, 404),
    ],
)
def test_what_cannot_be_given_is_refused(ann, signal, query, status):
    answer = ann.get(address(signal), params=query)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_fields_and_objects_that_are_not_there_are_told(ann, ben, stranger, signal):
    assert ann.get(address(signal, "signl")).json()["detail"].endswith("did you mean 'signal'?")
    assert ann.get(address(signal, "name")).status_code == 422
    assert ben.get(address(signal)).status_code == 404
    assert stranger.get(address(signal)).status_code == 401
    assert ann.get("/api/v1/additions/arrays/blok/2DFA548ESC/signal").status_code == 422
    assert ann.get("/api/v1/additions/arrays/spiketrain/nothing/times").status_code == 422
