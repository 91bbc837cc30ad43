"""Graphs that nobody thought of: neo's own random blocks, and ours."""

from __future__ import annotations

import os
import random
from typing import Any

import neo
import numpy as np
import pytest
from hypothesis import given, settings
from neo.test.generate_datasets import random_block

from gnode_orm.session import Lab, connect
from tests.conftest import ON_CI
from tests.convert.neo.graphs import blocks
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_memory, stored, stored_in
from tests.stores.conftest import emptied_postgres, postgres_lab, served_lab

__all__ = ["emptied_postgres", "postgres_lab"]

SEEDS = range(int(os.environ.get("GNODE_ORM_TEST_SEEDS", "200")))
FEW = range(10)


def block_of(seed: int) -> neo.Block:
    random.seed(seed)
    np.random.seed(seed)
    return random_block()


@pytest.mark.parametrize("seed", SEEDS)
def test_random_blocks_of_neo_come_back_from_a_store(seed: int) -> None:
    block = block_of(seed)
    assert_isomorphic(block, stored(block))


def test_random_blocks_of_neo_come_back_from_a_folder(tmp_path: Any) -> None:
    with connect(tmp_path / "lab") as lab:
        for seed in FEW:
            block = block_of(1000 + seed)
            assert_isomorphic(block, stored_in(lab, block))


def test_random_blocks_of_neo_come_back_from_postgresql(emptied_postgres: str, tmp_path: Any) -> None:
    with connect(emptied_postgres, arrays=tmp_path / "arrays") as lab:
        for seed in FEW:
            block = block_of(2000 + seed)
            assert_isomorphic(block, stored_in(lab, block))


def test_random_blocks_of_neo_come_back_from_a_server() -> None:
    with served_lab() as behind:
        for seed in FEW:
            block = block_of(3000 + seed)
            assert_isomorphic(block, stored_in(Lab(behind, "ann"), block))


@given(blocks())
def test_every_graph_comes_back(block: neo.Block) -> None:
    assert_isomorphic(block, in_memory(block))


@settings(max_examples=int(os.environ.get("GNODE_ORM_TEST_EXAMPLES", "200" if ON_CI else "100")))
@given(blocks())
def test_every_graph_comes_back_from_a_store(block: neo.Block) -> None:
    assert_isomorphic(block, stored(block))
