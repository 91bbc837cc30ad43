"""The format of a lab: its number, and the steps that bring an older lab up to it.

A step is SQL that is spelled out, because the tables that it meets are those of then, whatever the schema says today.
Whoever changes a table raises ``FORMAT`` and adds the step from the format before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Transaction

FORMAT = 8
"""The format that this version of the package reads and writes."""


@cache
def package_version() -> str | None:
    """Give the version of this package, which a lab remembers with its format; ``None`` where it is not installed."""
    try:
        return version("gnode-orm")
    except PackageNotFoundError:
        return None


class Migration:
    """What a step may ask of the database; ``{integer}``, ``{text}`` and so on in its SQL name column types."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self._dialect = transaction.database.compiler.dialect.name
        self._types = _TYPES[self._dialect]
        self.walks_runs = transaction.database.compiler.walks_runs
        """Whether the database needs no index by commit."""

    def run(self, sql: str) -> None:
        """Run one statement."""
        for name, spelled in self._types.items():
            sql = sql.replace(f"{{{name}}}", spelled)
        self.transaction.connection.execute(sql)

    @property
    def kinds(self) -> list[str]:
        """The kinds of objects that the lab has tables for."""
        names = self.transaction.table_names()
        return sorted(name for name in names if f"{name}_past" in names and name != "recordingchannel_group")

    def drop_indexes(self, table: str) -> dict[str, str]:
        """Drop the indexes of a table that are no key; gives their SQL by name."""
        made: dict[str, str] = dict(self.transaction.query(_INDEXES[self._dialect], name=table))
        for name in made:
            self.run(f'DROP INDEX "{name}"')
        return made

    def drop_key(self, table: str) -> None:
        """Let a table, which has no other index, be without a key."""
        if self._dialect == "postgresql":
            self.run(f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey"')
            return
        ((made,),) = self.transaction.query("SELECT sql FROM sqlite_master WHERE name = :name", name=table)
        self.run(f'ALTER TABLE "{table}" RENAME TO keyed')
        self.run(re.sub(r",\s*PRIMARY KEY \([^)]*\)", "", made))
        self.run(f'INSERT INTO "{table}" SELECT * FROM keyed')
        self.run("DROP TABLE keyed")

    @property
    def imported_content(self) -> str:
        """The content that an object was imported from, as in format 5."""
        if self._dialect == "sqlite":
            return "json_extract(ext, '$.import.sha256')"
        return r"(CAST(replace(ext, '\u0000', '\uffff') AS jsonb) #>> '{import,sha256}')"

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

_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
    "AND tablename = :name AND indexname <> tablename || '_pkey'",
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
    """Keep small arrays many to a row, those that are there as packs of one."""
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


def _from_3(migration: Migration) -> None:
    """Keep the order of creation by runs of ids, and old versions in less space."""
    migration.run(
        'CREATE TABLE run (kind {text} NOT NULL, born {integer} NOT NULL, "first" {integer} NOT NULL, '
        '"last" {integer} NOT NULL, PRIMARY KEY (kind, born, "first")){by_key}'
    )
    for kind in migration.kinds:
        migration.run(
            f"INSERT INTO run SELECT '{kind}', born, min(id), max(id) FROM "
            "(SELECT id, born, row_number() OVER (PARTITION BY born ORDER BY id) AS n FROM "
            f'(SELECT id, born FROM "{kind}" UNION SELECT id, born FROM "{kind}_past") AS made) AS numbered '
            "GROUP BY born, id - n"
        )
        if migration.walks_runs:
            migration.run(f'DROP INDEX "{kind}_born"')
        _make_dense(migration, f"{kind}_past")


def _make_dense(migration: Migration, past: str) -> None:
    indexes = migration.drop_indexes(past)
    migration.drop_key(past)
    migration.run(f'ALTER TABLE "{past}" RENAME COLUMN "until" TO held')
    migration.run(f'UPDATE "{past}" SET held = held - rev')
    if migration.walks_runs:
        del indexes[f"{past}_born"]
    for made in indexes.values():
        migration.run(made.replace(", born)", ")"))
    migration.run(f"CREATE INDEX {past}_id ON {past} (id)")


def _from_4(migration: Migration) -> None:
    """Find imported objects by the content of their file."""
    for kind in ("block", "document"):
        migration.run(f"CREATE INDEX {kind}_content ON {kind} ({migration.imported_content})")


def _from_5(migration: Migration) -> None:
    """Let arrays that grew share the rows of their files, those that are there each with a series of its own."""
    migration.run('ALTER TABLE "array" ADD COLUMN series {integer}')
    migration.run('ALTER TABLE "array" ADD COLUMN parts {integer}')
    migration.run("ALTER TABLE array_part RENAME TO part_by_array")
    migration.run(
        "CREATE TABLE series_by_array (hash {bytes} NOT NULL, series {integer} NOT NULL, parts {integer} NOT NULL, "
        "PRIMARY KEY (hash)){by_key}"
    )
    migration.run(
        'INSERT INTO series_by_array SELECT "array", row_number() OVER (ORDER BY "array"), count(*) '
        'FROM part_by_array GROUP BY "array"'
    )
    for column in ("series", "parts"):
        migration.run(
            f'UPDATE "array" SET {column} = (SELECT numbered.{column} FROM series_by_array AS numbered '
            'WHERE numbered.hash = "array".hash) WHERE pack IS NULL'
        )
    migration.run(
        "CREATE TABLE array_part (series {integer} NOT NULL, n {integer} NOT NULL, file {text} NOT NULL, "
        '"rows" {integer} NOT NULL, PRIMARY KEY (series, n))'
    )
    migration.run(
        'INSERT INTO array_part SELECT numbered.series, n, file, "rows" FROM part_by_array '
        'JOIN series_by_array AS numbered ON numbered.hash = part_by_array."array"'
    )
    migration.run("DROP TABLE part_by_array")
    migration.run("DROP TABLE series_by_array")
    migration.run('CREATE INDEX array_series ON "array" (series, parts) WHERE series IS NOT NULL')


def _from_6(migration: Migration) -> None:
    """Find arrays that were sent by how they begin; those that are there are found when they are sent once more."""
    migration.run("ALTER TABLE array_sender ADD COLUMN beginning {bytes}")
    migration.run("CREATE INDEX array_sender_beginning ON array_sender (beginning) WHERE beginning IS NOT NULL")


def _from_7(migration: Migration) -> None:
    """Let the small arrays of a large commit stand in a file."""
    migration.run("ALTER TABLE array_pack ADD COLUMN file {text}")
    migration.run("ALTER TABLE array_pack ADD COLUMN size {integer}")
    migration.run("ALTER TABLE array_pack ADD COLUMN freed {integer}")
    migration.run("CREATE INDEX array_pack_file ON array_pack (file) WHERE file IS NOT NULL")


STEPS: dict[int, Callable[[Migration], None]] = {
    1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4, 5: _from_5, 6: _from_6, 7: _from_7
}  # fmt: skip
"""The step from each older format to the next one."""
