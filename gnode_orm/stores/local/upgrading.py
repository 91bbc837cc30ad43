"""Bringing an older lab up to the format of this version: a copy first, then every step in one transaction."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gnode_orm.errors import FormatError, NotFound
from gnode_orm.stores.local.copying import copy_database
from gnode_orm.stores.local.database import Transaction
from gnode_orm.stores.local.formats import FORMAT, STEPS, Migration, package_version
from gnode_orm.stores.local.lab import check_not_newer, read_lab
from gnode_orm.stores.local.opening import Place, place_of

log = logging.getLogger("gnode_orm")


@dataclass(frozen=True)
class Upgrade:
    """What was done to a lab.

    Attributes:
        before, after: its format; the same where there was nothing to do.
        copy: the file that holds the database as it was before, where something was done.
    """

    before: int
    after: int
    copy: Path | None


def upgrade(target: str, *, arrays: str | os.PathLike[str] | None = None) -> Upgrade:
    """Bring a lab to the format of this version; nothing is done to one that has it.

    The database is copied before it is changed. All steps are one transaction: when this fails, or is cut short, the
    lab is as it was.

    Raises:
        NotFound: there is no lab.
        FormatError: the lab is of a newer format.
        StoreUnavailable: the lab cannot be reached or written.
    """
    place = place_of(target, arrays)
    try:
        return _upgrade(place)
    finally:
        place.close()


def _upgrade(place: Place) -> Upgrade:
    with place.database.write() as transaction:
        if "lab" not in transaction.table_names():
            raise NotFound(f"No lab in {place.shown}. Make one: gnode-orm init {place.shown}")
        lab = read_lab(transaction)
        check_not_newer(lab, place.shown)
        if lab.format == FORMAT:
            return Upgrade(FORMAT, FORMAT, None)
        if lab.format not in STEPS:
            raise FormatError(f"The lab {place.shown} has format {lab.format}, which no version of gnode-orm has made")
        copy = place.folder / f"before-format-{FORMAT}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite"
        place.folder.mkdir(parents=True, exist_ok=True)
        copy_database(place.database, transaction, copy)
        run_steps(transaction, lab.format)
    log.info("Brought %s from format %d to format %d", place.shown, lab.format, FORMAT)
    return Upgrade(lab.format, FORMAT, copy)


def run_steps(transaction: Transaction, format_: int) -> None:
    """Run every step from a format to that of this version."""
    for number in range(format_, FORMAT):
        STEPS[number](Migration(transaction))
    transaction.run("UPDATE lab SET format = :format, package = :package", format=FORMAT, package=package_version())
