"""Large arrays that arrive in pieces, from any number of processes at once, and who may name which array.

A piece is one leaf of the array's hash. The sender gives the digests of all leaves first, which together are the hash;
so each piece is verified when it arrives, and nothing has to be read again when the last one is there. A file beside
the pieces says which of them are on disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.lib import format as npy

from gnode_orm.core.arrayhash import LEAF, hash_of_leaves
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import GnodeError, IntegrityError, NotFound
from gnode_orm.stores.local.array_packs import insert_arrays
from gnode_orm.stores.local.array_rows import HASH_SET, check_content, keep_stored, stored_hashes, touch
from gnode_orm.stores.local.arrays import Arrays
from gnode_orm.stores.local.database import Compiler, Database, Transaction
from gnode_orm.stores.local.durable import write_through
from gnode_orm.stores.local.elements import in_ids
from gnode_orm.stores.local.rights import readable
from gnode_orm.stores.local.tables import lab_tables

UPLOADS_FOLDER = "uploads"
LOCK_FILE = "lock"

# One mark and one digest for each piece.
_ENTRY = 33
_MISSING, _WRITTEN, _SYNCED = b"\0", b"\1", b"\2"
_UNSYNCED = 32
_WITH_SENDER = (
    'SELECT a.hash, a.dtype, a.shape, s.account IS NOT NULL FROM "array" AS a '
    f'LEFT JOIN array_sender AS s ON s."array" = a.hash AND s.account = :actor WHERE a.hash IN {HASH_SET}'
)

Place = tuple[str, int]
"""Kind and id of an object at which an array was seen."""


class Uploads:
    """The arrays that users sent to one lab, whole and in pieces."""

    def __init__(self, database: Database, arrays: Arrays) -> None:
        self._database = database
        self._arrays = arrays
        self._folder = arrays.files.scratch / UPLOADS_FOLDER

    def usable(self, hashes: Iterable[bytes], actor: str, seen: Mapping[bytes, Place]) -> dict[bytes, tuple[str, str]]:
        """Give dtype and shape, as text, of those arrays that the actor sent himself or may read at an object.

        ``seen`` says at which object each was seen; without it every object has to be looked at.
        """
        wanted = list(set(hashes))
        if not wanted:
            return {}
        # Each right is looked at in one statement, so that no snapshot has to hold between them.
        with self._database.read() as transaction:
            rows = transaction.query(_WITH_SENDER, actor=actor, **_bound(wanted))
            types = {bytes(hash_): (dtype, shape) for hash_, dtype, shape, _ in rows}
            here = types.keys()
            allowed = {bytes(hash_) for hash_, _, _, sent in rows if sent}
            allowed |= _at_places(transaction, here - allowed, actor, seen)
            allowed |= _anywhere(transaction, here - allowed, actor)
        return {hash_: types[hash_] for hash_ in allowed}

    def begin(self, ref: ArrayRef, digests: bytes, actor: str) -> list[int]:
        """Begin or go on with sending an array; gives the numbers of the pieces that are missing.

        Raises:
            IntegrityError: the digests are not those of the hash.
        """
        if len(digests) != 32 * piece_count(ref) or hash_of_leaves(np.dtype(ref.dtype), ref.shape, digests) != ref.hash:
            raise IntegrityError(f"The digests of the pieces do not make up the hash {ref.hash.hex()}")
        if self._sent(ref, actor):
            return []
        with self._translated():
            self._folder.mkdir(parents=True, exist_ok=True)
            staged = _Staged(self._folder, ref, actor)
            staged.prepare(digests)
            missing = staged.missing()
        if not missing:
            self._finish(staged, actor)
        return missing

    def put(self, ref: ArrayRef, number: int, data: bytes | memoryview, actor: str) -> bool:
        """Keep one piece; tells whether the array is whole now.

        Raises:
            NotFound: this array was not begun, or the piece is none of it.
            IntegrityError: the piece is not what was announced.
        """
        with self._translated():
            staged = _Staged(self._folder, ref, actor)
            if not staged.begun():
                if self._sent(ref, actor):
                    return True  # another process of the sender finished it
                raise NotFound(f"The array {ref.hash.hex()} was not begun; announce it first")
            whole = staged.keep(number, data)
        if whole:
            self._finish(staged, actor)
        return whole

    def put_small(self, arrays: Sequence[tuple[ArrayRef, bytes]], actor: str) -> None:
        """Store small arrays in one step, and remember who sent them."""
        for ref, data in arrays:
            check_content(ref, data)
        by_hash = {ref.hash: (ref, data) for ref, data in arrays}
        with self._database.write() as transaction:
            stored = touch(transaction, list(by_hash)) if by_hash else set()
            insert_arrays(transaction, [item for hash_, item in by_hash.items() if hash_ not in stored])
            _remember(transaction, list(by_hash), actor)

    def _sent(self, ref: ArrayRef, actor: str) -> bool:
        with self._database.snapshot() as transaction:
            sent = _uploaded(transaction, stored_hashes(transaction, [ref.hash]), actor)
        return bool(sent and keep_stored(self._database, [ref.hash]))

    def _finish(self, staged: _Staged, actor: str) -> None:
        with self._translated():
            try:
                self._arrays.adopt(staged.data, staged.ref, staged.digests())
            except FileNotFoundError:
                if not self._sent(staged.ref, actor):  # else another process finished it at the same moment
                    raise
        # On disk with the commit that names the array, as the array's own row.
        with self._database.write(durable=False) as transaction:
            _remember(transaction, [staged.ref.hash], actor)
        staged.forget()

    def _translated(self) -> _DiskErrors:
        return _DiskErrors(self._database.translate)


class _DiskErrors:
    """Says a full disk and the like in our words."""

    def __init__(self, translate: Callable[[Exception], GnodeError | None]) -> None:
        self._translate = translate

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError) and not isinstance(error, GnodeError):
            said = self._translate(error)
            if said is not None:
                raise said from error


@contextmanager
def staging(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Keep what is begun in a folder of uploads from being removed; ``alone`` is for whoever removes."""
    with (folder / LOCK_FILE).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


