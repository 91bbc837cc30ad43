"""Data files that were read from the server, the latest ones up to a size."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gnode_orm.errors import NotFound
from gnode_orm.location import Location
from gnode_orm.stores.rest.transport import Answer
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.latest import Latest
from gnode_orm.stores.rest.v1.places import Place, version_of

KEEP = 2 << 30
_ORIGINS = 100_000


class FileCache:
    """Files in a folder, by the place of their array."""

    def __init__(self, connection: V1Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._lock = threading.Lock()
        self._kept: OrderedDict[Place, int] = OrderedDict()
        self._in_use: dict[Place, int] = {}
        # Revisions that were written from here and left the data as they were, with the revision before them.
        self._origins: Latest[Place, Place] = Latest(_ORIGINS)

    def unchanged(self, before: Place, now: Place) -> None:
        """Take note that a write of the object left its data as they were."""
        self._origins[now] = self._origins.get(before, before)

    @contextmanager
    def file(self, place: Place) -> Iterator[Path | None]:
        """Give the file of a place, read from the server where it is not here; ``None`` where there are no data."""
        place = self._origins.get(place, place)
        path = self._folder / place.name.hex()
        with self._lock:
            self._in_use[place] = self._in_use.get(place, 0) + 1
        try:
            yield path if path.exists() or self._fetch(place, path) else None
        finally:
            self._let_go(place)

    def _fetch(self, place: Place, path: Path) -> bool:
        def write(answer: Answer) -> int:
            if answer.status == 204:
                return -1
            with part.open("wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
            return part.stat().st_size

        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as reserved:
            part = Path(reserved.name)
        try:
            size = self._connection.exchange("GET", place.address, write, stream=True)
            if size < 0:
                return False
            part.replace(path)
        except Refused as refusal:
            raise refusal.error(str(place)) from None
        finally:
            part.unlink(missing_ok=True)
        self._check_current(place, path)
        with self._lock:
            self._kept[place] = size
        return True

    def _check_current(self, place: Place, path: Path) -> None:
        """Make sure that the file which came is that of the revision asked for: the server gives the latest."""
        item = self._connection.get_or_none(str(Location.of_number(place.kind, place.id)))
        now = None if item is None else place._replace(version=version_of(item["guid"]))
        if now is None or self._origins.get(now, now) != place:
            path.unlink()
            raise NotFound(f"{place} was changed since it was read, and the server has no past; refresh the object")

    def _let_go(self, place: Place) -> None:
        with self._lock:
            self._in_use[place] -= 1
            if not self._in_use[place]:
                del self._in_use[place]
            total = sum(self._kept.values())
            for old in [item for item in self._kept if item not in self._in_use]:
                if total <= KEEP:
                    return
                total -= self._kept.pop(old)
                (self._folder / old.name.hex()).unlink(missing_ok=True)
