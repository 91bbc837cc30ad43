from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gnode_orm import Session
from gnode_orm.convert.odml import to_odml
from gnode_orm.files.odml import read_odml
from gnode_orm.models import Document
from tests.convert.odml.shapes import shape, told

# Comparing reads every relation of a tree at first use.
pytestmark = pytest.mark.filterwarnings("ignore::gnode_orm.errors.LazyLoadWarning")


def test_an_odml_object_comes_back_from_a_lab(rich: Any, tmp_path: Path) -> None:
    with Session(tmp_path / "lab") as session:
        session.add(rich)
        session.commit("metadata")
        location = session.query(Document).one().location
        assert location is not None
    with Session(tmp_path / "lab") as session:
        document = session.get(location)
        assert shape(to_odml(document)) == shape(rich)


def test_an_unchanged_odml_object_is_written_once(rich: Any) -> None:
    with Session(":memory:") as session:
        model = session.add(rich)
        session.commit("metadata")
        assert session.add(rich) is model
        assert list(session.dirty) == []
        rich.sections[0].properties[0].values = [1, 2, 3]
        session.add(rich)
        session.commit("more values")
        assert shape(to_odml(model)) == shape(rich)


@pytest.mark.parametrize("name", ["odml-v1-eeg", "odml-v1-json", "odml-v1-large", "odml-v11-blackrock"])
def test_a_file_comes_back_from_a_lab(name: str, data: Path, tmp_path: Path) -> None:
    (path,) = (data / name).iterdir()
    document = read_odml(path).document
    before = told(document)
    with Session(tmp_path / "lab") as session:
        session.add(document)
        session.commit("metadata")
        location = document.location
    with Session(tmp_path / "lab") as session:
        back: Any = session.get(location)
        assert told(back) == before
