from __future__ import annotations

import json

from gnode_orm.stores.local.formats import FORMAT
from tests.stores.old_labs import old_folder


def test_upgrade_brings_an_old_lab_up_and_says_where_its_copy_is(run, tmp_path):
    lab = old_folder(tmp_path / "lab")
    refused = run("ls", "--lab", lab)
    assert refused.exit_code == 1
    assert f"gnode-orm upgrade {lab}" in refused.stderr
    result = run("upgrade", lab)
    assert result.exit_code == 0
    assert result.stdout == f"Brought {lab} from format 1 to format {FORMAT}\n"
    (copy,) = lab.glob("before-format-*.sqlite")
    assert str(copy) in result.stderr
    assert "Recording of old" in run("ls", "--lab", lab, "--user", "ann").stdout


def test_upgrade_of_a_lab_that_needs_none_changes_nothing(run, lab):
    result = run("upgrade", lab)
    assert (result.exit_code, result.stdout) == (0, f"{lab} has format {FORMAT} already; nothing was changed\n")
    assert json.loads(run("upgrade", lab, "--json").stdout) == {"before": FORMAT, "after": FORMAT, "copy": None}


def test_upgrade_writes_json(run, tmp_path):
    found = json.loads(run("upgrade", old_folder(tmp_path / "lab"), "--json").stdout)
    assert (found["before"], found["after"]) == (1, FORMAT)
    assert found["copy"].endswith(".sqlite")


def test_upgrade_of_what_is_no_lab_fails(run, tmp_path):
    result = run("upgrade", tmp_path / "none")
    assert result.exit_code == 1
    assert "No lab at" in result.stderr
