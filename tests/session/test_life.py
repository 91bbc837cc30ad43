"""The life of a session: opened, left, handed over, closed; what is pending is never lost in silence."""

from __future__ import annotations

import copy
import os
import pickle
import threading
import warnings

import pytest

import gnode_orm
from gnode_orm import Block, Lab, Segment, Session, connect
from gnode_orm.errors import (
    DetachedError,
    GnodeError,
    NotFound,
    SessionError,
    UncommittedChangesWarning,
    UnsupportedByStore,
    ValidationFailed,
)

STORES = ("folder", "memory")


@pytest.fixture
def place(lab):
    """Location of a stored block with one segment."""
    with lab.session() as session:
        segment = Segment("s", block=Block("b"))
        session.add(segment)
        session.commit()
        return segment.block.location


@pytest.mark.statement(83)
def test_leaving_with_something_pending_warns_with_counts_and_writes_nothing(lab, place):
    with pytest.warns(UncommittedChangesWarning) as caught, lab.session() as session:  # noqa: PT031
        block = session.get(place)
        block.name = "changed"
        session.add_all([Segment(str(number), block=block) for number in range(3)])
    (warning,) = caught
    assert str(warning.message) == (
        "Left with 4 uncommitted objects (3 Segment, 1 Block); nothing was written. Call commit()"
    )
    assert warning.filename == __file__
    with lab.session() as session:
        assert session.get(place).name == "b"


def test_leaving_with_nothing_pending_is_silent(lab, place):
    with warnings.catch_warnings(record=True) as caught, lab.session() as session:
        session.get(place).name = "b"
        assert session.dirty == []
    assert caught == []


@pytest.mark.statement(83)
def test_an_exception_rolls_back_and_goes_on(lab, place):
    with pytest.raises(ZeroDivisionError), lab.session() as session:  # noqa: PT012
        block = session.get(place)
        block.name = "changed"
        raise ZeroDivisionError
    assert block.name == "b"


@pytest.mark.statement(83)
def test_begin_commits_at_the_end(lab, place):
    with lab.session() as session, session.begin("renamed"):
        session.get(place).name = "changed"
    with lab.session() as session:
        block = session.get(place)
        assert block.name == "changed"
        assert session.history(block)[-1].message == "renamed"


@pytest.mark.statement(83)
def test_begin_rolls_back_when_it_raises(lab, place):
    with lab.session() as session:
        block = session.get(place)
        with pytest.raises(ZeroDivisionError), session.begin():  # noqa: PT012
            block.name = "changed"
            raise ZeroDivisionError
        assert block.name == "b"
        block.name = "usable"
        session.commit()


@pytest.mark.statement(84)
def test_a_closed_session_leaves_loaded_values_readable_and_says_what_to_do_for_others(lab, place):
    session = lab.session()
    block = session.get(place)
    segment = session.query(Segment).one()
    assert block.name == "b"
    session.close()
    session.close()
    assert (block.name, block.description, block.location) == ("b", None, place)
    with pytest.raises(DetachedError, match=r"with_\('segments'\)"):
        len(block.segments)
    with pytest.raises(DetachedError, match=r"with_\('block'\).*ref\('block'\)"):
        segment.block  # noqa: B018
    assert segment.ref("block") == place
    with pytest.raises(DetachedError, match="closed"):
        session.query(Block).all()
    with pytest.raises(DetachedError, match="closed"):
        session.commit()
    assert "closed" in repr(session)


def test_objects_of_a_closed_session_can_be_changed_and_taken_into_another(lab, place):
    session = lab.session()
    block = session.get(place)
    session.close()
    block.name = "changed"
    with lab.session() as other:
        other.add(block)
        assert other.dirty == [block]
        assert [segment.name for segment in block.segments] == ["s"]
        other.commit()


def test_a_new_object_of_a_closed_session_is_transient_again(lab):
    session = lab.session()
    block = session.add(Block("b"))
    session.close()
    with lab.session() as other:
        other.add(block)
        other.commit()
    assert block.location is not None


