"""Strategies of graphs of neo objects: every class, any type, members shared by groups that hold each other."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import quantities as pq
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

UNITS = st.sampled_from(["s", "ms", "us", "min"])
NUMBERS = st.one_of(arrays.floating_dtypes(), arrays.integer_dtypes(), arrays.unsigned_integer_dtypes())
SAMPLE_TYPES = st.one_of(NUMBERS, arrays.complex_number_dtypes(), arrays.boolean_dtypes())
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.binary(max_size=8),
    st.complex_numbers(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.timedeltas(),
    st.decimals(),
    arrays.arrays(SAMPLE_TYPES, arrays.array_shapes(min_dims=0, max_dims=2, max_side=3)),
    st.builds(pq.Quantity, arrays.arrays("f8", arrays.array_shapes(min_dims=0, max_dims=1, max_side=3)), UNITS),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(TEXT, inner, max_size=3)
)
ANNOTATIONS = st.dictionaries(TEXT, VALUES, max_size=3)


@st.composite
def scalars(draw: st.DrawFn, units: st.SearchStrategy[str] = UNITS) -> Any:
    return pq.Quantity(draw(arrays.arrays(draw(NUMBERS), ())), draw(units))


@st.composite
def described(draw: st.DrawFn, native: Any) -> Any:
    native.name, native.description = draw(NAMES), draw(NAMES)
    native.annotations = draw(ANNOTATIONS)
    return native


@st.composite
def signals(draw: st.DrawFn) -> neo.AnalogSignal:
    samples = draw(
        arrays.arrays(draw(SAMPLE_TYPES), arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4))
    )
    signal = pq.Quantity(samples, draw(st.sampled_from(["mV", "pA", "degC", "uV**2/Hz", ""]))).view(neo.AnalogSignal)
    signal._sampling_rate = draw(scalars(st.sampled_from(["Hz", "kHz", "1/min", "mV"])))
    signal._t_start = draw(scalars() | st.floats())
    return draw(described(signal))


@st.composite
def trains(draw: st.DrawFn) -> neo.SpikeTrain:
    times = draw(arrays.arrays(draw(NUMBERS), st.integers(0, 4)))
    train = pq.Quantity(times, draw(UNITS)).view(neo.SpikeTrain)
    bounds = sorted([draw(st.floats(allow_nan=False)), draw(st.floats(allow_nan=False))])
    unit = draw(UNITS)
    train.t_start, train.t_stop = (pq.Quantity(bound, unit) for bound in bounds)
    train.waveforms = draw(st.none() | arrays.arrays(draw(NUMBERS), (len(times), 2, 3)))
    train.left_sweep = draw(st.none() | scalars() | st.floats())
    train.sampling_rate = draw(st.none() | scalars(st.sampled_from(["Hz", "kHz"])))
    train.unit = None
    return draw(described(train))


@st.composite
def irregular_signals(draw: st.DrawFn) -> neo.IrregularlySampledSignal:
    rows, channels = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    samples = pq.Quantity(draw(arrays.arrays(draw(SAMPLE_TYPES), (rows, channels))), "mV")
    signal = samples.view(neo.IrregularlySampledSignal)
    signal.times = pq.Quantity(draw(arrays.arrays("f8", rows)), draw(UNITS))
    signal.segment = None
    return annotated(draw, signal, channels)


@st.composite
def images(draw: st.DrawFn) -> neo.ImageSequence:
    shape = draw(st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(1, 3)))
    sequence = pq.Quantity(draw(arrays.arrays(draw(NUMBERS), shape)), "V").view(neo.ImageSequence)
    sequence.sampling_rate, sequence.t_start = draw(scalars(st.just("Hz"))), draw(scalars())
    sequence.spatial_scale = draw(scalars(st.just("um")) | st.floats())
    sequence.segment = None
    return annotated(draw, sequence, shape[2])


@st.composite
def events(draw: st.DrawFn) -> neo.Event:
    count = draw(st.integers(0, 4))
    event = pq.Quantity(draw(arrays.arrays(draw(NUMBERS), count)), draw(UNITS)).view(neo.Event)
    event._labels = draw(labels(count))
    event.segment = None
    return annotated(draw, event, count)


@st.composite
def epochs(draw: st.DrawFn) -> neo.Epoch:
    count = draw(st.integers(0, 4))
    epoch = pq.Quantity(draw(arrays.arrays(draw(NUMBERS), count)), draw(UNITS)).view(neo.Epoch)
    epoch._labels = draw(labels(count))
    epoch._durations = pq.Quantity(draw(arrays.arrays(draw(NUMBERS), draw(st.sampled_from([0, count])))), draw(UNITS))
    epoch.segment = None
    return annotated(draw, epoch, count)


def labels(count: int) -> st.SearchStrategy[Any]:
    """Labels of any type that neo allows, one for each time, or none."""
    words = st.lists(TEXT, min_size=count, max_size=count).map(lambda items: np.array(items, "U9"))
    return words | st.just(np.array([], "U")) | arrays.arrays(arrays.integer_dtypes(), count)


def annotated(draw: st.DrawFn, native: Any, count: int) -> Any:
    """Describe a data object, and annotate each of its ``count`` channels, events or epochs."""
    values = arrays.arrays(SAMPLE_TYPES, count) | arrays.arrays("f8", count).map(lambda array: array * pq.um)
    native.array_annotations = neo.core.dataobject.ArrayDict(count)
    for name, array in draw(st.dictionaries(TEXT, values, max_size=2)).items():
        dict.__setitem__(native.array_annotations, name, array)
    return draw(described(native))


@st.composite
def views(draw: st.DrawFn, data: list[Any]) -> list[Any]:
    """Views on signals and regions of images, any number of either."""
    made: list[Any] = []
    for item in data:
        if type(item) is neo.AnalogSignal and item.shape[1] and draw(st.booleans()):
            index = draw(arrays.arrays("i8", st.integers(1, 3), elements=st.integers(0, item.shape[1] - 1)))
            made.append(neo.ChannelView(item, index, name=draw(NAMES)))
        elif isinstance(item, neo.ImageSequence) and draw(st.booleans()):
            x, y = draw(st.integers(0, 9)), draw(st.floats(0, 9))
            made.append(
                draw(
                    st.sampled_from(
                        [
                            neo.CircularRegionOfInterest(item, x, y, radius=2.5, name="circle"),
                            neo.RectangularRegionOfInterest(item, x, y, width=3, height=1),
                            neo.PolygonRegionOfInterest(item, (x, y), (0, 1), (5, 5.5)),
                        ]
                    )
                )
            )
    return made


DATA = st.one_of(signals(), trains(), irregular_signals(), images(), events(), epochs())
LISTS = {
    neo.AnalogSignal: "analogsignals",
    neo.SpikeTrain: "spiketrains",
    neo.IrregularlySampledSignal: "irregularlysampledsignals",
    neo.ImageSequence: "imagesequences",
    neo.Event: "events",
    neo.Epoch: "epochs",
}


@st.composite
def blocks(draw: st.DrawFn) -> neo.Block:
    """A block: data in segments or in groups alone, groups in each other and in themselves."""
    block = draw(described(neo.Block()))
    segments = [draw(described(neo.Segment())) for _ in range(draw(st.integers(0, 3)))]
    block.segments.extend(segments)
    data = draw(st.lists(DATA, max_size=5))
    for item in data:
        place = draw(st.sampled_from([*segments, None]))
        if place is not None:
            getattr(place, LISTS[type(item)]).append(item)
    members = [*data, *draw(views(data))]
    groups = [draw(described(neo.Group())) for _ in range(draw(st.integers(0, 3)))]
    for group in groups:
        inside = draw(st.lists(st.sampled_from([*members, *groups]), max_size=4, unique_by=id))
        for item in inside:
            # add() of neo knows no regions of interest.
            (group.regionsofinterest.append if hasattr(item, "image_sequence") else group.add)(item)
    block.groups.extend(draw(st.permutations(groups))[: draw(st.integers(0, len(groups)))])
    return block
