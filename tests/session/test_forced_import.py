"""Imports that leave out what has errors, where that is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import Session
from gnode_orm.errors import FormatError, ValidationFailed
from gnode_orm.files.leaving_out import conversion_without_refused


@pytest.fixture
def session() -> Any:
    with Session(":memory:") as session:
        yield session


@pytest.fixture
def write(tmp_path: Path) -> Callable[[neo.Block], Path]:
    def write(block: neo.Block) -> Path:
        path = tmp_path / "trial.nix"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # neo's own, while it writes
            file = neo.io.NixIO(str(path), mode="ow")
            file.write_block(block)
            file.close()
        return path

    return write


def block_with(*times: float) -> neo.Block:
    block = neo.Block(name="trial")
    segment = neo.Segment()
    block.segments.append(segment)
    for time in times:
        segment.events.append(neo.Event([time] * pq.s, labels=["go"]))
    return block


def test_objects_with_errors_are_left_out_and_listed(session: Session, write: Callable[[neo.Block], Path]) -> None:
    path = write(block_with(1.0, np.nan, 3.0))
    with pytest.raises(FormatError, match="times-not-finite"):
        session.import_file(path)
    result = session.import_file(path, force=True)
    (block,) = result.blocks
    assert [float(events.times[0]) for events in block.segments[0].eventarrays] == [1.0, 3.0]
    left_out = [
        "left out: error times-not-finite at block.segments[0].eventarrays[1].times: hold NaN or infinity "
        "(1 of them, first at 0); leave these out"
    ]
    assert result.skipped == left_out
    assert block.ext["import"]["left_out"] == left_out


def test_what_cannot_be_converted_is_left_out_with_its_path() -> None:
    block = block_with(1.0, 2.0)
    block.segments[0].events[0].annotations["sorter"] = object()
    group = neo.Group(name="both")
    group.add(block.segments[0].events[0], block.segments[0].events[1])
    block.groups.append(group)
    conversion, left_out = conversion_without_refused(block)
    model: Any = conversion.model
    assert [float(events.times[0]) for events in model.segments[0].eventarrays] == [2.0]
    assert len(model.to_neo().groups[0].events) == 1
    assert len(left_out) == 1
    assert left_out[0].startswith("left out: block.segments[0].events[0].annotations['sorter']")


def test_a_view_of_what_is_left_out_goes_with_it() -> None:
    block = block_with()
    signal = neo.AnalogSignal(np.zeros((3, 2)), units="mV", sampling_rate=1 * pq.kHz)
    signal.annotations["sorter"] = object()
    block.segments[0].analogsignals.append(signal)
    group = neo.Group()
    group.add(neo.ChannelView(signal, [0]))
    block.groups.append(group)
    conversion, _ = conversion_without_refused(block)
    model: Any = conversion.model
    native = model.to_neo()
    assert (len(native.segments[0].analogsignals), len(native.groups[0].channelviews)) == (0, 0)


def test_a_block_that_is_wrong_itself_is_refused_by_force_too() -> None:
    block = block_with(1.0)
    block.annotations["sorter"] = object()
    with pytest.raises(ValidationFailed, match="sorter"):
        conversion_without_refused(block)


def test_properties_with_errors_are_left_out_of_a_document(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "setup.odml"
    path.write_text(
        '<odML version="1.1"><section><name>S</name><type>t</type>'
        "<property><name>good</name><type>float</type><value>[1.5]</value></property>"
        "<property><name>bad</name><type>int</type><value>[twelve]</value></property></section></odML>"
    )
    with pytest.raises(FormatError, match="value-not-of-dtype"):
        session.import_file(path)
    result = session.import_file(path, force=True)
    (document,) = result.documents
    assert [item.name for item in document.sections[0].properties] == ["good"]
    assert result.skipped == document.ext["import"]["left_out"]
    assert result.skipped == [
        "left out: error value-not-of-dtype at document.sections[0].properties[1].values: "
        "a value is no int (twelve); correct the value, or the type"
    ]


def test_a_document_that_is_wrong_as_a_whole_is_refused_all_the_same(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "setup.odml"
    section = "<section><name>a</name><type>t</type></section>"
    path.write_text(f'<odML version="1.1">{section}{section}</odML>')
    with pytest.raises(FormatError, match="section-name-repeated"):
        session.import_file(path, force=True)
