"""Each rule finds what it is for, at the right place, and is silent on what is in order."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import (
    AnalogSignal,
    AnalogSignalArray,
    Block,
    Document,
    Epoch,
    EpochArray,
    Event,
    EventArray,
    IrregularlySampledSignal,
    Property,
    RecordingChannel,
    RecordingChannelGroup,
    Section,
    Segment,
    Session,
    Spike,
    SpikeTrain,
    Unit,
    Value,
    validate,
)
from gnode_orm.errors import ValidationFailed
from gnode_orm.files.validation import ERROR, INFO, RULES, WARNING, Finding, rule

WAVE = np.sin(np.arange(100.0))


def signal(samples: Any = None, **fields: Any) -> AnalogSignal:
    fields = {"sampling_rate": 1 * pq.kHz, "t_start": 0 * pq.s, **fields}
    return AnalogSignal((WAVE if samples is None else samples, "mV"), **fields)


def channels(samples: Any, **fields: Any) -> AnalogSignalArray:
    return AnalogSignalArray((samples, "mV"), sampling_rate=1 * pq.kHz, **fields)


def train(times: Any = (1.0, 2.0), **fields: Any) -> SpikeTrain:
    fields = {"t_start": 0 * pq.s, "t_stop": 10 * pq.s, **fields}
    return SpikeTrain((np.array(times), "s"), **fields)


def from_neo_signal(**fields: Any) -> AnalogSignal:
    fields = {"sampling_rate": 1 * pq.kHz, **fields}
    return AnalogSignal.from_neo(neo.AnalogSignal(WAVE, units="mV", **fields))


def waves(shape: tuple[int, ...], unit: str | None = "uV") -> Any:
    return np.ones(shape) if unit is None else (np.ones(shape), unit)


def changed(entity: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(entity, name, value)
    return entity


def with_children(parent: Any, key: str, *children: Any) -> Any:
    for child in children:
        setattr(child, key, parent)
    return parent


def group(*indices: int) -> RecordingChannelGroup:
    made = RecordingChannelGroup("tetrode")
    for index in indices:
        made.recordingchannels.append(RecordingChannel(index=index))
    return made


def odml_property(dtype: str, *values: str, **ext: Any) -> Property:
    made = Property("p")
    made._set_ext({"v": 1, "dtype": dtype, **ext})
    return with_children(made, "property", *map(Value, values))


def linked(link: str) -> Document:
    """A document with ``/Subject/Surgery`` and ``/Recording``, which has the link."""
    document = Document()
    Section("Surgery", type="t", section=Section("Subject", type="t", document=document))
    Section("Recording", type="t", link=link, document=document)
    return document


def without_axis() -> AnalogSignalArray:
    native = (np.float64(1.0) * pq.mV).view(neo.AnalogSignal)
    native._sampling_rate = 1 * pq.kHz
    return AnalogSignalArray.from_neo(native)


def view(*channels_: int) -> RecordingChannelGroup:
    block = neo.Block()
    segment = neo.Segment()
    segment.analogsignals.append(neo.AnalogSignal(np.zeros((4, 3)), units="mV", sampling_rate=1 * pq.kHz))
    block.segments.append(segment)
    block.groups.append(neo.Group([neo.ChannelView(segment.analogsignals[0], list(channels_))]))
    return next(item for item in Block.from_neo(block).recordingchannelgroups if "view" in item.ext)


def grouped_in_itself() -> Block:
    block = neo.Block()
    outer, inner = neo.Group(), neo.Group()
    outer.add(inner)
    inner.add(outer)
    block.groups.extend([outer, neo.Group()])
    return Block.from_neo(block)


def of_two_blocks(entity: Any, key: str) -> Any:
    entity.segment = Segment("s", block=Block("one"))
    tetrode = RecordingChannelGroup("g", block=Block("two"))
    setattr(entity, key, tetrode if key == "recordingchannelgroup" else Unit("u", recordingchannelgroup=tetrode))
    return entity


def of_a_newer_version() -> Block:
    block = Block("b")
    block._set_ext({"v": 2, "unheard_of": [1]})
    return block


def aware(hour: int) -> dt.datetime:
    return dt.datetime(2020, 1, 1, hour, tzinfo=dt.UTC)


CASES: list[tuple[str, str, Callable[[], Any], str]] = [
    (ERROR, "scalar-refused", lambda: from_neo_signal(sampling_rate=-1 * pq.kHz), "sampling_rate"),
    (ERROR, "scalar-refused", lambda: from_neo_signal(sampling_rate=1 * pq.mV), "sampling_rate"),
    (ERROR, "scalar-refused", lambda: from_neo_signal(t_start=5 * pq.mV), "t_start"),
    (WARNING, "scalar-without-unit", lambda: from_neo_signal(t_start=5.0), "t_start"),
    (WARNING, "rate-missing", lambda: signal(sampling_rate=None), "sampling_rate"),
    (ERROR, "begin-not-finite", lambda: signal(t_start=np.nan * pq.s), "t_start"),
    (WARNING, "time-resolution", lambda: signal(t_start=1e13 * pq.s), "t_start"),
    (WARNING, "doubtful-sample-type", lambda: signal(WAVE.astype("c8")), "signal"),
    (WARNING, "doubtful-sample-type", lambda: signal(WAVE.astype("f2")), "signal"),
    (WARNING, "samples-missing", lambda: signal(np.where(np.arange(100) < 5, np.nan, WAVE)), "signal"),
    (WARNING, "constant-channel", lambda: channels(np.stack([WAVE, np.ones(100)], 1)), "signal"),
    (WARNING, "constant-channel", lambda: signal(np.zeros(100, "i2")), "signal"),
    (WARNING, "saturated-channel", lambda: signal((WAVE * 40000).clip(-32768, 32767).astype("i2")), "signal"),
    (
        ERROR,
        "channel-names-count",
        lambda: channels(np.stack([WAVE, -WAVE], 1), array_annotations={"channel_names": ["a", "b", "c"]}),
        "array_annotations",
    ),
    (
        WARNING,
        "channel-names-repeated",
        lambda: channels(np.stack([WAVE, -WAVE], 1), array_annotations={"channel_names": ["a", "a"]}),
        "array_annotations",
    ),
    (
        WARNING,
        "times-not-increasing",
        lambda: IrregularlySampledSignal(([1.0, 2.0, 3.0], "mV"), times=([0.0, 2.0, 2.0], "s")),
        "times",
    ),
    (ERROR, "times-not-finite", lambda: train([1.0, np.nan]), "times"),
    (ERROR, "times-not-finite", lambda: EventArray(([np.inf], "s")), "times"),
    (ERROR, "time-not-finite", lambda: Event(time=np.nan * pq.s), "time"),
    (ERROR, "time-not-finite", lambda: Spike(np.inf * pq.s), "time"),
    (ERROR, "spike-outside-train", lambda: train([1.0, 11.0]), "times"),
    (ERROR, "spike-outside-train", lambda: train([-1.0, 1.0]), "times"),
    (ERROR, "spike-outside-train", lambda: train([9.0], t_stop=8000 * pq.ms), "times"),
    (WARNING, "spikes-unsorted", lambda: train([2.0, 1.0]), "times"),
    (WARNING, "spikes-repeated", lambda: train([1.0, 1.0]), "times"),
    (WARNING, "refractory-period", lambda: train(np.arange(200) / 2000), "times"),
    (
        WARNING,
        "left-sweep-outside",
        lambda: train(waveforms=waves((2, 1, 30)), sampling_rate=30 * pq.kHz, left_sweep=2 * pq.ms),
        "left_sweep",
    ),
    (
        WARNING,
        "left-sweep-outside",
        lambda: Spike(1 * pq.s, waveform=waves((1, 30)), sampling_rate=30 * pq.kHz, left_sweep=-1 * pq.us),
        "left_sweep",
    ),
    (ERROR, "waveforms-shape", lambda: train(waveforms=waves((2, 30)), sampling_rate=1 * pq.kHz), "waveforms"),
    (
        WARNING,
        "waveforms-without-unit",
        lambda: train(waveforms=waves((2, 1, 30), None), sampling_rate=1 * pq.kHz),
        "waveforms",
    ),
    (WARNING, "waveforms-without-rate", lambda: train(waveforms=waves((2, 1, 30))), "sampling_rate"),
    (ERROR, "labels-count", lambda: changed(EventArray(([1.0], "s")), labels=["a", "b"]), "labels"),
    (ERROR, "durations-count", lambda: changed(EpochArray(([1.0], "s")), durations=([1.0, 2.0], "s")), "durations"),
    (WARNING, "durations-missing", lambda: EpochArray(([1.0], "s"), labels=["a"]), "durations"),
    (WARNING, "duration-negative", lambda: EpochArray(([1.0], "s"), durations=([-1.0], "s")), "durations"),
    (WARNING, "duration-negative", lambda: Epoch(time=1 * pq.s, duration=-1 * pq.s), "duration"),
    (
        WARNING,
        "time-zones-mixed",
        lambda: with_children(
            Block(rec_datetime=aware(1).replace(tzinfo=None)), "block", Segment(rec_datetime=aware(1), index=0)
        ),
        "rec_datetime",
    ),
    (WARNING, "recorded-in-future", lambda: Block(rec_datetime=aware(1).replace(year=2999)), "rec_datetime"),
    (
        WARNING,
        "segment-index-repeated",
        lambda: with_children(Block(), "block", Segment(index=1), Segment(index=1)),
        "segments",
    ),
    (WARNING, "segment-without-block", lambda: Segment("alone"), "block"),
    (WARNING, "channel-index-repeated", lambda: group(3, 3), "recordingchannels"),
    (
        ERROR,
        "section-name-repeated",
        lambda: with_children(Document(), "document", Section("a", type="t"), Section("a", type="t")),
        "sections",
    ),
    (
        ERROR,
        "property-name-repeated",
        lambda: with_children(Section("a", type="t"), "section", Property("p"), Property("p")),
        "properties",
    ),
    (ERROR, "section-type-missing", lambda: Section("a"), "type"),
    (WARNING, "section-type-default", lambda: Section("a", type="n.s."), "type"),
    (WARNING, "link-and-include", lambda: Section("a", type="t", link="/b", include="c.xml"), "link"),
    (
        WARNING,
        "dependency-unknown",
        lambda: with_children(Section("a", type="t"), "section", Property("p", dependency="q")),
        "properties",
    ),
    (ERROR, "value-not-of-dtype", lambda: odml_property("float", "12,5"), "values"),
    (
        WARNING,
        "units-differ",
        lambda: with_children(Property("p"), "property", Value("1", unit="s"), Value("2")),
        "values",
    ),
    (WARNING, "cardinality-violated", lambda: odml_property("int", "1", "2", "3", val_cardinality=[None, 2]), "values"),
    (WARNING, "cardinality-violated", lambda: odml_property("int", "1", val_cardinality=[2, None]), "values"),
    (WARNING, "link-dangling", lambda: Section("a", type="t", link="/b"), "link"),
    (WARNING, "name-with-slash", lambda: Property("a/b"), "name"),
    (ERROR, "scalar-refused", lambda: from_neo_signal(sampling_rate=np.inf * pq.Hz), "sampling_rate"),
    (WARNING, "doubtful-sample-type", lambda: signal(WAVE.astype("g")), "signal"),
    (WARNING, "signal-without-axis", without_axis, "signal"),
    (WARNING, "unit-unlike-name", lambda: AnalogSignal((WAVE, "pA"), sampling_rate="1 kHz", name="Vm 1"), "signal"),
    (WARNING, "unit-unlike-name", lambda: AnalogSignal((WAVE, "mV"), sampling_rate="1 kHz", name="current"), "signal"),
    *(
        (WARNING, "declared-times-differ", lambda told=told: signal(annotations=told), "annotations")
        for told in (
            {"sampling_period": 2 * pq.ms},
            {"sampling_rate": 900 * pq.Hz},
            {"t_stop": 1 * pq.s},
            {"duration": 50 * pq.ms},
            {"times": (np.arange(100) + 0.6) * pq.ms},
            {"times": np.arange(100) * 1.01 * pq.ms},
            {"times": np.full(100, np.nan) * pq.s},
        )
    ),
    (
        WARNING,
        "begin-differs",
        lambda: IrregularlySampledSignal(([1.0, 2.0], "mV"), times=([1.0, 2.5], "s"), t_start=2 * pq.s),
        "t_start",
    ),
    (
        INFO,
        "times-equidistant",
        lambda: IrregularlySampledSignal((WAVE, "mV"), times=(np.arange(100), "ms")),
        "times",
    ),
    (
        ERROR,
        "array-annotations-count",
        lambda: train(array_annotations={"quality": np.array([1, 2, 3])}),
        "array_annotations",
    ),
    (
        ERROR,
        "array-annotations-count",
        lambda: channels(np.stack([WAVE, -WAVE], 1), array_annotations={"depth": [1, 2, 3]}),
        "array_annotations",
    ),
    (WARNING, "view-repeats-channel", lambda: view(0, 1, 0), ""),
    (
        WARNING,
        "waveforms-default-rate",
        lambda: train(waveforms=waves((2, 1, 30)), sampling_rate=1 * pq.Hz),
        "sampling_rate",
    ),
    (ERROR, "bound-between-ticks", lambda: train(np.array([1, 2]), t_stop=2.7 * pq.s), "t_stop"),
    (ERROR, "bound-between-ticks", lambda: train(np.array([1, 2]), t_start=-500 * pq.ms), "t_start"),
    (INFO, "group-cycle", grouped_in_itself, "recordingchannelgroups"),
    (ERROR, "parents-of-two-blocks", lambda: of_two_blocks(train(), "unit"), "unit"),
    (ERROR, "parents-of-two-blocks", lambda: of_two_blocks(Spike(1 * pq.s), "unit"), "unit"),
    (
        ERROR,
        "parents-of-two-blocks",
        lambda: of_two_blocks(channels(np.stack([WAVE, -WAVE], 1)), "recordingchannelgroup"),
        "recordingchannelgroup",
    ),
    (WARNING, "extension-newer", of_a_newer_version, "ext"),
    (WARNING, "number-as-text", lambda: odml_property("string", "12.5", "3"), "values"),
]


@pytest.mark.case(12, 17, 18, 32, 33, 34, 41, 52, 82, 84)
@pytest.mark.parametrize(("severity", "code", "make", "field"), CASES, ids=[f"{c[1]}-{n}" for n, c in enumerate(CASES)])
def test_a_rule_finds_what_it_is_for(severity: str, code: str, make: Callable[[], Any], field: str) -> None:
    model = make()
    (issue,) = [issue for issue in validate(model).issues if issue.code == code]
    assert (issue.severity, issue.path) == (severity, f"{model.kind}.{field}" if field else model.kind)
    assert issue.message
    assert issue.remedy


def test_every_rule_has_a_case() -> None:
    beside = {"parent-not-found"}  # it needs a session, and has a test below
    assert {each.code for rules in RULES.values() for each in rules} - beside == {case[1] for case in CASES}


def test_a_parent_that_is_not_there_is_found_where_there_is_a_session_to_ask() -> None:
    with Session(":memory:") as session:
        lost = session.add(Segment("s", block="electrophysiology/block/2DFA548ESC"))
        (issue,) = validate(lost).issues
        assert (issue.severity, issue.code, issue.path) == (ERROR, "parent-not-found", "segment.block")
        session.rollback()
    assert [issue.code for issue in validate(Segment("s", block="electrophysiology/block/2DFA548ESC")).issues] == []


def test_a_section_inside_itself_is_found_from_each_section_of_the_ring() -> None:
    outer = Section("outer", type="t")
    inner = Section("inner", type="t", section=outer)
    assert validate(inner).ok
    outer.section = inner
    for section in (outer, inner):
        (issue,) = validate(section).issues
        assert (issue.severity, issue.code, issue.path) == (ERROR, "section-cycle", "section.section")


def refused(make: Callable[[neo.Segment], None]) -> tuple[str, str]:
    """Code and path of the only issue of a block whose second segment was spoilt."""
    block = neo.Block()
    block.segments.extend([neo.Segment(), neo.Segment()])
    make(block.segments[1])
    (issue,) = validate(block).errors
    return issue.code, issue.path


def test_what_cannot_be_converted_is_told_at_its_place() -> None:
    def objects(segment: neo.Segment) -> None:
        segment.annotations = {"a": {"b": object()}}

    def millivolts(segment: neo.Segment) -> None:
        segment.events.append(neo.Event([1.0], units="mV"))

    def factor(segment: neo.Segment) -> None:
        unit = pq.CompoundUnit("2*3*mV")
        segment.analogsignals.append(neo.AnalogSignal([1.0], units=unit, sampling_rate=1 * pq.Hz))

    def ends_early(segment: neo.Segment) -> None:
        train = neo.SpikeTrain([] * pq.s, t_start=1 * pq.s, t_stop=2 * pq.s)
        train.t_stop = 0 * pq.s
        segment.spiketrains.append(train)

    def in_both(segment: neo.Segment) -> None:
        event = neo.Event([1.0], units="s")
        segment.block.segments[0].events.append(event)
        segment.events.append(event)

    assert refused(objects) == ("not-convertible", "block.segments[1].annotations['a']['b']")
    assert refused(millivolts) == ("unit-refused", "block.segments[1].events[0].times")
    assert refused(factor) == ("unit-refused", "block.segments[1].analogsignals[0].signal")
    assert refused(ends_early) == ("not-convertible", "block.segments[1].spiketrains[0].t_stop")
    assert refused(in_both)[0] == "multiple-parents"


def test_an_info_is_no_fault() -> None:
    report = validate(IrregularlySampledSignal((WAVE, "mV"), times=(np.arange(100), "ms")))
    assert (report.ok, report.warnings, [issue.code for issue in report.notes]) == (True, [], ["times-equidistant"])
    assert report.summary() == []
    assert str(report).splitlines()[1].startswith("  info times-equidistant")


def test_a_rule_with_the_same_code_replaces_ours() -> None:
    kept = list(RULES["analogsignal"])
    try:

        @rule("analogsignal", code="constant-channel", severity=ERROR)
        def check(signal: Any) -> Iterator[Finding]:
            yield Finding("signal", "is judged anew", "nothing")

        assert [str(issue) for issue in validate(signal(np.zeros(100))).issues if issue.code == "constant-channel"] == [
            "error constant-channel at analogsignal.signal: is judged anew; nothing"
        ]
    finally:
        RULES["analogsignal"][:] = kept


@pytest.mark.parametrize(
    "make",
    [
        lambda: signal(),
        lambda: signal(np.empty(0)),
        lambda: signal(np.zeros(3)),
        lambda: signal((WAVE * 100).astype("u1")),
        lambda: channels(np.stack([WAVE, -WAVE], 1), array_annotations={"channel_names": ["a", "b"]}),
        lambda: channels(np.empty((0, 3))),
        lambda: AnalogSignal(),
        lambda: IrregularlySampledSignal((WAVE, "mV"), times=(np.arange(100) ** 2, "ms"), t_start=0 * pq.s),
        lambda: IrregularlySampledSignal(),
        lambda: signal(name="Vm and current"),
        lambda: AnalogSignal((WAVE, "degC"), sampling_rate="1 kHz", name="potential"),
        lambda: signal(annotations={"sampling_period": 1 * pq.ms, "t_stop": 0.1 * pq.s, "duration": "long"}),
        lambda: signal(annotations={"times": (np.arange(100) + 0.4) * pq.ms}),
        lambda: signal(annotations={"times": np.arange(3) * pq.ms}),
        lambda: train(np.array([1, 2]), t_stop=2000 * pq.ms),
        lambda: SpikeTrain((np.array([1, 2]), "us"), t_start=0 * pq.s, t_stop=0.3 * pq.s),
        lambda: signal(sampling_rate=pq.Quantity([1.0], "kHz"), t_start=pq.Quantity([1.0], "s")),
        lambda: train(array_annotations={"quality": np.array([1, 2])}),
        lambda: odml_property("string", "12.5", "mouse"),
        lambda: train(),
        lambda: train(np.empty(0)),
        lambda: train([0.0, 10.0]),
        lambda: train([0.1, 0.3], t_start=100 * pq.ms, t_stop=300 * pq.ms),
        lambda: train(t_start=None, t_stop=np.inf * pq.s),
        lambda: train(waveforms=waves((2, 4, 30)), sampling_rate=30 * pq.kHz),
        lambda: SpikeTrain(),
        lambda: Spike(1 * pq.s, sampling_rate=1 * pq.kHz),
        lambda: Event("go", time=1 * pq.s),
        lambda: EventArray(([1.0, 2.0], "s"), labels=["a", "b"]),
        lambda: EventArray((np.array([1, 2]), "ms")),
        lambda: EpochArray(([1.0], "s"), durations=([0.0], "s")),
        lambda: EpochArray(),
        lambda: Block(rec_datetime=aware(1)),
        lambda: with_children(Block(), "block", Segment(index=0), Segment(index=1), Segment(), Segment()),
        lambda: group(1, 2),
        lambda: train(np.arange(200) / 100),
        lambda: train(waveforms=waves((2, 4, 30)), sampling_rate=30 * pq.kHz, left_sweep=0.5 * pq.ms),
        lambda: odml_property("float", "12.5", "nan"),
        lambda: odml_property("int", "1", "2", val_cardinality=[1, 2]),
        lambda: linked("/Subject/Surgery"),
        lambda: linked("Subject/Surgery"),
        lambda: linked("../Subject"),
        lambda: with_children(Section("a", type="t"), "section", Property("p", dependency="q"), Property("q")),
        lambda: with_children(Section("a", type="t"), "section", Property("a"), Section("a", type="t")),
    ],
)
def test_what_is_in_order_gives_no_issue(make: Callable[[], Any]) -> None:
    assert [str(issue) for issue in validate(make()).issues] == []


def test_an_issue_names_the_path_from_the_object_that_was_given() -> None:
    segment = with_children(Segment("s"), "segment", train(), train([1.0, 11.0]))
    block = with_children(Block("b"), "block", Segment("empty"), segment)
    (issue,) = validate(block).issues
    assert issue.path == "block.segments[1].spiketrains[1].times"
    assert issue.value == "1 of them, first 11.0 s"


def test_a_train_in_a_unit_and_a_segment_is_judged_once() -> None:
    both = train([2.0, 1.0])
    block = Block("b")
    group_ = RecordingChannelGroup("g", block=block)
    both.segment = Segment("s", block=block)
    both.unit = Unit("u", recordingchannelgroup=group_)
    assert [issue.path for issue in validate(block).issues] == ["block.segments[0].spiketrains[0].times"]


def test_a_deep_tree_of_sections_is_no_problem() -> None:
    document = Document()
    parent = Section("s", type="t", document=document)
    for _ in range(3000):
        parent = Section("s", type="t", section=parent)
    parent.type = None
    (issue,) = validate(document).issues
    assert issue.code == "section-type-missing"


def test_a_report_counts_prints_and_becomes_json() -> None:
    block = with_children(Block("b"), "block", Segment(index=1), Segment(index=1))
    with_children(block.segments[0], "segment", *(train([2.0, 1.0]) for _ in range(5)), train([1.0, 11.0]))
    report = validate(block)
    assert (report.ok, len(report.errors), len(report.warnings), len(report)) == (False, 1, 6, 7)
    assert str(report).splitlines()[0].endswith("1 error, 6 warnings")
    assert len(str(report).splitlines()) == 8
    written = json.loads(report.to_json())
    assert (written["ok"], len(written["issues"])) == (False, 7)
    assert written["issues"][0].keys() == {"severity", "code", "path", "value", "message", "remedy"}


def test_a_value_of_odml_1_0_is_judged_by_its_own_type() -> None:
    item = odml_property("date", "2011-12-01", "10:20:30", "noon")
    for value in item.values[1:]:
        value._set_ext({"v": 1, "dtype": "time"})
    (issue,) = validate(item).issues
    assert (issue.code, issue.message, issue.value) == ("value-not-of-dtype", "a value is no time", "noon")


def test_a_summary_keeps_apart_what_one_rule_says_of_different_things() -> None:
    properties = [odml_property("int", "one"), odml_property("date", "noon", "today")]
    for number, item in enumerate(properties):
        item.name = f"p{number}"
    lines = validate(with_children(Section("a", type="t"), "section", *properties)).summary()
    assert [line.split(" (")[0] for line in lines] == [
        "error value-not-of-dtype at section.properties[0].values: a value is no int",
        "error value-not-of-dtype: a value is no date, 2 times",
    ]


def test_a_summary_has_one_line_for_each_kind_of_issue() -> None:
    segment = with_children(Segment("s", block=Block("b")), "segment", *(train([2.0, 1.0]) for _ in range(5)))
    assert validate(segment).summary() == [
        "warning spikes-unsorted: are not in order, 5 times (at segment.spiketrains[0].times, "
        "segment.spiketrains[1].times, segment.spiketrains[2].times, ...); sort them, with their waveforms"
    ]


@pytest.fixture
def own_rule() -> Iterator[None]:
    kept = list(RULES["block"])

    @rule("block", code="name-without-date", severity=WARNING)
    def check(block: Any) -> Iterator[Finding]:
        if not block.name[:4].isdigit():
            yield Finding("name", "does not begin with a year", "rename it", block.name)

    yield
    RULES["block"][:] = kept


@pytest.mark.usefixtures("own_rule")
def test_a_rule_of_ones_own_is_added_by_a_decorator() -> None:
    (issue,) = validate(Block("cell 3")).issues
    assert (issue.code, issue.path, issue.value) == ("name-without-date", "block.name", "cell 3")
    assert validate(Block("2020 cell 3")).ok


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (lambda block: [Finding("name", block.name.upper(), "")], "AttributeError: 'NoneType' object has no"),
        (lambda _: None, "TypeError: 'NoneType' object is not iterable"),
        (lambda _: ["no good name"], "TypeError: it gives 'no good name', not a Finding"),
    ],
)
def test_a_rule_of_ones_own_that_fails_is_named_with_the_place(check: Any, words: str) -> None:
    kept = list(RULES["block"])
    rule("block", code="own", severity=WARNING)(check)
    try:
        with pytest.raises(ValidationFailed, match=f"^The rule 'own' fails at block: {words}"):
            validate(Block())
    finally:
        RULES["block"][:] = kept


@pytest.mark.parametrize(
    ("kind", "severity", "words"),
    [
        ("spiketrian", WARNING, "did you mean 'spiketrain'"),
        ("block", "fatal", "'error', 'warning' or 'info', not 'fatal'"),
    ],
)
def test_a_rule_for_an_unknown_kind_or_severity_is_refused(kind: str, severity: str, words: str) -> None:
    with pytest.raises(ValidationFailed, match=words):
        rule(kind, code="c", severity=severity)


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="int cannot be validated"):
        validate(3)
