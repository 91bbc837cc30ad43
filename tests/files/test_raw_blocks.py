"""Recordings whose samples come from neo's raw readers: the same models as from the blocks that neo itself makes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
from neo.io import AxonIO
from neo.io.basefromrawio import BaseFromRaw

from gnode_orm import Block, Session
from gnode_orm.convert.neo import convert
from gnode_orm.convert.neo.proxies import loaded
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.quantity import to_columns
from gnode_orm.core.schema import FieldType
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import FormatError
from gnode_orm.files import raw_blocks, readers
from gnode_orm.files.recognition import readers_by_name
from gnode_orm.files.recordings import Failure, open_recording
from tests.files.formats import SAMPLES
from tests.files.sample_sets import READ_BY_NEO, READ_BY_OTHERS

pytestmark = pytest.mark.filterwarnings(
    # neo's own, where it leaves files to the garbage collector.
    "ignore:unclosed file:ResourceWarning"
)


def is_raw(reader: str) -> bool:
    return issubclass(readers_by_name().get(reader, object), BaseFromRaw)


RECORDED = [name for name, reader in {**READ_BY_NEO, **READ_BY_OTHERS}.items() if is_raw(reader)]
MADE = [name for name in SAMPLES if is_raw(name)]


def read_by_neo(reader: Any, number: int, *, raw: bool) -> Any:
    """Read a block as neo makes it, with what it has besides signals loaded."""
    if raw:
        block = reader.read_block(block_index=number, lazy=True)
        for segment in block.segments:
            for container in ("spiketrains", "events", "epochs"):
                setattr(segment, container, [loaded(item) for item in getattr(segment, container)])
        return block
    try:
        return reader.read_block(block_index=number, load_waveforms=True)
    except ValueError:  # there are none
        return reader.read_block(block_index=number)


def described(path: Path, **options: Any) -> tuple[list[Any], list[str]]:
    """Everything that the models of a recording hold, in order, and what is said about it."""
    with open_recording(path, **options) as recording:
        blocks = [
            [native.reason] if isinstance(native, Failure) else list(of_models(convert(native)))
            for _, native in recording.blocks()
        ]
        # neo says the same of a unit for each signal, and twice where a signal could be raw.
        return blocks, [re.sub(r" \(\d+ times\)$", "", text) for text in recording.warnings]


def of_models(conversion: Any) -> Iterator[Any]:
    models = [model for _, model in conversion.pairs]
    numbers = {id(model): number for number, model in enumerate(models)}
    keys: dict[str, int] = {}
    for model in models:
        yield model.kind, {item.name: of_field(model, item, numbers, keys) for item in model.__spec__.fields}


def of_field(model: Any, item: Any, numbers: dict[int, int], keys: dict[str, int]) -> Any:
    value = getattr(model, item.name)
    if value is None:
        return None
    if item.type is FieldType.REF:
        return numbers[id(value)]
    if item.type is FieldType.ARRAY:
        chunks = list(value.chunks())
        return value.dtype.str, value.shape, value.unit, *of_array(np.concatenate(chunks) if chunks else value)
    if item.type is FieldType.QUANTITY:
        return to_columns(value)
    if item.type is FieldType.JSON:
        # The keys under which groups name their members are new each time.
        return re.sub(r"\b[0-9a-f]{32}\b", lambda key: f"key {keys.setdefault(key[0], len(keys))}", encode(dict(value)))
    return repr(value)


def of_array(values: Any) -> tuple[Any, ...]:
    array = np.asarray(values)
    return array.dtype.str, array.shape, array.tobytes()


def given(reader: str) -> dict[str, Any]:
    sample = SAMPLES[reader]
    return {"reader": reader, "reader_options": dict(sample.options)} if sample.by_name else {}


def assert_same(monkeypatch: pytest.MonkeyPatch, way: str, path: Path, **options: Any) -> None:
    options["raw"] = way == "raw"
    if way == "by pieces":
        monkeypatch.setattr(raw_blocks, "AT_ONCE", -1)
        monkeypatch.setattr(ArrayHandle, "_rows_per_chunk", lambda handle: max(1, len(handle) // 3))
    ours, our_plan = described(path, **options), planned(path, **options)
    monkeypatch.setattr(readers, "read_raw_block", read_by_neo)
    theirs, their_plan = described(path, **options), planned(path, **options)
    assert (our_plan, ours[1]) == (their_plan, theirs[1])
    for one, other in zip(*(itertools.chain(*blocks) for blocks in (ours[0], theirs[0])), strict=True):
        assert one == other


def planned(path: Path, **options: Any) -> str:
    with Session(":memory:") as session:
        return re.sub(r" \(\d+ times\)", "", str(session.plan_import(path, **options)))


WAYS = pytest.mark.parametrize("way", ["at once", "by pieces", "raw"])


@WAYS
@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_gives_the_models_that_the_blocks_of_neo_give(
    data: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    assert_same(monkeypatch, way, data / expected[name]["path"])


@WAYS
@pytest.mark.parametrize("reader", MADE)
def test_a_recording_of_every_format_gives_the_models_that_the_blocks_of_neo_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, way: str
) -> None:
    assert_same(monkeypatch, way, SAMPLES[reader].make(tmp_path), **given(reader))


@pytest.mark.parametrize("reader", MADE)
def test_a_slice_in_a_file_of_every_format_is_that_of_the_whole(tmp_path: Path, reader: str) -> None:
    with open_recording(SAMPLES[reader].make(tmp_path), raw=True, **given(reader)) as recording:
        signals = [signal for _, block in recording.blocks() for signal in block.segments[0].analogsignals]
        for signal in signals:
            whole = signal.read(None, None)
            assert whole.shape == signal.shape
            for start, stop in itertools.combinations(range(0, len(whole) + 1, max(1, len(whole) // 9)), 2):
                assert np.array_equal(signal.read(start, stop), whole[start:stop])


def test_a_reader_that_makes_blocks_in_a_way_of_its_own_is_left_to_it(tmp_path: Path) -> None:
    class OfItsOwn(neo.io.ExampleIO):  # type: ignore[misc]
        def read_segment(self, *args: Any, **options: Any) -> Any:
            return super().read_segment(*args, **options)

    path = tmp_path / "recording.fake"
    path.write_text("fake")
    assert raw_blocks.is_read_as_raw(neo.io.ExampleIO(str(path)))
    assert not raw_blocks.is_read_as_raw(OfItsOwn(str(path)))
    assert not raw_blocks.is_read_as_raw(neo.io.AsciiSignalIO(str(path)))


def test_samples_that_cannot_be_read_in_the_end_leave_the_lab_as_it_was(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf"
    monkeypatch.setattr(raw_blocks, "AT_ONCE", -1)
    read = AxonIO.get_analogsignal_chunk

    def fails_late(self: Any, **place: Any) -> Any:
        if place["seg_index"] == 1:
            raise OSError(5, "Input/output error")
        return read(self, **place)

    monkeypatch.setattr(AxonIO, "get_analogsignal_chunk", fails_late)
    with Session(":memory:") as session:
        with pytest.raises(FormatError, match=r"block\[0\]: samples 0 to 20000 cannot be read: OSError: .*Input"):
            session.import_file(path)
        assert session.query(Block).count() == 0


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_recording_that_is_closed_is_not_open_even_where_its_reader_stays(data: Path) -> None:
    path = (data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf").resolve()

    def is_open() -> bool:
        return str(path) in {
            str(handle.readlink()) for handle in Path("/proc/self/fd").iterdir() if handle.is_symlink()
        }

    with open_recording(path) as recording:
        held = vars(recording._source)["_reader"]
        assert is_open()
    assert held
    assert not is_open()
