from __future__ import annotations

import json
import re
from pathlib import Path

from gnode_orm import AnalogSignal, Block, Document, Section, Segment, Session, SpikeTrain
from gnode_orm.stores.local.database import Transaction


def test_blocks_are_listed_with_what_they_hold(run, filled_lab):
    result = run("ls", "--lab", filled_lab)
    header, first, *_ = result.stdout.splitlines()
    assert header.split() == ["block", "name", "owner", "segments", "signals", "trains", "events", "epochs"]
    assert re.match(r"block/\w{10}  cell07_trial1  \w+ +1 +1 +1 +1 +1$", first)


def test_documents_are_listed_with_their_first_sections(run, filled_lab):
    result = run("ls", "--lab", filled_lab)
    assert "Subject, Recording, Stimulus" in result.stdout
    assert "None" not in result.stdout


def test_json_counts_the_same(run, filled_lab):
    found = json.loads(run("ls", "--lab", filled_lab, "--json").stdout)
    assert found["totals"] == {"block": 3, "document": 1}
    assert [(item["name"], item["segments"], item["spike_trains"]) for item in found["blocks"]] == [
        ("cell07_trial1", 1, 1),
        ("cell07_trial2", 1, 1),
        ("cell07_trial3", 1, 1),
    ]


def test_counts_are_those_of_the_block_alone(run, tmp_path):
    with Session(tmp_path / "lab") as session:
        for name, number in (("a", 2), ("b", 5)):
            block = Block(name)
            for _ in range(number):
                segment = Segment("s", block=block)
                AnalogSignal(([1.0], "mV"), sampling_rate="1 kHz", segment=segment)
                SpikeTrain(([1.0], "ms"), t_stop="2 ms", segment=segment)
            session.add(block)
        session.commit()
    blocks = json.loads(run("ls", "--lab", tmp_path / "lab", "--json").stdout)["blocks"]
    assert [(item["segments"], item["signals"], item["spike_trains"]) for item in blocks] == [(2, 2, 2), (5, 5, 5)]


def test_a_long_listing_takes_no_more_statements_than_a_short_one(run, filled_lab, monkeypatch):
    texts = []
    rows = Transaction.rows
    monkeypatch.setattr(Transaction, "rows", lambda self, text, params: texts.append(text) or rows(self, text, params))
    for limit in (1, 3):
        texts.append(limit)
        run("ls", "--lab", filled_lab, "--limit", limit)
    short, long = texts[1 : texts.index(3)], texts[texts.index(3) + 1 :]
    assert 0 < len(short) == len(long)


def test_an_empty_listing_explains_itself(run, tmp_path):
    Session(tmp_path / "lab").close()
    result = run("ls", "--lab", tmp_path / "lab", "--user", "jeff")
    assert result.stdout == "0 blocks visible to jeff; others' private blocks are not listed\n"
    assert f"gnode-orm import FILES... --lab {tmp_path / 'lab'}" in result.stderr


def test_others_private_blocks_are_not_listed(run, filled_lab):
    result = run("ls", "--lab", filled_lab, "--user", "somebody")
    assert result.stdout == "0 blocks visible to somebody; others' private blocks are not listed\n"


def test_a_limit_says_how_many_there_are(run, filled_lab):
    result = run("ls", "--lab", filled_lab, "--limit", 1)
    assert "cell07_trial2" not in result.stdout
    assert "1 of 3 blocks are shown; --limit 3 shows all" in result.stderr


def test_what_has_no_name_is_said_to_have_none(run, tmp_path):
    with Session(tmp_path / "lab") as session:
        session.add(Block())
        document = Document()
        Section(document=document)
        session.add(document)
        session.commit()
    result = run("ls", "--lab", tmp_path / "lab")
    assert "(no name)" in result.stdout
    assert "None" not in result.stdout


def test_control_characters_in_names_are_shown_not_obeyed(run, tmp_path):
    with Session(tmp_path / "lab") as session:
        session.add(Block("red\x1b[31m\nline [bold]x[/bold]"))
        session.commit()
    result = run("ls", "--lab", tmp_path / "lab")
    assert "\x1b" not in result.stdout
    assert r"red\x1b[31m line [bold]x[/bold]" in result.stdout


def test_a_long_name_is_whole_when_piped(run, tmp_path):
    name = "recording of the left hemisphere, " * 10 + "end"
    with Session(tmp_path / "lab") as session:
        session.add(Block(name))
        session.commit()
    assert name in run("ls", "--lab", tmp_path / "lab").stdout


def test_a_missing_lab_names_the_nearest_and_the_way_to_make_it(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Session("data/lab").close()
    result = run("ls", "--lab", "data/lba")
    assert result.exit_code == 1
    assert result.stderr == "No lab at data/lba (nearest: data/lab). Make one: gnode-orm init data/lba\n"
    assert result.stdout == ""
    assert not Path("data/lba").exists()


def test_without_any_lab_the_ways_to_name_one_are_told(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("ls")
    assert result.exit_code == 2
    assert "--lab" in result.stderr
    assert "gnode-orm init lab" in result.stderr


def test_the_lab_beside_is_taken_when_none_is_named(run, lab, monkeypatch):
    monkeypatch.chdir(lab.parent)
    assert "cell07_trial1" in run("ls").stdout


def test_the_environment_names_the_lab(run, filled_lab, monkeypatch):
    monkeypatch.setenv("GNODE_ORM_TARGET", str(filled_lab))
    assert "cell07_trial1" in run("ls").stdout


def test_a_lab_in_postgresql_is_named_by_its_address(run, postgres_url, tmp_path, monkeypatch):
    refused = run("init", postgres_url)
    assert refused.exit_code == 1
    assert "GNODE_ORM_ARRAYS" in refused.stderr
    monkeypatch.setenv("GNODE_ORM_ARRAYS", str(tmp_path / "arrays"))
    assert run("init", postgres_url).exit_code == 0
    with Session(postgres_url) as session:
        session.add(Block("far away"))
        session.commit()
    assert "far away" in run("ls", "--lab", postgres_url).stdout
    assert run("doctor", "--lab", postgres_url).exit_code == 0
