"""Arrays larger than memory, arrays that grow, and overviews that read little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm import AnalogSignal, AnalogSignalArray, Session, StreamedArray
from gnode_orm.core.arrayhash import LEAF, array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.overview import minimum_maximum
from gnode_orm.errors import ValidationFailed
from gnode_orm.stores.local.array_folder import ArrayInPieces

ROWS = 300_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(tmp_path / "lab") as session:
        yield session


def samples(rows: int = ROWS, channels: int = 16) -> Any:
    return np.random.default_rng(rows).integers(-1000, 1000, (rows, channels), dtype=np.int16)


def stored_again(session: Session, signal: Any) -> Any:
    """The signal as another session reads it."""
    return session.lab.session().get(signal.location)


def parts(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.npy") if path.name.count(".") == 1}


def test_appending_stores_the_new_rows_alone_and_names_the_whole(session: Session, tmp_path: Path) -> None:
    whole = samples()
    assert whole.nbytes > LEAF
    signal = session.add(AnalogSignalArray((whole[:280_000], "uV"), sampling_rate=(1, "kHz")))
    first = session.commit()
    before = parts(tmp_path)
    signal.signal = signal.signal.extended((whole[280_000:], "uV"))
    session.commit()
    added = parts(tmp_path) - before
    assert len(added) == 1
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.npy") if path.name in added) < 700_000
    assert signal.signal.ref.hash == array_hash(whole)
    again = stored_again(session, signal)
    assert np.array_equal(again.signal[279_990:280_010, 3].magnitude, whole[279_990:280_010, 3])
    assert np.array_equal(again.signal.magnitude, whole)
    assert again.signal[-1, 3].magnitude == whole[-1, 3]
    assert again.signal[279_999, ::2].magnitude.tolist() == whole[279_999, ::2].tolist()
    with pytest.raises(IndexError):
        again.signal[ROWS]
    then = session.lab.session(at=first.id).get(signal.location)
    assert then is not None
    assert then.signal.shape == (280_000, 16)


@pytest.mark.parametrize("spoil", [lambda kept: b"", lambda kept: kept[:128] + bytes(len(kept) - 128)])
def test_appending_needs_no_digests_that_were_kept(
    session: Session, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    """A crash of the machine may leave a file of digests empty, or of the right size without its content."""
    whole = samples()
    signal = session.add(AnalogSignalArray((whole[:280_000], "uV"), sampling_rate=(1, "kHz")))
    session.commit()
    for path in tmp_path.rglob("*.leaves.npy"):
        path.write_bytes(spoil(path.read_bytes()))
    # A program that wrote the array knows how far its hash has come; another one does not.
    with Session(tmp_path / "lab") as other:
        again = other.get(AnalogSignalArray, signal.id)
        again.signal = again.signal.extended((whole[280_000:], "uV")).extended((whole[:5], "uV"))
        other.commit()
        assert again.signal.ref.hash == array_hash(np.concatenate([whole, whole[:5]]))


@pytest.mark.parametrize("rows", [3, ROWS])
def test_arrays_grow_before_they_are_stored(session: Session, rows: int) -> None:
    whole = samples(rows)
    signal = AnalogSignalArray((whole[:2], "uV"), sampling_rate=(1, "kHz"))
    signal.signal = signal.signal.extended((whole[2:], "uV"))
    assert np.array_equal(signal.signal[1:3, 0].magnitude, whole[1:3, 0])
    session.add(signal)
    session.commit()
    assert np.array_equal(stored_again(session, signal).signal.magnitude, whole)


@pytest.mark.parametrize(
    "more",
    [
        (np.zeros((2, 2), np.int16), "mV"),
        (np.zeros((2, 2)), "uV"),
        (np.zeros((2, 3), np.int16), "uV"),
    ],
)
def test_rows_of_another_kind_are_not_appended(more: Any) -> None:
    handle = ArrayHandle.in_memory(np.zeros((2, 2), np.int16), None).with_unit("uV")
    with pytest.raises(ValidationFailed, match="cannot be appended"):
        handle.extended(more)


def test_a_signal_is_stored_from_pieces(session: Session) -> None:
    whole = samples()

    def pieces() -> Iterator[Any]:
        buffer = np.empty((7000, 16), np.int16)
        for start in range(0, ROWS, 7000):
            part = whole[start : start + 7000]
            buffer[: len(part)] = part  # the memory is used again for each piece
            yield buffer[: len(part)]

    streamed = StreamedArray(pieces, shape=whole.shape, dtype="i2", unit="uV")
    signal = session.add(AnalogSignalArray(streamed, sampling_rate=(1, "kHz")))
    assert np.array_equal(signal.signal[9000:9010].magnitude, whole[9000:9010])
    session.commit()
    assert signal.signal.ref.hash == array_hash(whole)
    assert np.array_equal(stored_again(session, signal).signal.magnitude, whole)


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        (lambda: [np.zeros(10, "i2")], "hold 10 rows, and the shape .* says 100000"),
        (lambda: [np.zeros(100_000, "i2"), np.zeros(1, "i2")], "hold at least 100001 rows"),
        (lambda: [np.zeros(100_000)], "piece of dtype"),
        (lambda: [np.zeros((100_000, 1), "i2")], "piece of dtype"),
    ],
)
def test_pieces_that_are_not_as_declared_are_refused(session: Session, pieces: Callable[[], Any], reason: str) -> None:
    session.add(AnalogSignal(StreamedArray(pieces, shape=(100_000,), dtype="i2", unit="uV"), sampling_rate=(1, "kHz")))
    with pytest.raises(ValidationFailed, match=reason):
        session.commit()
    session.rollback()


@pytest.mark.parametrize("target", ["lab", ":memory:"])
@pytest.mark.parametrize("length", [4, 6])
def test_small_arrays_that_come_in_pieces_are_as_long_as_declared(tmp_path: Path, target: str, length: int) -> None:
    with Session(tmp_path / target if target == "lab" else target) as session:
        pieces = StreamedArray(lambda: [np.zeros(5, "i2")], shape=(length,), dtype="i2", unit="uV")
        session.add(AnalogSignal(pieces, sampling_rate=(1, "kHz")))
        with pytest.raises(ValidationFailed, match=f"5 rows, and the shape .* says {length}"):
            session.commit()
        session.rollback()
        assert session.query(AnalogSignal).count() == 0


def test_an_iterator_that_runs_once_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="gives its pieces once"):
        StreamedArray(iter([]), shape=(1,), dtype="i2", unit="uV")  # type: ignore[arg-type]


@pytest.mark.parametrize("bins", [10, 250, 4000])
@pytest.mark.parametrize("damaged", [False, True])
def test_an_overview_is_the_same_from_kept_extremes(session: Session, tmp_path: Path, bins: int, damaged: bool) -> None:
    whole = samples()
    signal = session.add(AnalogSignalArray((whole, "uV"), sampling_rate=(1, "kHz")))
    wanted = minimum_maximum(signal.signal, bins)
    session.commit()
    signal.downsample(bins)
    for path in tmp_path.rglob("*.minmax-*.npy"):
        if damaged:
            path.write_bytes(b"")
    overview = stored_again(session, signal).downsample(bins)
    assert np.array_equal(overview.minimum.magnitude, wanted[0])
    assert np.array_equal(overview.maximum.magnitude, wanted[1])


def test_an_overview_reads_kept_extremes_and_no_samples(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gnode_orm.core.overview._LONG", 0)
    signal = session.add(AnalogSignalArray((samples(), "uV"), sampling_rate=(1, "kHz")))
    session.commit()
    first = signal.downsample(100)
    (part,) = [path for path in tmp_path.rglob("*.npy") if path.name.count(".") == 1]
    with part.open("r+b") as file:
        file.seek(-ROWS, 2)
        file.write(b"\x7f" * ROWS)  # what an overview does not read it does not notice
    second = stored_again(session, signal).downsample(100)
    assert np.array_equal(first.maximum, second.maximum)


@pytest.mark.parametrize("lost", [False, True])
def test_the_overview_of_a_longer_signal_reads_only_what_was_appended(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    monkeypatch.setattr("gnode_orm.core.overview._LONG", 0)
    reduced: list[int] = []
    rows_from = ArrayInPieces.rows_from

    def counted(self: ArrayInPieces, start: int) -> Iterator[Any]:
        for piece in rows_from(self, start):
            reduced.append(len(piece))
            yield piece

    whole = samples(ROWS + 777)
    signal = session.add(AnalogSignalArray((whole[: ROWS - 1_000], "uV"), sampling_rate=(1, "kHz")))
    for end in (ROWS - 1_000, ROWS + 100, ROWS + 777):
        if end > len(signal.signal):
            signal.signal = signal.signal.extended((whole[len(signal.signal) : end], "uV"))
        session.commit()
        if not (lost and end == ROWS + 100):
            with monkeypatch.context() as patch:
                patch.setattr(ArrayInPieces, "rows_from", counted)
                overview = signal.downsample(100)
    wanted = minimum_maximum(ArrayHandle.in_memory(whole, None), 100)
    assert np.array_equal(overview.minimum.magnitude, wanted[0])
    assert np.array_equal(overview.maximum.magnitude, wanted[1])
    # What was there ends within a block, which is read once more.
    assert sum(reduced) <= ROWS + 777 + 2 * 64
    assert reduced[0] == ROWS - 1_000


@given(
    rate=st.sampled_from([1.0, 3.0, 1000.0, 24414.0625, 30000.0]),
    begin=st.floats(-10, 10, allow_nan=False),
    low=st.integers(0, 200),
    high=st.integers(0, 200),
    offset=st.floats(-0.4, 0.4),
)
def test_slices_are_the_same_in_memory_stored_and_in_neo(
    lab: Session, rate: float, begin: float, low: int, high: int, offset: float
) -> None:
    low, high = sorted((low, high))
    signal = AnalogSignal((np.arange(200.0), "mV"), t_start=(begin, "s"), sampling_rate=(rate, "Hz"))
    t0, t1 = (begin + (bound + (offset if 0 < bound < 200 else 0)) / rate for bound in (low, high))
    t0, t1 = max(t0, begin) * pq.s, min(t1, begin + 200 / rate) * pq.s
    lab.add(signal)
    lab.commit()
    stored = lab.lab.session().get(signal.location)
    assert stored is not None
    native = neo.AnalogSignal(np.arange(200.0), "mV", t_start=begin * pq.s, sampling_rate=rate * pq.Hz)
    eager = AnalogSignal(native.magnitude[:, 0] * pq.mV, t_start=begin * pq.s, sampling_rate=rate * pq.Hz)
    cut = eager.time_slice(t0, t1).signal.load()
    assert np.array_equal(cut, stored.time_slice(t0, t1).signal.load())
    assert np.array_equal(cut.magnitude, native.time_slice(t0, t1).magnitude[:, 0])


@pytest.fixture(scope="module")
def lab() -> Iterator[Session]:
    with Session(":memory:") as session:
        yield session
