from __future__ import annotations

import json

import pytest

from gnode_orm import Block, Session


@pytest.fixture
def block(lab, listed):
    return listed(lab, "block", "name=cell07_trial1")[0]["location"]


def count(lab, model=Block):
    with Session(lab) as session:
        return session.query(model).count()


def test_delete_refuses_to_orphan_children_and_counts_them(run, lab, block):
    result = run("delete", block, "--yes", "--lab", lab)
    assert result.exit_code == 1
    assert "1 Segment" in result.stderr
    assert "--cascade" in result.stderr
    assert count(lab) == 3


def test_delete_asks_with_counts_and_takes_no_for_an_answer(run, lab, block):
    result = run("delete", block, "--cascade", "--lab", lab, input="n\n")
    assert result.exit_code == 1
    assert "1 Segment" in result.stderr
    assert "1 AnalogSignal" in result.stderr
    assert "Nothing was deleted" in result.stderr
    assert count(lab) == 3


def test_delete_without_an_answer_deletes_nothing(run, lab, block):
    result = run("delete", block, "--cascade", "--lab", lab, input="")
    assert result.exit_code == 1
    assert "Nothing was deleted" in result.stderr
    assert count(lab) == 3


@pytest.mark.parametrize(("options", "answer"), [(["--yes"], None), ([], "y\n")])
def test_delete_with_consent_deletes(run, lab, block, options, answer):
    result = run("delete", block, "--cascade", *options, "--lab", lab, input=answer)
    assert result.exit_code == 0
    assert "Deleted block/" in result.stdout
    assert count(lab) == 2


def test_a_dry_run_shows_and_deletes_nothing(run, lab, block):
    result = run("delete", block, "--cascade", "--dry-run", "--lab", lab)
    assert result.exit_code == 0
    assert "Would delete block/" in result.stdout
    assert count(lab) == 3


def test_delete_writes_json(run, lab, block):
    result = run("delete", block, "--cascade", "--yes", "--json", "--lab", lab)
    found = json.loads(result.stdout)
    assert found["deleted"] is True
    assert found["children"]["segment"] == 1


def test_deleting_what_others_own_is_refused(run, lab, block):
    assert run("share", block, "jeff", "--lab", lab).exit_code == 0
    result = run("delete", block, "--cascade", "--yes", "--lab", lab, "--user", "jeff")
    assert result.exit_code == 1
    assert count(lab) == 3


def test_sharing_shows_and_unsharing_hides(run, lab, block):
    assert "jeff (write)" in run("share", block, "jeff", "write", "--lab", lab).stdout
    assert "cell07_trial1" in run("ls", "--lab", lab, "--user", "jeff").stdout
    assert "shared with nobody" in run("unshare", block, "jeff", "--lab", lab).stdout
    assert "0 blocks visible to jeff" in run("ls", "--lab", lab, "--user", "jeff").stdout


def test_sharing_writes_json(run, lab, block):
    result = run("share", block, "jeff", "--lab", lab, "--json")
    assert json.loads(result.stdout) == {"location": block, "access": {"jeff": "read"}}


def test_only_roots_can_be_shared_and_only_at_known_levels(run, lab, listed, block):
    segment = listed(lab, "segment")[0]["location"]
    result = run("share", segment, "jeff", "--lab", lab)
    assert result.exit_code == 2
    assert "share its block or document" in result.stderr
    assert run("share", block, "jeff", "admin", "--lab", lab).exit_code == 2
    result = run("unshare", block, "jeff", "--lab", lab)
    assert result.exit_code == 1
    assert "is not shared with 'jeff'" in result.stderr