@pytest.mark.statement(82)
def test_using_a_session_from_two_threads_at_once_names_both(lab, place, monkeypatch):
    session = lab.session()
    inside, go_on = threading.Event(), threading.Event()
    get = lab.faults.get

    def slow(*args):
        inside.set()
        assert go_on.wait(10)
        return get(*args)

    monkeypatch.setattr(lab.faults, "get", slow)
    worker = threading.Thread(target=lambda: session.get(place), name="reader")
    worker.start()
    assert inside.wait(10)
    try:
        with pytest.raises(SessionError, match=r"'reader'.*'MainThread'"):
            session.commit()
        with pytest.raises(SessionError, match="'reader'"):
            session.add(Block("b"))
    finally:
        go_on.set()
        worker.join()
    session.close()


def test_a_session_may_be_handed_over(lab, place):
    session = lab.session()
    block = session.get(place)

    def work():
        block.name = "from another thread"
        session.commit()

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    block.description = "and back"
    session.commit()
    with lab.session() as other:
        stored = other.get(place)
        assert (stored.name, stored.description) == ("from another thread", "and back")
    session.close()


def test_many_threads_each_with_a_session_over_one_lab(lab, place):
    failures = []

    def work(number):
        try:
            for turn in range(3):
                with lab.session() as session, session.begin():
                    session.get(place).segments.append(Segment(f"{number}.{turn}"))
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    with lab.session() as session:
        names = {segment.name for segment in session.get(place).segments}
        assert names == {"s", *(f"{number}.{turn}" for number in range(6) for turn in range(3))}


def test_a_read_only_session_refuses_before_anything_is_changed(lab, place):
    with lab.session(readonly=True) as session:
        block = session.get(place)
        for change in (
            lambda: setattr(block, "name", "x"),
            lambda: block.annotations.update(x=1),
            lambda: session.add(Block("b")),
            lambda: session.delete(block),
            lambda: block.segments.append(Segment("s")),
            lambda: Segment("s", block=block),
            lambda: setattr(Segment("s"), "block", block),
            lambda: session.share(block, "jeff"),
        ):
            with pytest.raises(SessionError, match="read-only"):
                change()
        assert (block.name, block.annotations) == ("b", {})
        assert len(block.segments) == 1


def test_a_session_tells_what_it_holds(lab, place):
    session = lab.session()
    block = session.get(place)
    assert block in session
    assert Block("other") not in session
    assert "not an object" not in session
    block.name = "x"
    session.add(Block("new"))
    assert repr(session).endswith("as ann: 1 new, 1 changed, 0 to delete>")
    session.rollback()
    session.close()


def test_a_session_makes_a_lab_in_a_directory(tmp_path):
    with Session(tmp_path / "lab", username="ann") as session, session.begin():
        session.add(Block("b"))
    with Session(str(tmp_path / "lab"), username="ann") as session:
        assert session.query(Block).one().owner == "ann"


def test_a_lab_that_is_missing_is_not_made_for_reading(tmp_path):
    (tmp_path / "lab").mkdir()
    for options in ({"readonly": True}, {"create": False}, {"at": "0" * 32}):
        with pytest.raises(NotFound, match="gnode-orm init"):
            Session(tmp_path / "lba", **options)
    assert os.listdir(tmp_path) == ["lab"]


def test_the_lab_is_found_by_environment_or_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("GNODE_ORM_TARGET", raising=False)
    monkeypatch.setenv("GNODE_ORM_USERNAME", "from environment")
    with pytest.raises(NotFound, match="GNODE_ORM_TARGET"):
        Session()
    with Session("lab") as session, session.begin():
        session.add(Block("b"))
    with Session() as session:
        assert session.query(Block).one().owner == "from environment"
    monkeypatch.setenv("GNODE_ORM_TARGET", str(tmp_path / "other"))
    with Session() as session:
        assert session.query(Block).count() == 0


def test_the_configuration_file_names_a_lab(tmp_path, monkeypatch):
    from gnode_orm.session import lab as labs

    monkeypatch.chdir(tmp_path)
    for name in ("TARGET", "USERNAME"):
        monkeypatch.delenv(f"GNODE_ORM_{name}", raising=False)
    file = tmp_path / "config.toml"
    file.write_text(f"target = {str(tmp_path / 'configured')!r}\nusername = 'jeff'\n")
    monkeypatch.setattr(labs, "configuration_file", lambda: file)
    with Session() as session:
        assert session.user == "jeff"
    assert (tmp_path / "configured").is_dir()


