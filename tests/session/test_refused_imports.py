"""A file with an error ends in one line that names it, and leaves the lab as it was: one file for each such rule."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

import gnode_orm
from gnode_orm import Block, Session, validate
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import FormatError
from gnode_orm.files.validation import RULES, WARNING, Rule
from tests.convert.cases import ERRORS

# What hangs nowhere, in two blocks, or alone, is made in Python and never read from a file; wrong counts in neo's own
# objects are found before there is a model, as not convertible.
NOT_IN_FILES = {
    *("parent-not-found", "parents-of-two-blocks", "section-cycle", "time-not-finite"),
    *("labels-count", "durations-count"),
}


def signal(**fields: Any) -> neo.AnalogSignal:
    fields = {"units": "mV", "sampling_rate": 1 * pq.kHz, **fields}
    return neo.AnalogSignal(np.arange(6.0).reshape(3, 2), **fields)


def train(times: Any = (1.0, 2.0), **fields: Any) -> neo.SpikeTrain:
    return neo.SpikeTrain(times, units="s", t_stop=10 * pq.s, **fields)


def changed(native: Any, **fields: Any) -> Any:
    # Behind neo's own checks, as a file of another program or a broken one has it.
    for name, value in fields.items():
        setattr(native, name, value)
    return native


def annotated(native: Any, **lists: list[int]) -> Any:
    dict.update(native.array_annotations, {name: np.array(values) for name, values in lists.items()})
    return native


def integer_train() -> neo.SpikeTrain:
    return changed(neo.SpikeTrain(np.array([1, 2]), units="s", t_stop=3), t_stop=2.7 * pq.s)


NEO: list[tuple[str, Callable[[], Any]]] = [
    ("unit-refused", lambda: neo.Event([1.0], units="mV")),
    ("unit-refused", lambda: signal(units=pq.CompoundUnit("2*3*mV"))),
    ("scalar-refused", lambda: signal(sampling_rate=-1 * pq.kHz)),
    ("scalar-refused", lambda: changed(signal(), _sampling_rate=1 * pq.mV)),
    ("begin-not-finite", lambda: signal(t_start=np.nan * pq.s)),
    ("not-convertible", lambda: changed(signal(), annotations={"sorter": {1, 2}})),
    ("spike-outside-train", lambda: changed(train(), t_start=1.5 * pq.s)),
    ("times-not-finite", lambda: neo.Event([np.nan], units="s")),
    ("times-not-finite", lambda: neo.Epoch([np.inf], durations=[1.0], units="s")),
    ("not-convertible", lambda: changed(neo.Event([1.0], units="s"), _labels=np.array(["a", "b"]))),
    ("not-convertible", lambda: changed(neo.Epoch([1.0], [1.0], units="s"), _durations=[1.0, 2.0] * pq.s)),
    ("waveforms-shape", lambda: train(waveforms=np.ones((2, 30)) * pq.uV, sampling_rate=1 * pq.kHz)),
    ("bound-between-ticks", integer_train),
    ("array-annotations-count", lambda: annotated(signal(), depth=[1, 2, 3])),
    ("channel-names-count", lambda: annotated(signal(), channel_names=[1, 2, 3])),
]
SECTION = "<section><name>a</name><type>t</type>{}</section>"
ODML = {
    "section-name-repeated": SECTION.format("") * 2,
    "property-name-repeated": SECTION.format("<property><name>p</name></property>" * 2),
    "section-type-missing": SECTION.replace("<type>t</type>", ""),
    "value-not-of-dtype": SECTION.format("<property><name>p</name><type>int</type><value>[x]</value></property>"),
}


def in_two_segments() -> neo.Block:
    block = block_with(signal(), signal())
    block.segments[1].analogsignals.append(block.segments[0].analogsignals[0])
    return block


def block_with(*natives: Any) -> neo.Block:
    block = neo.Block(name="trial")
    for native in natives:
        segment = neo.Segment()
        block.segments.append(segment)
        getattr(segment, f"{type(native).__name__.lower()}s").append(native)
    return block


def state_of(session: Session, folder: Path) -> Any:
    files = {path.relative_to(folder) for path in (folder / "arrays").rglob("*")}
    return files, {kind: session.query(getattr(gnode_orm, spec.class_name)).count() for kind, spec in SCHEMA.items()}


def assert_refused(folder: Path, path: Path, where: str, **options: Any) -> None:
    with Session(folder) as session:
        session.add(Block("mine before"))
        session.commit("something that is there")
        pending = session.add(Block("mine, pending"))
        before = state_of(session, folder)
        with pytest.raises(FormatError) as refused:
            session.import_file(path, **options)
        message = str(refused.value)
        assert "\n" not in message
        assert len(message) < 400
        assert path.name in message
        assert where in message
        assert state_of(session, folder) == before
        assert [item.obj for item in session.plan()] == [pending]
        session.rollback()


@pytest.mark.parametrize(("code", "make"), NEO, ids=[f"{code}-{n}" for n, (code, _) in enumerate(NEO)])
def test_a_recording_with_an_error_is_refused_in_one_line(
    code: str, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A reader that checks nothing, and gives a sound object first.
    block = block_with(signal(), make())
    monkeypatch.setattr(neo.io.PickleIO, "read", lambda _: [block])
    path = tmp_path / "a.pkl"
    path.write_bytes(b"trial")
    (issue,) = validate(block).errors
    assert issue.code == code
    assert_refused(tmp_path / "lab", path, issue.path, reader="PickleIO")


@pytest.mark.parametrize("code", ODML)
def test_a_document_with_an_error_is_refused_in_one_line(code: str, tmp_path: Path) -> None:
    path = tmp_path / "a.odml"
    path.write_text(f'<odML version="1.1">{ODML[code]}</odML>')
    assert_refused(tmp_path / "lab", path, code)


def test_a_signal_in_two_segments_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neo.io.PickleIO, "read", lambda _: [in_two_segments()])
    path = tmp_path / "a.pkl"
    path.write_bytes(b"trial")
    assert [issue.code for issue in validate(in_two_segments()).errors] == ["multiple-parents"]
    assert_refused(tmp_path / "lab", path, "multiple-parents", reader="PickleIO")


def test_a_rule_of_ones_own_that_fails_ends_an_import_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(block: Any) -> Any:
        raise KeyError(block.name)

    monkeypatch.setitem(RULES, "block", [Rule("own", WARNING, broken)])
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(block_with(signal())))
    assert_refused(tmp_path / "lab", path, "The rule 'own' fails at block: KeyError: 'trial'", reader="PickleIO")


def test_every_error_that_a_file_can_have_is_tried() -> None:
    assert {code for code, _ in NEO} | set(ODML) | {"multiple-parents"} | NOT_IN_FILES == ERRORS
