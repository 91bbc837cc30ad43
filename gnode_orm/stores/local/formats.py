"""The format of a lab: its number, and the steps that bring an older lab up to it.

A step is SQL that is spelled out, because the tables that it meets are those of then, whatever the schema says today.
Whoever changes a table raises ``FORMAT`` and adds the step from the format before.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Transaction

FORMAT = 3
"""The format that this version of the package reads and writes."""


def package_version() -> str | None:
    """Give the version of this package, which a lab remembers with its format; ``None`` where it is not installed."""
    try:
        return version("gnode-orm")
    except PackageNotFoundError:
        return None


class Migration:
    """What a step may ask of the database; ``{integer}``, ``{text}`` and ``{bytes}`` in its SQL name column types."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self._types = _TYPES[transaction.database.compiler.dialect.name]

    def run(self, sql: str) -> None:
        """Run one statement."""
        for name, spelled in self._types.items():
            sql = sql.replace(f"{{{name}}}", spelled)
        self.transaction.connection.execute(sql)

    def has_column(self, table: str, column: str) -> bool:
        """Tell whether a table has a column."""
        return column in self.transaction.column_names(table)


_TYPES = {
    "sqlite": {
        "integer": "INTEGER",
        "smallint": "SMALLINT",
        "text": "TEXT",
        "bytes": "BLOB",
        "by_key": " WITHOUT ROWID",
    },
    "postgresql": {
        "integer": "BIGINT",
        "smallint": "SMALLINT",
        "text": 'TEXT COLLATE "C"',
        "bytes": "BYTEA",
        "by_key": "",
    },
}


def _from_1(migration: Migration) -> None:
    """Keep when an array was last sent or named, and which version of the package made the format."""
    # Labs that were made before they could be served lack what a server needs, under the same number.
    migration.run(
        "CREATE TABLE IF NOT EXISTS token (hash {bytes} NOT NULL, account {text} NOT NULL, purpose {text} NOT NULL, "
        "created {integer} NOT NULL, expires {integer} NOT NULL, PRIMARY KEY (hash))"
    )
    migration.run(
        "CREATE TABLE IF NOT EXISTS login_failure "
        "(subject {bytes} NOT NULL, count {integer} NOT NULL, last {integer} NOT NULL, PRIMARY KEY (subject))"
    )
    migration.run(
        'CREATE TABLE IF NOT EXISTS array_sender ("array" {bytes} NOT NULL, account {text} NOT NULL, '
        'PRIMARY KEY ("array", account))'
    )
    if not migration.has_column("lab", "default_level"):
        migration.run("ALTER TABLE lab ADD COLUMN default_level {smallint}")
    if not migration.has_column("account", "password"):
        migration.run("ALTER TABLE account ADD COLUMN password {text}")
    migration.run("ALTER TABLE lab ADD COLUMN package {text}")
    migration.run('ALTER TABLE "array" ADD COLUMN touched {integer} DEFAULT 0 NOT NULL')
    migration.run(f'UPDATE "array" SET touched = {now_us()}')


def _from_2(migration: Migration) -> None:
    """Keep small arrays many to a row; those that are there become packs of one."""
    migration.run("CREATE TABLE array_pack (id {integer} NOT NULL, data {bytes} NOT NULL, PRIMARY KEY (id))")
    migration.run('ALTER TABLE "array" RENAME TO array_by_row')
    migration.run(
        'CREATE TABLE "array" (hash {bytes} NOT NULL, dtype {text} NOT NULL, shape {text} NOT NULL, '
        'nbytes {integer} NOT NULL, pack {integer}, "start" {integer}, touched {integer} DEFAULT 0 NOT NULL, '
        "PRIMARY KEY (hash)){by_key}"
    )
    numbered = "SELECT *, row_number() OVER (ORDER BY hash) AS n FROM array_by_row WHERE data IS NOT NULL"
    migration.run(f"INSERT INTO array_pack SELECT n, data FROM ({numbered}) AS small")
    migration.run(
        f'INSERT INTO "array" SELECT hash, dtype, shape, nbytes, n, 0, touched FROM ({numbered}) AS small UNION ALL '
        "SELECT hash, dtype, shape, nbytes, NULL, NULL, touched FROM array_by_row WHERE data IS NULL"
    )
    migration.run("DROP TABLE array_by_row")


STEPS: dict[int, Callable[[Migration], None]] = {1: _from_1, 2: _from_2}
"""The step from each older format to the next one."""
