from __future__ import annotations

import json

import pytest

from gnode_orm import Block, Segment, Session


def test_a_block_is_shown_with_its_tree(run, filled_lab, listed):
    block = listed(filled_lab, "block", "name=cell07_trial1")[0]
    text = run("show", block["location"], "--lab", filled_lab).stdout
    assert text.startswith("Block cell07_trial1\n")
    assert "3 (private)" in text
    assert "holds 1 segment, 1 recordingchannelgroup" in text
    signal = listed(filled_lab, "analogsignal", "segment__block__name=cell07_trial1")[0]["location"]
    assert f"analogsignal/{signal.split('/')[5]}  Vm  60,000 in mV, 20000 Hz" in text


@pytest.mark.parametrize(
    "form", ["/api/v1/electrophysiology/block/{}/", "electrophysiology/block/{}", "block/{}", "block/{}/"]
)
def test_every_form_of_a_location_is_accepted(run, filled_lab, listed, form):
    id = listed(filled_lab, "block")[0]["id"]
    assert f"/block/{id}/" in run("show", form.format(id), "--lab", filled_lab).stdout


def test_what_an_object_belongs_to_is_named(run, filled_lab, listed):
    signal = listed(filled_lab, "analogsignal")[0]
    text = run("show", signal["location"], "--lab", filled_lab).stdout
    assert "cell07_trial1 sweep 1" in text
    assert "duration       3 s" in text
    assert "None" not in text


def test_a_document_is_shown_with_values_and_units(run, filled_lab, listed):
    document = listed(filled_lab, "document")[0]
    text = run("show", document["location"], "--lab", filled_lab).stdout
    assert "Amplitude  100 pA, 150 pA, 200 pA, 250 pA" in text


def test_a_large_tree_is_cut_and_says_so(run, tmp_path):
    with Session(tmp_path / "lab") as session:
        block = Block("large")
        for number in range(30):
            Segment(f"segment {number}", block=block)
        session.add(block)
        session.commit()
        location = block.location
    text = run("show", location, "--lab", tmp_path / "lab").stdout
    assert "and 20 more of segments" in text
    assert text.count("segment/") == 10


def test_json_has_fields_and_counts_of_children(run, filled_lab, listed):
    block = listed(filled_lab, "block")[0]
    found = json.loads(run("show", block["location"], "--lab", filled_lab, "--json").stdout)
    assert found["location"] == block["location"]
    assert found["children"] == {"segments": 1, "recordingchannelgroups": 1}


def test_an_object_that_is_not_there_is_told_in_one_line(run, filled_lab):
    result = run("show", "block/2DFA548ESC", "--lab", filled_lab)
    assert result.exit_code == 1
    assert result.stderr.startswith("No block 2DFA548ESC in ")
    assert len(result.stderr.splitlines()) == 1


def test_what_is_no_location_is_wrong_use(run, filled_lab):
    for text in ("blok/2DFA548ESC", "2DFA548ESC", "block/short"):
        result = run("show", text, "--lab", filled_lab)
        assert result.exit_code == 2, text
        assert result.stdout == ""
    assert "did you mean 'block'?" in run("show", "blok/2DFA548ESC", "--lab", filled_lab).stderr


def test_history_tells_when_by_whom_and_what(run, filled_lab, listed):
    block = listed(filled_lab, "block")[0]
    header, first, second = run("history", block["location"], "--lab", filled_lab).stdout.splitlines()
    assert header.split() == ["time", "user", "commit", "changes", "message"]
    assert first.endswith("import cell07_trial1.nex")
    assert "metadata: nothing → section/" in second
    versions = json.loads(run("history", block["location"], "--lab", filled_lab, "--json").stdout)
    assert versions[1]["changes"]["metadata"] == {"old": None, "new": block["metadata"]}
    assert isinstance(versions[0]["changes"]["ext"]["new"], dict)