class _Staged:
    """One array on its way: its file, and beside it the digests of its pieces, each behind a mark.

    A mark says that a piece is missing, written or synced. Syncing costs more than writing, so it is done for many
    pieces at once; a crash of the machine may spoil those that were only written, which are read again before they are
    trusted.
    """

    def __init__(self, folder: Path, ref: ArrayRef, actor: str) -> None:
        # Everybody sends for himself: what another sends cannot be guessed from how far it is.
        whose = hashlib.sha256(actor.encode()).hexdigest()[:16]
        self.ref = ref
        self.data = folder / f"{ref.hash.hex()}-{whose}.npy"
        self.marks = folder / f"{ref.hash.hex()}-{whose}.pieces"

    def begun(self) -> bool:
        return self.marks.exists()

    def prepare(self, digests: bytes) -> None:
        with staging(self.marks.parent):
            if self.begun():
                os.utime(self.marks)  # in use again, so nobody takes it for abandoned
            else:
                self._begin(digests)

    def _begin(self, digests: bytes) -> None:
        temporary = self.marks.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}")
        with temporary.open("xb") as file:
            file.write(b"".join(_MISSING + digests[at : at + 32] for at in range(0, len(digests), 32)))
        with open(os.open(self.data, os.O_CREAT | os.O_RDWR, 0o666), "r+b") as file:
            dtype = npy.dtype_to_descr(np.dtype(self.ref.dtype))
            npy.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": self.ref.shape})
            file.truncate(file.tell() + self.ref.nbytes)
        # The marks stand last: where they are, the file is ready to take pieces.
        try:
            os.link(temporary, self.marks)
        except FileExistsError:
            pass  # another process began at the same moment, with the same digests
        finally:
            temporary.unlink()

    def digests(self) -> bytes:
        return _digests(self.marks.read_bytes())

    def missing(self) -> list[int]:
        with self._open(self.marks) as marks, self._open(self.data) as data:
            every = self._read(marks)
            for number in _marked(every, _WRITTEN):
                if hashlib.sha256(self._piece(data, number)).digest() != _digest(every, number):
                    os.pwrite(marks, _MISSING, number * _ENTRY)
            return _marked(self._read(marks), _MISSING)

    def keep(self, number: int, data: bytes | memoryview) -> bool:
        count = piece_count(self.ref)
        if not 0 <= number < count:
            raise NotFound(f"The array {self.ref.hash.hex()} has {count} pieces, and none with the number {number}")
        with self._open(self.marks) as marks, self._open(self.data) as file:
            expected = self._read(marks)
            if hash_of_leaves(np.dtype(self.ref.dtype), self.ref.shape, _digests(expected)) != self.ref.hash:
                raise NotFound(f"An array {self.ref.hash.hex()} of this dtype and shape was not begun")
            if len(data) != piece_size(self.ref, number) or hashlib.sha256(data).digest() != _digest(expected, number):
                raise IntegrityError(f"Piece {number} of the array {self.ref.hash.hex()} is not what was announced")
            write_through(file, data, self._start(file, number))
            os.pwrite(marks, _WRITTEN, number * _ENTRY)
            every = self._read(marks)
            written = _marked(every, _WRITTEN)
            whole = not _marked(every, _MISSING)
            if whole or len(written) >= _UNSYNCED:
                # On disk before it is marked so, that the mark can be trusted after a crash.
                os.fdatasync(file)
                for each in written:
                    os.pwrite(marks, _SYNCED, each * _ENTRY)
        return whole

    def _read(self, marks: int) -> bytes:
        return os.pread(marks, _ENTRY * piece_count(self.ref), 0)

    def _start(self, file: int, number: int) -> int:
        return os.fstat(file).st_size - self.ref.nbytes + number * LEAF

    def _piece(self, file: int, number: int) -> bytes:
        return os.pread(file, piece_size(self.ref, number), self._start(file, number))

    @contextmanager
    def _open(self, path: Path) -> Iterator[int]:
        file = os.open(path, os.O_RDWR)
        try:
            yield file
        finally:
            os.close(file)

    def forget(self) -> None:
        self.marks.unlink(missing_ok=True)
        self.data.unlink(missing_ok=True)


