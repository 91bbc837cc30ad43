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


def test_gc_shows_and_removes_nothing(run, littered):
    before = count(littered)
    result = run("gc", littered)
    expected = f"Would remove 2 arrays, 2 array files (0.2 MB); gnode-orm gc {littered} --remove does it\n"
    assert (result.exit_code, result.stdout) == (0, expected)
    assert run("gc", littered, "--older-than", "0.5").exit_code == 2
    assert count(littered) == before


def test_gc_removes_where_that_is_asked_for(run, littered):
    before = count(littered)
    result = run("gc", littered, "--remove")
    assert (result.exit_code, result.stdout) == (0, "Removed 2 arrays, 2 array files (0.2 MB)\n")
    assert count(littered) == before - 2
    assert "cell07_trial1" in run("ls", "--lab", littered).stdout
    assert run("gc", littered, "--remove").stdout == f"Everything in {littered} is of use\n"


def test_gc_writes_json(run, littered):
    expected = {"arrays": 2, "files": 2, "packs": 0, "beside": 0, "uploads": 0, "temporary": 0}
    shown = json.loads(run("gc", littered, "--json").stdout)
    done = json.loads(run("gc", littered, "--remove", "--json").stdout)
    assert shown == {"lab": str(littered), "removed": False, **expected, "bytes": shown["bytes"]}
    assert done == {**shown, "removed": True}
