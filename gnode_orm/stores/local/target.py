"""Where a lab is: a folder, memory, or a database address."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from gnode_orm.errors import FormatError, NotFound, StoreUnavailable

MEMORY = ":memory:"
DATABASE_FILE = "lab.sqlite"
ARRAYS_FOLDER = "arrays"
README_FILE = "README.txt"
README = """This folder is a lab of gnode-orm: recordings and their metadata.

lab.sqlite   the database: everything but large arrays, and every earlier version of it
arrays/      large arrays as NumPy .npy files, named by their content, and files of many small ones

Open it in Python with

    import gnode_orm
    with gnode_orm.Session("path/to/this/folder") as session:
        ...

Keep the folder together, and do not edit its files by hand. To copy it while it is in use: gnode-orm backup.
"""

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ncpfs|ceph|glusterfs|lustre|beegfs|gpfs|pvfs2|fuse\.(sshfs|glusterfs|s3fs|rclone|cephfs)"
)

log = logging.getLogger("gnode_orm")


@dataclass(frozen=True)
class Folder:
    """A lab in a folder."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / DATABASE_FILE

    @property
    def arrays(self) -> Path:
        return self.path / ARRAYS_FOLDER

    @property
    def readme(self) -> Path:
        return self.path / README_FILE

    def complete(self) -> None:
        """Say in plain words what the folder is, once a lab is in it: the sign that its making was not cut short."""
        if not self.readme.exists():
            self.readme.write_text(README)

    def prepare(self, create: bool, readonly: bool) -> None:
        """See that there is a lab to open, or a folder in which to make one.

        Raises:
            NotFound: there is none, and none shall be made.
            FormatError: it is a file, or a folder that holds something else.
            StoreUnavailable: it cannot be made or written here.
        """
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            pass  # which the next lines settle
        except (OSError, ValueError) as error:
            remedy = "; see who may enter its folders" if isinstance(error, PermissionError) else ""
            reason = error.strerror if isinstance(error, OSError) else error
            raise StoreUnavailable(f"{self.path} cannot be reached: {reason}{remedy}") from None
        if self.path.exists() and not self.path.is_dir():
            raise FormatError(f"{self.path} is a file; a lab is a folder. To store a file in a lab, import it")
        if not self.database.exists():
            if not create or readonly:
                raise NotFound(f"No lab at {self.path}{self._nearest()}. Make one: gnode-orm init {self.path}")
            self._make()
        elif self.database.stat().st_size == 0 and self.readme.exists():
            raise FormatError(
                f"{self.database} is empty, although a lab was made here: its content is lost. Restore a backup"
            )
        elif not readonly and not (os.access(self.path, os.W_OK) and os.access(self.database, os.W_OK)):
            raise StoreUnavailable(f"{self.path} is read-only for you; open it with readonly=True")

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            others = sorted({item.name for item in self.path.iterdir()} - {ARRAYS_FOLDER, README_FILE, DATABASE_FILE})
            if others:
                raise FormatError(
                    f"{self.path} is no lab but holds other files ({', '.join(others[:3])}); name a new or empty folder"
                )
            self.arrays.mkdir(exist_ok=True)
            self.database.touch()
        except OSError as error:
            raise StoreUnavailable(f"A lab cannot be made at {self.path}: {error.strerror}") from error

    def _nearest(self) -> str:
        try:
            names = [item.name for item in self.path.parent.iterdir() if (item / DATABASE_FILE).exists()]
        except OSError:
            return ""
        near = get_close_matches(self.path.name, names, n=1)
        return f" (nearest: {self.path.parent / near[0]})" if near else ""

    def journal(self) -> str:
        """The journal mode: a write-ahead log needs memory shared between processes, which no network has."""
        kind = filesystem_of(self.path)
        if not _NETWORK.fullmatch(kind):
            return "WAL"
        log.warning(
            "%s is on a network file system (%s): opened without a write-ahead log, so reading waits for writing. "
            "A local disk is faster, and a PostgreSQL lab safer for several computers",
            self.path,
            kind,
        )
        return "DELETE"


def filesystem_of(path: Path) -> str:
    """The type of the file system that holds a path, or an empty text where the system does not tell."""
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    real = path.resolve()
    best, kind = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        mount = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), before.split()[4]))
        if (mount == real or mount in real.parents) and len(mount.parts) >= best:
            best, kind = len(mount.parts), after.split()[0]
    return kind


def is_address(target: str) -> bool:
    """Tell a database address from a folder."""
    return re.match(r"[a-z][a-z0-9+]*://", target) is not None