def _digest(marks: bytes, number: int) -> bytes:
    return marks[number * _ENTRY + 1 : (number + 1) * _ENTRY]


def _digests(marks: bytes) -> bytes:
    return b"".join(_digest(marks, number) for number in range(len(marks) // _ENTRY))


def _marked(marks: bytes, wanted: bytes) -> list[int]:
    return [number for number, mark in enumerate(marks[::_ENTRY]) if mark == wanted[0]]


def piece_count(ref: ArrayRef) -> int:
    """How many pieces an array is sent in."""
    return -(-ref.nbytes // LEAF)


def piece_size(ref: ArrayRef, number: int) -> int:
    """How many bytes one piece has."""
    return min(LEAF, ref.nbytes - number * LEAF)


def _remember(transaction: Transaction, hashes: Sequence[bytes], actor: str) -> None:
    transaction.run_many(
        'INSERT INTO array_sender ("array", account) VALUES (:hash, :actor) ON CONFLICT DO NOTHING',
        [{"hash": hash_, "actor": actor} for hash_ in hashes],
    )


def _uploaded(transaction: Transaction, hashes: Set[bytes], actor: str) -> set[bytes]:
    if not hashes:
        return set()
    rows = transaction.query(
        f'SELECT "array" FROM array_sender WHERE account = :actor AND "array" IN {HASH_SET}',
        actor=actor, **_bound(hashes),
    )  # fmt: skip
    return {bytes(hash_) for (hash_,) in rows}


def _at_places(transaction: Transaction, hashes: set[bytes], actor: str, seen: Mapping[bytes, Place]) -> set[bytes]:
    by_kind: dict[str, set[int]] = {}
    for hash_ in hashes & seen.keys():
        kind, id_ = seen[hash_]
        by_kind.setdefault(kind, set()).add(id_)
    found: set[bytes] = set()
    for kind, ids in by_kind.items():
        if SCHEMA[kind].arrays:
            text = transaction.database.compiler.cached(("arrays of", kind), lambda kind=kind: _arrays_of(kind))  # type: ignore[misc]
            rows = transaction.rows(text, {"ids": transaction.ids(list(ids)), "actor": actor})
            found.update(bytes(hash_) for row in rows for hash_ in row if hash_ is not None)
    return found & hashes


def _arrays_of(kind: str) -> sa.ClauseElement:
    """Hashes of the arrays of some objects, in every version of them that the actor may read."""
    tables, names = lab_tables().kinds[kind], [f"{field.name}_hash" for field in SCHEMA[kind].arrays]
    return sa.union_all(
        *(
            sa.select(*(table.c[name] for name in names)).where(in_ids(table.c.id, "ids"), readable(table, kind))
            for table in (tables.live, tables.past)
        )
    )


def _anywhere(transaction: Transaction, hashes: set[bytes], actor: str) -> set[bytes]:
    found: set[bytes] = set()
    for kind, field in ((kind, field) for kind, spec in SCHEMA.items() for field in spec.arrays):
        if hashes <= found:
            break
        text = _anywhere_text(transaction.database.compiler, kind, f"{field.name}_hash")
        rows = transaction.rows(text, {"actor": actor, **_bound(hashes - found)})
        found.update(bytes(hash_) for (hash_,) in rows)
    return found


def _anywhere_text(compiler: Compiler, kind: str, column: str) -> str:
    def build() -> sa.ClauseElement:
        tables = lab_tables().kinds[kind]
        return sa.union_all(
            *(
                sa.select(table.c[column]).where(
                    sa.text(f'"{table.name}"."{column}" IN {HASH_SET}'), readable(table, kind)
                )
                for table in (tables.live, tables.past)
            )
        )

    return compiler.cached(("array anywhere", kind, column), build)


def _bound(hashes: Iterable[bytes]) -> dict[str, Any]:
    every = list(hashes)
    return {"count": max(1, len(every)), "hashes": b"".join(every)}
