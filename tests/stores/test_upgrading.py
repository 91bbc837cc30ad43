"""Labs of older formats: refused with the command that helps, and brought up without losing anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gnode_orm.models  # noqa: F401  (fills the schema)
from gnode_orm import AnalogSignal, Block, Segment, Session
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import FormatError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local import formats, open_local, upgrading
from gnode_orm.stores.local.formats import FORMAT
from gnode_orm.stores.local.upgrading import upgrade
from tests.stores.old_labs import old_folder, old_postgres
from tests.stores.rows import create, found


@pytest.fixture(params=["folder", "before servers", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Target and options of a lab of format 1."""
    if request.param != "postgres":
        yield str(old_folder(tmp_path / "lab", before_servers=request.param == "before servers")), {}
        return
    address = request.getfixturevalue("new_postgres")
    old_postgres(address, tmp_path / "arrays")
    yield address, {"arrays": tmp_path / "arrays"}


def test_an_older_lab_is_refused_with_the_command_that_helps(old):
    target, options = old
    with pytest.raises(FormatError, match=rf"has format 1; .* opens format {FORMAT}\. .*: gnode-orm upgrade .*"):
        open_local(target, **options)


def test_an_upgraded_lab_holds_everything_it_held(old):
    target, options = old
    done = upgrade(target, **options)
    assert (done.before, done.after) == (1, FORMAT)
    with Session(target, username="ann", **options) as session:
        block = session.query(Block).one()
        (segment,) = block.segments
        assert (block.name, block.annotations, block.guid) == (
            "Recording of old", {"cell": 7}, "538b743007a50b174f2237b2e28cd772",
        )  # fmt: skip
        assert segment.metadata.name == "Subject"
        assert [channel.name for channel in block.recordingchannelgroups[0].recordingchannels] == ["one"]
        small, large = segment.analogsignals
        assert small.signal.load().tolist() == [0, 1, 2, 3, 4]
        assert np.array_equal(large.signal[5000:].magnitude, np.arange(5000.0, 10_000))
        assert [version.message for version in session.history(segment)] == ["first", "second"]
        assert session.access(block) == {"ben": "write"}


def test_an_upgraded_lab_lists_objects_in_the_order_of_their_creation(old):
    target, options = old
    upgrade(target, **options)
    store = open_local(target, **options)
    for kind in SCHEMA:
        with store._database.read() as transaction:
            made = transaction.query(f'SELECT id, born FROM "{kind}" ORDER BY born, id')
        assert found(store, kind) == [id_ for id_, _ in made]
        assert found(store, kind, at=max((born for _, born in made), default=0)) == [id_ for id_, _ in made]
    store.close()


def test_an_upgraded_lab_takes_changes(old):
    target, options = old
    upgrade(target, **options)
    with Session(target, username="ben", **options) as session:
        segment = session.query(Segment).one()
        segment.name = "Trial one"
        AnalogSignal((np.arange(9_000.0), "mV"), segment=segment)
        session.commit("third")
    store = open_local(target, **options)
    store.accounts.add("eve", "pass-word")
    assert len(found(store, "analogsignal")) == 3
    store.close()


def test_an_upgraded_lab_has_the_tables_of_a_new_one(tmp_path):
    upgrade(str(old_folder(tmp_path / "old", before_servers=True)))
    open_local(tmp_path / "new").close()

    def tables(lab: Path) -> dict[str, list[tuple[Any, ...]]]:
        with closing(sqlite3.connect(lab / "lab.sqlite")) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns = {name: connection.execute(f'PRAGMA table_info("{name}")').fetchall() for name in names}
            indexes = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
            return {**columns, "indexes": sorted(sql.replace('"', "") for (sql,) in indexes)}

    assert tables(tmp_path / "old") == tables(tmp_path / "new")


