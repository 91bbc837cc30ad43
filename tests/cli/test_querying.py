from __future__ import annotations

import datetime as dt
import json

import pytest

from gnode_orm import AnalogSignal, Block, Document, Segment, Session


@pytest.fixture(scope="module")
def varied_lab(tmp_path_factory):
    lab = tmp_path_factory.mktemp("varied") / "lab"
    with Session(lab) as session:
        for number, rate in enumerate(("1 kHz", "20 kHz", "30000 Hz")):
            block = Block(f"block {number}", index=number, rec_datetime=dt.datetime(2026, 1, 1 + number))  # noqa: DTZ001
            segment = Segment(
                f"Trial {number}", block=block, annotations={"drug": "TTX", "dose": number, "on": number > 1}
            )
            AnalogSignal(([1.0], "mV"), sampling_rate=rate, segment=segment, name=f"signal {number}")
            session.add(block)
        session.add(Document("Ada", date=dt.date(2014, 3, 21)))
        session.add(Segment("alone"))
        session.commit()
    return lab


@pytest.mark.parametrize(
    ("kind", "filters", "names"),
    [
        ("segment", ["name__icontains=TRIAL"], ["Trial 0", "Trial 1", "Trial 2"]),
        ("segment", ["name=Trial 1"], ["Trial 1"]),
        ("segments", ["name__in=Trial 0,Trial 2"], ["Trial 0", "Trial 2"]),
        ("Segment", ["name__icontains=trial", "name__endswith=2"], ["Trial 2"]),
        ("segment", ["block__name=block 1"], ["Trial 1"]),
        ("segment", ["block.name=block 1"], ["Trial 1"]),
        ("segment", ["block__index__gte=1"], ["Trial 1", "Trial 2"]),
        ("segment", ["block__isnull=true"], ["alone"]),
        ("segment", ["annotations__drug=TTX", "annotations__dose__gt=1"], ["Trial 2"]),
        ("segment", ["annotations__on=false"], ["Trial 0", "Trial 1"]),
        ("block", ["index__range=1,2"], ["block 1", "block 2"]),
        ("block", ["index=0"], ["block 0"]),
        ("block", ["rec_datetime__gte=2026-01-02"], ["block 1", "block 2"]),
        ("block", ["rec_datetime__day=3"], ["block 2"]),
        ("block", ["modified__gt=2000-01-01", "index__lt=1"], ["block 0"]),
        ("block", ["modified__lt=2000-01-01"], []),
        ("analogsignal", ["sampling_rate__gt=10 kHz"], ["signal 1", "signal 2"]),
        ("analogsignal", ["sampling_rate=20000 Hz"], ["signal 1"]),
        ("analogsignal", ["sampling_rate__in=1 kHz,30 kHz"], ["signal 0", "signal 2"]),
        ("analogsignal", ["segment__block__index=2"], ["signal 2"]),
        ("document", ["date=2014-03-21"], ["Ada"]),
        ("document", ["sections=false"], ["Ada"]),
    ],
)
def test_filters_take_values_of_the_fields_type(varied_lab, listed, kind, filters, names):
    found = listed(varied_lab, kind, *filters)
    assert [item.get("name", item.get("author")) for item in found] == names


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["segmnt"], "'segmnt' is no kind; did you mean 'segment'?"),
        (["segment", "nme=x"], "did you mean 'name'?"),
        (["segment", "name__icntains=x"], "did you mean 'icontains'?"),
        (["segment", "block__nme=x"], "did you mean 'name'?"),
        (["segment", "name"], "'name' is no filter"),
        (["block", "index=one"], "Block.index: 'one' is not a number"),
        (["block", "index__isnull=perhaps"], "neither true nor false"),
        (["block", "index__range=1"], "a range needs two values"),
        (["block", "rec_datetime=yesterday"], "is not a date or time such as"),
        (["document", "date=21.3.2014"], "is not a date such as 2014-03-21"),
        (["analogsignal", "sampling_rate__gt=10"], "10 kHz"),
        (["analogsignal", "sampling_rate__gt=10 mV"], "is not a rate"),
        (["segment", "block=segment/2DFA548ESC"], "is a segment, not a block"),
        (["segment", "--order-by", "nme"], "did you mean 'name'?"),
    ],
)
def test_wrong_use_says_what_was_meant(run, varied_lab, arguments, says):
    result = run("query", *arguments, "--lab", varied_lab)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_table_has_whole_locations_and_no_empty_columns(run, varied_lab, listed):
    result = run("query", "analogsignal", "--lab", varied_lab)
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["analogsignal", "name", "signal", "sampling_rate", "segment"]
    for row, item in zip(rows, listed(varied_lab, "analogsignal"), strict=True):
        kind, id = item["location"].split("/")[4:6]
        assert row.startswith(f"{kind}/{id}  ")
        assert "None" not in row


def test_order_and_limit_are_kept_and_the_total_is_told(run, varied_lab):
    result = run("query", "block", "--order-by", "-index", "--limit", 2, "--lab", varied_lab)
    assert [line.split("  ")[1] for line in result.stdout.splitlines()[1:]] == ["block 2", "block 1"]
    assert "2 of 3 blocks are shown" in result.stderr
    found = json.loads(run("query", "block", "--limit", 2, "--lab", varied_lab, "--json").stdout)
    assert (found["total"], len(found["objects"])) == (3, 2)


def test_nothing_found_is_said(run, varied_lab):
    result = run("query", "block", "name=nowhere", "--lab", varied_lab, "--user", "jeff")
    assert (result.exit_code, result.stdout) == (0, "0 objects of kind block visible to jeff meet the filter\n")
