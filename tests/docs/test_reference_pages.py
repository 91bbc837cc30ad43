"""The reference pages say what there is: no more, and no less."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import MutableSequence

import pytest

import gnode_orm
from gnode_orm import errors
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.collections import Collection
from gnode_orm.core.state import Tracker
from gnode_orm.models import AnalogSignal, AnalogSignalArray, Block, IrregularlySampledSignal
from gnode_orm.session import Session, connect
from gnode_orm.session.conflicts import Conflict
from gnode_orm.session.query import Query
from tests.docs.models_page import PAGE, page
from tests.docs.pages import ROOT, table_under

REFERENCE = ROOT / "docs/reference"
SESSION_PAGE = REFERENCE / "session.md"


def public(owner: type) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


# What users may call; the rest of these classes is for other modules of the package.
FOR_USERS = [
    (Session, "Session", public(Session) - public(Tracker)),
    (Query, "Query", public(Query)),
    (Collection, "Collections", public(MutableSequence) | {"loaded"}),
    (ArrayHandle, "Arrays", public(ArrayHandle) - {"in_memory", "stored", "ref", "held", "extremes", "overview"}),
]


SIGNALS = (AnalogSignal, AnalogSignalArray, IrregularlySampledSignal)


def names_in(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)", cell))


@pytest.mark.parametrize(("owner", "heading", "names"), FOR_USERS, ids=[heading for _, heading, _ in FOR_USERS])
def test_each_public_name_is_in_the_table(owner: type, heading: str, names: set[str]) -> None:
    listed = set().union(*(names_in(row[0]) for row in table_under(SESSION_PAGE, heading)))
    assert listed - {"handle"} == names
    assert names <= public(owner)


def test_what_signals_compute_is_in_the_table() -> None:
    listed = set().union(*(names_in(row[0]) for row in table_under(SESSION_PAGE, "Signals")))
    computed = set().union(*(public(model) - public(Block) - set(model.model_fields) for model in SIGNALS))
    assert listed == computed | {"times"}


def test_a_conflict_has_the_attributes_that_are_told() -> None:
    told = re.search(r"is a `Conflict` with (.*?);", (REFERENCE / "errors.md").read_text(encoding="utf-8"), re.DOTALL)
    assert told is not None
    assert set(re.findall(r"`\.(\w+)`", told[1])) == {item.name for item in dataclasses.fields(Conflict)}


def test_parameters_of_a_session_are_in_the_table() -> None:
    listed = [name for row in table_under(SESSION_PAGE, "Open") for name in re.findall(r"`(\w+)`", row[0])]
    assert set(listed) == set(inspect.signature(Session).parameters)
    assert set(listed[: listed.index("create") + 1]) >= set(inspect.signature(connect).parameters)


@pytest.mark.parametrize("name", ["commit", "share", "load_arrays", "delete", "begin"])
def test_parameters_of_calls_are_written_as_they_are(name: str) -> None:
    calls = " ".join(row[0] for row in table_under(SESSION_PAGE, "Session"))
    written = re.search(rf"`{name}\(([^)]*)\)", calls)
    assert written is not None
    parameters = [item.split("=")[0].strip() for item in written[1].split(",")]
    assert parameters == list(inspect.signature(getattr(Session, name)).parameters)[1:]


def error_rows(heading: str) -> list[tuple[str, list[str]]]:
    return [
        (row[0].strip("`"), re.findall(r"`(\w+)`", row[1])) for row in table_under(REFERENCE / "errors.md", heading)
    ]


def test_errors_and_warnings_are_listed_with_what_they_inherit() -> None:
    listed = dict(error_rows("Errors") + error_rows("Warnings"))
    classes = [getattr(errors, name) for name in errors.__all__ if inspect.isclass(getattr(errors, name))]
    assert listed == {item.__name__: [base.__name__ for base in item.__bases__] for item in classes}


def test_environment_variables_are_those_that_the_code_reads() -> None:
    listed = {row[0].strip("`") for row in table_under(REFERENCE / "configuration.md", "Environment variables")}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "gnode_orm").rglob("*.py"))
    named = set(re.findall(r"(?:_setting\(\"|environ\.get\(\"GNODE_ORM_)(\w+)\"", source))
    assert listed == {f"GNODE_ORM_{name}" for name in named}


def test_page_of_models_is_that_of_the_schema() -> None:
    """Written by ``python -m tests.docs.models_page``."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_public_names_of_the_package_are_told_somewhere() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    missing = [name for name in gnode_orm.__all__ if not re.search(rf"\b{name}\b", text)]
    assert missing == []
