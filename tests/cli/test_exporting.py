from __future__ import annotations

import json

import pytest


@pytest.fixture
def block(filled_lab, listed):
    return listed(filled_lab, "block")[0]["location"]


def test_a_document_is_written_as_odml_without_loss(run, filled_lab, listed, tmp_path):
    import odml

    document = listed(filled_lab, "document")[0]
    path = tmp_path / "out.odml"
    result = run("export", document["location"], path, "--lab", filled_lab)
    assert result.exit_code == 0, result.output
    assert "it is the same as in the lab" in result.stdout
    amplitude = odml.load(str(path), show_warnings=False).sections["Stimulus"].properties["Amplitude"]
    assert (amplitude.values, amplitude.unit) == (["100", "150", "200", "250"], "pA")


def test_a_block_is_written_as_nix_and_what_differs_is_listed(run, filled_lab, block, tmp_path):
    pytest.importorskip("nixio")
    path = tmp_path / "out.nix"
    result = run("export", block, path, "--lab", filled_lab, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert path.stat().st_size > 100_000
    assert any("metadata is lost; export the document" in loss for loss in found["losses"])
    assert list(tmp_path.glob(".*")) == []


def test_a_file_that_is_there_is_replaced_only_when_asked(run, filled_lab, listed, tmp_path):
    document = listed(filled_lab, "document")[0]["location"]
    path = tmp_path / "out.odml"
    path.write_text("mine")
    refused = run("export", document, path, "--lab", filled_lab)
    assert (refused.exit_code, path.read_text()) == (1, "mine")
    assert run("export", document, path, "--replace", "--lab", filled_lab).exit_code == 0
    assert "<odML" in path.read_text()


@pytest.mark.parametrize("name", ["out.abf", "out", "out.odml"])
def test_other_suffixes_list_what_is_possible(run, filled_lab, block, tmp_path, name):
    result = run("export", block, tmp_path / name, "--lab", filled_lab)
    assert result.exit_code == 1
    assert ".nix, .nwb, .mat" in result.stderr
    assert not (tmp_path / name).exists()
