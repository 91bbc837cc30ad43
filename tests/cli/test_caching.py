from __future__ import annotations

import json

import pytest

from gnode_orm.stores.rest import array_cache


@pytest.fixture
def kept(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("GNODE_ORM_CACHE_MB", "10")
    monkeypatch.setattr(array_cache, "cache_folder", lambda: folder)
    (folder / "whose" / "ab").mkdir(parents=True)
    (folder / "whose" / "ab" / "array.npy").write_bytes(b"x" * 1_500_000)
    return folder


def test_cache_shows_place_size_and_limit(run, kept):
    assert run("cache").stdout == f"{kept}: 1 array and 0 records, 1.5 of 10 MB\n"
    found = json.loads(run("cache", "--json").stdout)
    assert found == {"folder": str(kept), "arrays": 1, "records": 0, "bytes": 1_500_000, "limit": 10_000_000}


def test_cache_is_emptied(run, kept):
    for _ in range(2):
        assert run("cache", "--clear").stdout == f"{kept}: 0 arrays and 0 records, 0.0 of 10 MB\n"
    assert not kept.exists()


def test_a_cache_that_is_off_says_so(run, kept, monkeypatch):
    monkeypatch.setenv("GNODE_ORM_CACHE_MB", "0")
    assert "GNODE_ORM_CACHE_MB is 0" in run("cache").stdout
