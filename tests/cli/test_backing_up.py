from __future__ import annotations

import json


def test_a_lab_goes_into_one_file_and_back(run, filled_lab, tmp_path):
    file, restored = tmp_path / "lab.tar", tmp_path / "restored"
    result = run("backup", filled_lab, file)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Wrote {filled_lab} to {file}: ")
    result = run("restore", file, restored)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Restored {restored} as it was at ")
    assert run("ls", "--lab", restored).stdout == run("ls", "--lab", filled_lab).stdout


def test_what_is_there_stays(run, filled_lab, tmp_path):
    file = tmp_path / "lab.tar"
    assert run("backup", filled_lab, file).exit_code == 0
    for command in (("backup", filled_lab, file), ("restore", file, filled_lab)):
        result = run(*command)
        assert result.exit_code == 1
        assert "is there already and stays as it is" in result.stderr


def test_backup_and_restore_write_json(run, filled_lab, tmp_path):
    file, restored = tmp_path / "lab.tar", tmp_path / "restored"
    made = json.loads(run("backup", filled_lab, file, "--json").stdout)
    again = json.loads(run("restore", file, restored, "--json").stdout)
    assert made.pop("lab") == str(filled_lab)
    assert again.pop("lab") == str(restored)
    assert made == again
    assert made["engine"] == "sqlite"
    assert made["nbytes"] > 0
