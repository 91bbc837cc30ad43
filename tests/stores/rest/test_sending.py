"""Large arrays on their way to a server: what is new goes at once, nothing goes twice, and what differs stays apart."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection

import numpy as np
import pytest

from gnode_orm.core.arrayhash import LEAF, array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.streamed import StreamedArray, extended
from gnode_orm.errors import IntegrityError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local import staged_array
from gnode_orm.stores.rest import sending
from tests.stores.rest.growing import asked, held
from tests.stores.rest.serving import cut_after, cut_amid, cut_before
from tests.stores.rest.test_faults import ONCE
from tests.stores.test_arrays import Pieces, same

THREE_PIECES = np.random.default_rng(3).integers(-1000, 1000, (10_000_000,), dtype=np.int16)
PIECES = ["0", "1", "2"]


def changed(at: int) -> np.ndarray:
    """The same array but for one value."""
    array = THREE_PIECES.copy()
    array[at] += 1
    return array


def put(store, array):
    (ref,) = store.put_arrays([(array, "uV")])
    return ref


def sent(server, since=0):
    """The numbers of the pieces that were sent, in order."""
    return sorted(name for name in asked(server, since) if name.isdigit())


@pytest.fixture
def unhashed(monkeypatch):
    """Nobody hashes an array here."""
    monkeypatch.setattr(sending, "ArrayHasher", None)


def test_a_new_array_is_sent_without_being_hashed_here(server, ann, unhashed):
    ref = put(ann, held(THREE_PIECES))
    assert ref.hash == array_hash(THREE_PIECES)
    assert sent(server) == PIECES
    assert same(ann.read_array(ref), THREE_PIECES)


def test_a_new_array_is_read_once(ann):
    begun = []

    def pieces():
        begun.append(len(begun))
        yield from np.array_split(THREE_PIECES, 7)

    source = StreamedArray(pieces, shape=THREE_PIECES.shape, dtype=THREE_PIECES.dtype, unit="uV")
    assert same(ann.read_array(put(ann, source)), THREE_PIECES)
    assert begun == [0]


def test_a_source_may_give_every_piece_in_the_same_memory(ann):
    memory = np.empty(LEAF // 2, np.int16)

    def pieces():
        for start in range(0, len(THREE_PIECES), len(memory)):
            part = THREE_PIECES[start : start + len(memory)]
            memory[: len(part)] = part
            yield memory[: len(part)]

    source = StreamedArray(pieces, shape=THREE_PIECES.shape, dtype=THREE_PIECES.dtype, unit="uV")
    assert same(ann.read_array(put(ann, source)), THREE_PIECES)


def test_what_was_sent_before_is_not_sent_again(server, ann):
    ref = put(ann, held(THREE_PIECES))
    before = len(server.requests)
    other = server.open("ann")
    assert put(other, Pieces(THREE_PIECES, 1_000_000)) == ref
    assert sent(server, before) == []


@pytest.mark.parametrize("at", [0, 5_000_000, len(THREE_PIECES) - 1])
def test_an_array_that_differs_from_what_was_sent_is_sent(server, ann, at):
    first = put(ann, held(THREE_PIECES))
    ref = put(ann, held(changed(at)))
    assert ref.hash == array_hash(changed(at)) != first.hash
    assert same(ann.read_array(ref), changed(at))
    assert same(ann.read_array(first), THREE_PIECES)


def test_arrays_of_one_commit_that_begin_alike_stay_apart(ann):
    arrays = [THREE_PIECES, changed(9_000_000), THREE_PIECES.copy(), changed(5_000_000), THREE_PIECES[:-1]]
    refs = ann.put_arrays([(held(array), "uV") for array in arrays])
    for array, ref in zip(arrays, refs, strict=True):
        assert ref.hash == array_hash(array)
        assert same(ann.read_array(ref), array)


def test_arrays_that_begin_alike_but_are_of_other_shapes_are_not_taken_for_each_other(server, ann, unhashed):
    shapes = [THREE_PIECES, THREE_PIECES.reshape(-1, 2), THREE_PIECES[:-100], THREE_PIECES.view(np.uint16)]
    refs = [put(ann, held(array)) for array in shapes]
    assert [ref.hash for ref in refs] == [array_hash(array) for array in shapes]


def test_one_user_sends_the_same_array_from_many_programs_at_once(server):
    stores = [server.open("ann") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        refs = list(pool.map(lambda store: put(store, held(THREE_PIECES)), stores))
    assert {ref.hash for ref in refs} == {array_hash(THREE_PIECES)}
    assert same(stores[0].read_array(refs[0]), THREE_PIECES)


def test_a_stranger_with_the_same_array_sends_it_and_learns_nothing(server, ann, unhashed):
    put(ann, held(THREE_PIECES))
    before = len(server.requests)
    ben = server.by("ben")
    ref = put(ben, held(THREE_PIECES))
    assert asked(server, before)[-4:-3] == ["begin"]
    assert sent(server, before) == PIECES
    assert same(ben.read_array(ref), THREE_PIECES)


def test_nobody_adds_to_what_another_sends(server, local):
    upload = "0" * 48
    assert local.uploads.begin(upload, THREE_PIECES.dtype, THREE_PIECES.shape, "ann") == [0, 1, 2]
    first = THREE_PIECES.tobytes()[:LEAF]
    with pytest.raises(NotFound, match="not being sent"):
        server.by("ben")._sender._connection.exchange(
            "PUT", f"/api/v1/additions/arrays/uploads/{upload}/0", lambda answer: None, first
        )
    assert local.uploads.begin(upload[:32] + "1" * 16, THREE_PIECES.dtype, THREE_PIECES.shape, "ben") == [0, 1, 2]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("fault", [cut_before, cut_after])
def test_a_piece_whose_answer_is_lost_is_sent_again(server, ann, fault, piece):
    server.fault(f"/{piece}", fault)
    assert same(ann.read_array(put(ann, held(THREE_PIECES))), THREE_PIECES)


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_that_is_cut_off_in_its_middle_is_sent_again(server, ann, piece):
    server.fault(f"/{piece}", cut_amid)
    assert same(ann.read_array(put(ann, held(THREE_PIECES))), THREE_PIECES)
    assert Counter(sent(server))[piece] == 2


def test_the_bytes_of_pieces_go_one_piece_after_the_other(ann, monkeypatch):
    monkeypatch.setattr(sending, "_PATIENCE", 60)
    going, most, send = Counter(), [], HTTPConnection.send

    def watched(connection, data):
        if len(data) < 1 << 20:
            return send(connection, data)
        going["now"] += 1
        most.append(going["now"])
        try:
            return send(connection, data)
        finally:
            going["now"] -= 1

    monkeypatch.setattr(HTTPConnection, "send", watched)
    put(ann, held(THREE_PIECES))
    assert most == [1, 1, 1]


def test_a_piece_that_does_not_get_away_holds_up_no_other(ann):
    ann._sender._turn.acquire()
    assert same(ann.read_array(put(ann, held(THREE_PIECES))), THREE_PIECES)


def test_an_announcement_whose_answer_is_lost_is_made_again(server, ann, unhashed):
    server.fault("/begin", cut_after)
    assert same(ann.read_array(put(ann, held(THREE_PIECES))), THREE_PIECES)
    assert sent(server) == PIECES


def test_an_upload_that_was_removed_on_its_way_is_begun_anew(server, local, ann):
    def removed(exchange):
        collector = local.collector(timedelta(0))
        collector._limit = 1 << 62
        collector.remove(collector.find())
        exchange.handle()

    server.fault("/2", removed)
    assert same(ann.read_array(put(ann, held(THREE_PIECES))), THREE_PIECES)
    assert Counter(sent(server))["0"] == 2


@pytest.mark.parametrize("way", ["held", "pieces"])
def test_what_came_of_an_interrupted_upload_is_not_sent_again(server, way):
    def source():
        return held(THREE_PIECES) if way == "held" else Pieces(THREE_PIECES, 1_000_000)

    server.fault("/1", cut_before)
    with pytest.raises(StoreUnavailable):
        put(server.open("ann", ONCE), source())
    came = set(sent(server)) - {"1"}
    before = len(server.requests)
    ref = put(server.open("ann"), source())
    assert sent(server, before) == sorted(set(PIECES) - came)
    assert ref.hash == array_hash(THREE_PIECES)


def test_what_came_of_another_array_that_began_so_is_not_taken(server):
    server.fault("/2", cut_before)
    with pytest.raises(StoreUnavailable):
        put(server.open("ann", ONCE), held(THREE_PIECES))
    before = len(server.requests)
    other = changed(100_000)
    ann = server.open("ann")
    assert same(ann.read_array(put(ann, held(other))), other)
    assert sent(server, before) == PIECES


def test_the_first_content_of_a_piece_stands(local):
    upload, data = "0" * 48, [bytes([value]) * LEAF for value in (1, 2)]
    local.uploads.begin(upload, np.dtype("u1"), (2 * LEAF,), "ann")

    def keep(number, content):
        return local.uploads.put(upload, number, content, hashlib.sha256(content).digest(), "ann")

    assert not keep(0, data[0])
    with pytest.raises(IntegrityError, match=r"Piece 0 .* not what was announced or sent before"):
        keep(0, data[1])
    assert keep(1, data[1])
    whole = np.repeat(np.array([1, 2], "u1"), LEAF)
    assert same(local.read_array(ArrayRef(array_hash(whole), "|u1", whole.shape, None)), whole)


def test_what_a_crash_leaves_of_a_finished_upload_is_never_written_to(local, monkeypatch):
    upload, data = "0" * 48, bytes(range(256)) * (LEAF // 256) * 2
    with monkeypatch.context() as crash:
        crash.setattr(staged_array, "_unlink", lambda marks, data: marks.unlink())
        begun_and_sent(local, upload, np.dtype("u1"), data)
    # As another array by the same name, of which the first piece comes.
    local.uploads.begin(upload, np.dtype("<f8"), (LEAF,), "ann")
    local.uploads.put(upload, 0, bytes(LEAF), hashlib.sha256(bytes(LEAF)).digest(), "ann")
    whole = np.frombuffer(data, "u1")
    assert same(local.read_array(ArrayRef(array_hash(whole), "|u1", whole.shape, None)), whole)


def test_an_array_of_another_shape_by_the_name_of_one_that_is_sent_is_refused(local):
    upload, dtype = "0" * 48, np.dtype("u1")
    local.uploads.begin(upload, dtype, (LEAF + 5,), "ann")
    with pytest.raises(IntegrityError, match="by this name"):
        local.uploads.begin(upload, dtype, (2 * LEAF + 5,), "ann")
    with pytest.raises(IntegrityError, match="by this name"):
        local.uploads.go_on(upload, dtype, (2 * LEAF + 5,), bytes(96), "ann")
    assert local.uploads.begin(upload, dtype, (LEAF + 5,), "ann") == [0, 1]


def test_beginning_once_more_finishes_what_was_whole_when_the_server_was_killed(local, monkeypatch):
    upload, data = "0" * 48, bytes(range(256)) * (LEAF // 256) * 2
    with monkeypatch.context() as crash:
        crash.setattr(local.uploads, "_finish", lambda staged, actor: None)
        begun_and_sent(local, upload, np.dtype("u1"), data)
    whole = np.frombuffer(data, "u1")
    assert local.uploads.begin(upload, whole.dtype, whole.shape, "ann") == []
    assert same(local.read_array(ArrayRef(array_hash(whole), "|u1", whole.shape, None)), whole)


def test_what_was_not_on_disk_when_the_server_was_killed_is_before_it_is_stored(local, monkeypatch):
    upload, data = "0" * 48, bytes(range(256)) * (LEAF // 256) * 2
    with monkeypatch.context() as crash:
        crash.setattr(os, "fdatasync", lambda file: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            begun_and_sent(local, upload, np.dtype("u1"), data)
    done, sync, adopt = [], os.fdatasync, local._arrays.adopt
    monkeypatch.setattr(os, "fdatasync", lambda file: done.append("synced") or sync(file))
    monkeypatch.setattr(local._arrays, "adopt", lambda *given: done.append("stored") or adopt(*given))
    assert local.uploads.begin(upload, np.dtype("u1"), (len(data),), "ann") == []
    assert done == ["synced", "stored"]


def begun_and_sent(local, upload, dtype, data):
    local.uploads.begin(upload, dtype, (len(data) // dtype.itemsize,), "ann")
    for number in range(len(data) // LEAF):
        piece = data[number * LEAF : (number + 1) * LEAF]
        local.uploads.put(upload, number, piece, hashlib.sha256(piece).digest(), "ann")


def test_an_array_that_is_larger_than_the_disk_is_refused_and_leaves_nothing(server, ann, tmp_path):
    with pytest.raises(StoreUnavailable, match="No space left"):
        ann._sender._announce(Announced((2**47,)), "0" * 48)
    with pytest.raises(StoreUnavailable, match="No space left"):
        server.store.uploads.begin("0" * 48, np.dtype("u1"), (2**60,), "ann")
    uploads = server.store._arrays.files.scratch / "uploads"
    assert [path.name for path in uploads.iterdir()] == ["lock"]


class Announced:
    """What is told of an array before its pieces."""

    dtype = np.dtype("f8")

    def __init__(self, shape):
        self.shape = shape


def test_who_begins_without_an_end_loses_what_he_left_alone_for_longest_and_nobody_else_does(local, monkeypatch):
    monkeypatch.setattr(staged_array, "_MOST", 3)
    dtype, shape = np.dtype("u1"), (2 * LEAF,)
    local.uploads.begin("f" * 48, dtype, shape, "ben")
    names = [f"{number:048x}"[::-1] for number in range(1, 6)]
    for name in names:
        assert local.uploads.begin(name, dtype, shape, "ann") == [0, 1]
    piece = bytes(LEAF)
    for name, user in [*((name, "ann") for name in names[2:]), ("f" * 48, "ben")]:
        assert not local.uploads.put(name, 0, piece, hashlib.sha256(piece).digest(), user)
    for name in names[:2]:
        with pytest.raises(NotFound, match="begin it anew"):
            local.uploads.put(name, 0, piece, hashlib.sha256(piece).digest(), "ann")


@pytest.mark.parametrize(("number", "size"), [(0, LEAF - 1), (0, LEAF // 2), (1, LEAF), (1, 0)])
def test_a_piece_of_another_size_is_refused(local, number, size):
    upload = "0" * 48
    local.uploads.begin(upload, np.dtype("u1"), (LEAF + 5,), "ann")
    with pytest.raises(IntegrityError, match=f"Piece {number} of an array has {size} bytes"):
        local.uploads.put(upload, number, bytes(size), bytes(32), "ann")


@pytest.mark.parametrize("number", [-1, 2])
def test_a_piece_that_the_array_does_not_have_is_refused(local, number):
    upload = "0" * 48
    local.uploads.begin(upload, np.dtype("u1"), (LEAF + 5,), "ann")
    with pytest.raises(NotFound, match="2 pieces"):
        local.uploads.put(upload, number, b"", bytes(32), "ann")


@pytest.mark.parametrize("rows", [len(THREE_PIECES) - 1, len(THREE_PIECES) + 1, 100_000, LEAF])
def test_more_or_less_than_the_shape_says_is_refused(ann, rows):
    source = Pieces(THREE_PIECES, 1_000_000)
    source.shape = (rows,)
    with pytest.raises(ValidationFailed, match=r"bytes, \d+ are needed"):
        put(ann, source)


def test_what_is_altered_on_an_open_way_is_sent_again(server, ann):
    ann._sender._checks = True
    altered = []

    def alter(exchange):
        receive = exchange._receive

        async def received():
            message = await receive()
            if message.get("body") and not altered:
                altered.append(exchange)
                message["body"] = bytes([message["body"][0] ^ 1]) + message["body"][1:]
            return message

        exchange._receive = received
        exchange.handle()

    server.fault("/1", alter)
    ref = put(ann, held(THREE_PIECES))
    assert ref.hash == array_hash(THREE_PIECES)
    assert same(ann.read_array(ref), THREE_PIECES)
    assert altered


def test_an_array_that_grew_there_is_known_there(server, ann):
    base = ArrayHandle.stored(ann, put(ann, held(THREE_PIECES)))
    more = THREE_PIECES[:1_000]
    ref = put(ann, extended(base, held(more)))
    before = len(server.requests)
    assert put(server.open("ann"), held(np.concatenate([THREE_PIECES, more]))) == ref
    assert sent(server, before) == []


def test_what_was_sent_to_an_older_lab_is_sent_once_more_and_then_known(server, ann, local):
    ref = put(ann, held(THREE_PIECES))
    with local._database.write() as transaction:
        transaction.run("UPDATE array_sender SET beginning = NULL")
    for expected in (PIECES, []):
        before = len(server.requests)
        assert put(ann, held(THREE_PIECES)) == ref
        assert sent(server, before) == expected