@pytest.mark.parametrize(
    ("text", "message"), [("target = broken", "config.toml is not TOML"), ("target = 5", "target = 5: text in quotes")]
)
def test_a_configuration_file_that_cannot_be_read_is_named(tmp_path, monkeypatch, text, message):
    from gnode_orm.session import lab as labs

    monkeypatch.delenv("GNODE_ORM_TARGET", raising=False)
    file = tmp_path / "config.toml"
    file.write_text(text)
    monkeypatch.setattr(labs, "configuration_file", lambda: file)
    with pytest.raises(GnodeError, match=message):
        Session()


def test_a_session_is_over_one_lab(lab, tmp_path):
    with pytest.raises(ValidationFailed, match="one of target, store and lab"):
        Session(tmp_path / "other", store=lab.faults)
    assert not (tmp_path / "other").exists()


def test_a_lab_is_opened_once_for_many_sessions(tmp_path):
    with connect(tmp_path / "lab", username="ann") as lab:
        assert isinstance(lab, Lab)
        assert "as ann" in repr(lab)
        with lab.session() as session, session.begin():
            block = session.add(Block("b"))
        with lab.session(readonly=True) as session:
            assert session.get(block.location) is not block


def test_a_session_over_a_given_store(lab, place):
    with Session(store=lab.faults, username="ann", readonly=True) as session:
        assert session.get(place).name == "b"


@pytest.mark.parametrize("options", [{"password": "x"}, {"token": "x"}])
def test_a_lab_without_a_server_has_no_passwords(options):
    with pytest.raises(UnsupportedByStore, match="no passwords and tokens"):
        Session(":memory:", **options)


def test_classes_and_ids_are_checked(lab, place):
    with lab.session() as session:
        for wrong in (
            lambda: session.get("block"),
            lambda: session.get("blokc/1000000000"),
            lambda: session.get("block/short"),
            lambda: session.get(Session, "1000000000"),
            lambda: session.get(Block, 5),
            lambda: session.get(Block("b")),
            lambda: session.query("Block"),
            lambda: session.query(gnode_orm.core.entity.Entity),
        ):
            with pytest.raises(ValidationFailed):
                wrong()


def test_sessions_and_labs_refuse_copies_and_other_processes_and_say_what_to_do_there(lab, session):
    for item in (session, session.query(Block)):
        with pytest.raises(SessionError, match="open one there on the same lab"):
            pickle.dumps(item)
    with pytest.raises(SessionError, match="open one there"):
        copy.copy(session)
    with pytest.raises(SessionError, match=r"call connect\(\) there"):
        copy.deepcopy(session.lab)


@pytest.mark.parametrize("message", [5, "a\0b", "\ud800", "x" * 70_000])
def test_a_message_that_not_every_store_takes_is_refused_and_nothing_is_lost(session, message):
    block = session.add(Block("b"))
    with pytest.raises(ValidationFailed, match="a message is text of at most 65536 characters"):
        session.commit(message)
    assert session.new == [block]


def test_what_is_no_object_is_in_no_session(session):
    for act in (session.delete, session.refresh, session.expunge, session.preview_delete):
        with pytest.raises(SessionError, match="5 is not"):
            act(5)
    with pytest.raises(ValidationFailed, match="5 cannot be shared"):
        session.share(5, "jeff")
    with pytest.raises(ValidationFailed, match="5 is not the name of a user"):
        gnode_orm.connect(":memory:", username=5)


def test_what_no_session_can_open_get_or_add_is_said(session):
    with pytest.raises(ValidationFailed, match="5 is no lab; give a folder"):
        Session(5)
    with pytest.raises(ValidationFailed, match=r"get\(Block\) needs an id too"):
        session.get(Block)
    with pytest.raises(ValidationFailed, match=r"add_all\(\) takes several"):
        session.add([Block()])
    with pytest.raises(ValidationFailed, match="needs a list of objects"):
        session.load_arrays(Segment())


def test_a_session_that_cannot_begin_leaves_nothing_open_or_made(tmp_path, monkeypatch):
    closed = []
    close = Lab.close
    monkeypatch.setattr(Lab, "close", lambda lab: (closed.append(lab), close(lab)))
    with pytest.raises(ValidationFailed, match="5 is not the name of a user"):
        Session(tmp_path / "lab", username=5)
    assert not (tmp_path / "lab").exists()
    Session(tmp_path / "lab").close()
    closed.clear()
    with pytest.raises(GnodeError):
        Session(tmp_path / "lab", at="no commit")
    assert len(closed) == 1
