"""What is imported, exported and imported again: the same objects, or a report that says what differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import Block, Session
from gnode_orm.convert.neo import to_neo
from tests.conftest import ON_CI
from tests.convert.neo.isomorphism import differences
from tests.convert.odml.shapes import told
from tests.files.sample_sets import METADATA, READ_BY_NEO, READ_BY_OTHERS

# Comparing reads every relation of a tree at first use.
pytestmark = pytest.mark.filterwarnings("ignore::gnode_orm.errors.LazyLoadWarning")

RECORDINGS = [*READ_BY_NEO, *READ_BY_OTHERS]
# Thousands of objects, which the writers of NIX and NWB take minutes for.
LARGE = {"abf1-187sweeps-tags", "abf2-60sweeps-tag", "blackrock-nev", "openephys-binary"}
READERS = {".pkl": "PickleIO"}
Import = Callable[[str], tuple[Session, Any]]


@pytest.fixture(scope="module")
def imported(data: Path, expected: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Import]:
    """Imports a sample set, each into a lab of its own, once."""
    labs: dict[str, tuple[Session, Any]] = {}
    with ExitStack() as opened:

        def once(name: str) -> tuple[Session, Any]:
            if name not in labs:
                session = opened.enter_context(Session(tmp_path_factory.mktemp(name) / "lab"))
                result = session.import_file(data / expected[name]["path"])
                labs[name] = session, (result.blocks or result.documents)[0]
            return labs[name]

        yield once


def imported_again(path: Path, folder: Path) -> Any:
    """The object in a file, as a new session finds it in a new lab."""
    with Session(folder / f"lab{path.suffix}") as session:
        result = session.import_file(path, reader=READERS.get(path.suffix))
        location = (result.blocks or result.documents)[0].location
    with Session(folder / f"lab{path.suffix}") as session:
        found: Any = session.get(location)
        return said_of(found) if found.kind == "document" else to_neo(found, filled=True)


def said_of(document: Any) -> list[Any]:
    """What a document says, without where it was imported from."""
    own = {name: value for name, value in document.ext.items() if name not in ("import", "v")}
    return [(document.author, document.date, document.version, document.repository, own), *told(document)[1:]]


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("suffix", [".nix", ".nwb", ".pkl"])
def test_a_recording_comes_back_or_the_report_says_what_differs(
    name: str, suffix: str, imported: Import, tmp_path: Path
) -> None:
    if name in LARGE and suffix != ".pkl" and not ON_CI:
        pytest.skip("takes minutes; continuous integration runs it")
    session, block = imported(name)
    if suffix == ".nwb" and block.rec_datetime is None:
        block.rec_datetime = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)
        session.commit()
    losses = session.export(block, tmp_path / f"out{suffix}")
    found = differences(
        to_neo(block, filled=True), imported_again(tmp_path / f"out{suffix}", tmp_path), but="file_origin"
    )
    assert bool(losses) == bool(found), (losses[:9], found[:9])
    if suffix == ".pkl":
        assert losses == []


@pytest.mark.parametrize("name", METADATA)
@pytest.mark.parametrize("suffix", [".odml", ".xml", ".json", ".yaml"])
def test_metadata_comes_back_or_the_report_says_what_differs(
    name: str, suffix: str, imported: Import, tmp_path: Path
) -> None:
    session, document = imported(name)
    losses = session.export(document, tmp_path / f"out{suffix}")
    again = imported_again(tmp_path / f"out{suffix}", tmp_path)
    assert bool(losses) == (again != said_of(document)), losses


def whole() -> Block:
    """A block with everything that NIX holds without a change."""
    block = neo.Block("block", description="of a cell", rec_datetime=dt.datetime(2020, 1, 1, 12), depth=3, who="Ada")  # noqa: DTZ001
    segment = neo.Segment("trial", rec_datetime=dt.datetime(2020, 1, 1, 12, 30), rate=1.5)  # noqa: DTZ001
    block.segments.append(segment)
    signal = neo.AnalogSignal(np.arange(6, dtype="i2").reshape(3, 2), units="uV", sampling_rate=20 * pq.kHz, name="Vm")
    segment.analogsignals.append(signal)
    segment.irregularlysampledsignals.append(
        neo.IrregularlySampledSignal([1.0, 2.5] * pq.ms, np.array([[1.0], [2.0]], "f4"), units="pA", name="I")
    )
    segment.spiketrains.append(neo.SpikeTrain([1.0, 2.0] * pq.ms, t_stop=3 * pq.ms, name="unit"))
    segment.events.append(neo.Event([1.0] * pq.s, labels=["on"], name="light"))
    segment.epochs.append(neo.Epoch([1.0] * pq.s, [2.0] * pq.s, labels=["dark"], name="room"))
    block.groups.append(neo.Group([segment.spiketrains[0], signal], name="tetrode"))
    return Block.from_neo(block)


@pytest.mark.parametrize("suffix", [".nix", ".pkl"])
def test_an_empty_report_is_possible(suffix: str, tmp_path: Path) -> None:
    with Session(":memory:") as session:
        block = session.add(whole())
        session.commit()
        assert session.export(block, tmp_path / f"out{suffix}") == []
        again = imported_again(tmp_path / f"out{suffix}", tmp_path)
        assert differences(block.to_neo(), again, but="file_origin") == []