def test_an_upgraded_lab_in_postgres_has_the_tables_of_a_new_one(new_postgres, postgres_lab, tmp_path):
    import psycopg

    old_postgres(new_postgres, tmp_path / "arrays")
    upgrade(new_postgres, arrays=tmp_path / "arrays")
    open_local(postgres_lab, arrays=tmp_path / "new").close()

    def columns(address: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(address.replace("+psycopg", "")) as connection:
            return connection.execute(
                "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default, "
                "collation_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
            ).fetchall()

    assert columns(new_postgres) == columns(postgres_lab)


def test_the_database_is_copied_before_it_is_changed(old, tmp_path):
    target, options = old
    done = upgrade(target, **options)
    assert done.copy is not None
    with closing(sqlite3.connect(done.copy)) as copy:
        assert copy.execute("SELECT format FROM lab").fetchall() == [(1,)]
        assert copy.execute("SELECT name, sampling_rate FROM analogsignal ORDER BY id").fetchall() == [
            ("small", 20.0),
            ("large", 10.0),
        ]
        assert copy.execute('SELECT count(*) FROM "array" WHERE length(hash) = 32').fetchall() == [(2,)]


def test_the_copy_of_a_folder_opens_in_the_place_of_its_database(tmp_path):
    lab = old_folder(tmp_path / "lab")
    done = upgrade(str(lab))
    assert done.copy is not None
    for item in lab.glob("lab.sqlite*"):
        item.unlink()
    done.copy.rename(lab / "lab.sqlite")
    with pytest.raises(FormatError, match="has format 1"):
        open_local(lab)
    assert upgrade(str(lab)).before == 1
    open_local(lab).close()


def test_upgrading_again_changes_nothing(old):
    target, options = old
    upgrade(target, **options)
    again = upgrade(target, **options)
    assert (again.before, again.after, again.copy) == (FORMAT, FORMAT, None)


def test_a_step_that_fails_leaves_the_lab_as_it_was(old, monkeypatch):
    target, options = old
    first = formats.STEPS[1]

    def cut_short(migration: formats.Migration) -> None:
        first(migration)
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setitem(formats.STEPS, 1, cut_short)
        with pytest.raises(StoreUnavailable, match="disk is full"):
            upgrade(target, **options)
    with pytest.raises(FormatError, match="has format 1"):
        open_local(target, **options)
    assert upgrade(target, **options).before == 1


def test_a_copy_that_fails_leaves_the_lab_as_it_was(old, monkeypatch):
    target, options = old

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(upgrading, "copy_database", full)
        with pytest.raises(StoreUnavailable, match="No space left"):
            upgrade(target, **options)
    with pytest.raises(FormatError, match="has format 1"):
        open_local(target, **options)


def test_a_newer_lab_is_refused_naming_the_version_that_made_it(tmp_path):
    open_local(tmp_path / "lab").close()
    with closing(sqlite3.connect(tmp_path / "lab" / "lab.sqlite")) as connection:
        connection.execute("UPDATE lab SET format = 99, package = '7.1.0'")
        connection.commit()
    for call in (open_local, upgrade):
        with pytest.raises(FormatError, match=r"format 99; .* Install gnode-orm 7\.1\.0 or newer"):
            call(str(tmp_path / "lab"))


def test_a_program_that_has_an_upgraded_lab_open_writes_nothing_more(tmp_path):
    store = open_local(tmp_path / "lab")
    with closing(sqlite3.connect(tmp_path / "lab" / "lab.sqlite")) as connection:
        connection.execute("UPDATE lab SET format = 99")
        connection.commit()
    with pytest.raises(FormatError, match="brought to format 99 while it was open"):
        create(store, "block")
    assert found(store, "block") == []
    store.close()


def test_what_cannot_be_upgraded_is_said(tmp_path):
    with pytest.raises(NotFound, match="No lab at"):
        upgrade(str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    with pytest.raises(ValidationFailed, match="A lab in memory"):
        upgrade(":memory:")
