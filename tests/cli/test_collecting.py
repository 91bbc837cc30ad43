from __future__ import annotations

import json
import os

import numpy as np
import pytest

from gnode_orm.stores.local import open_local
from tests.stores.test_arrays import Pieces


@pytest.fixture
def littered(lab):
    """A lab with two arrays that nothing names, sent long ago."""
    store = open_local(lab)
    for value in (1.0, 2.0):
        store.put_arrays([(Pieces(np.full(10_000, value), 10_000), "mV")])[0]
    with store._database.write() as transaction:
        transaction.run('UPDATE "array" SET touched = 0')
    store.close()
    for path in (lab / "arrays").rglob("*.npy"):
        os.utime(path, (0, 0))
    return lab


def count(lab):
    return len(list((lab / "arrays").rglob("*.npy")))


def test_gc_of_a_lab_without_litter_says_so(run, lab):
    result = run("gc", lab)
    assert (result.exit_code, result.stdout) == (0, f"Everything in {lab} is of use\n")


def test_gc_asks_and_takes_no_for_an_answer(run, littered):
    before = count(littered)
    for answer in ("n\n", ""):
        result = run("gc", littered, input=answer)
        assert result.exit_code == 1
        assert "Remove 2 arrays, 2 array files (0.2 MB)" in result.stderr
        assert "Nothing was removed" in result.stderr
    assert count(littered) == before


@pytest.mark.parametrize(("options", "answer"), [(["--yes"], None), ([], "y\n")])
def test_gc_with_consent_removes(run, littered, options, answer):
    before = count(littered)
    result = run("gc", littered, *options, input=answer)
    assert result.exit_code == 0
    assert result.stdout.endswith("Removed 2 arrays, 2 array files (0.2 MB)\n")
    assert count(littered) == before - 2
    assert "cell07_trial1" in run("ls", "--lab", littered).stdout


def test_gc_can_only_show(run, littered):
    before = count(littered)
    result = run("gc", littered, "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "Would remove 2 arrays, 2 array files (0.2 MB)\n")
    assert run("gc", littered, "--dry-run", "--older-than", "0.5").exit_code == 2
    assert count(littered) == before


def test_gc_writes_json(run, littered):
    expected = {"arrays": 2, "files": 2, "beside": 0, "uploads": 0, "temporary": 0}
    shown = json.loads(run("gc", littered, "--dry-run", "--json").stdout)
    done = json.loads(run("gc", littered, "--yes", "--json").stdout)
    assert shown == {"lab": str(littered), "removed": False, **expected, "bytes": shown["bytes"]}
    assert done == {**shown, "removed": True}
