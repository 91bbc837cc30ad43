"""What ``doctor`` looks at in the installation: Python, the libraries, the optional readers."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from gnode_orm.cli.doctor import BAD, GOOD, NOTE, Check

_LIBRARIES = ("gnode-orm", "neo", "odml", "numpy", "quantities", "pydantic", "SQLAlchemy")
# Extra -> distribution and what it is good for.
_OPTIONAL: dict[str, dict[str, str]] = {
    "files": {
        "pyedflib": "reads EDF and BDF",
        "nixio": "reads and writes NIX",
        "h5py": "tells HDF5 formats apart",
        "pynwb": "reads and writes NWB",
        "igor2": "reads Igor",
        "wfdb": "reads WFDB (PhysioNet)",
        "pyabf": "reads ATF",
        "scipy": "reads and writes MATLAB",
    },
    "plot": {"matplotlib": "draws plots"},
    "pandas": {"pandas": "makes data frames"},
    "postgres": {"psycopg": "opens labs in PostgreSQL"},
    "s3": {"obstore": "keeps large arrays of these in a bucket"},
    "keyring": {"keyring": "keeps tokens of servers"},
}


def installation_checks() -> Iterator[Check]:
    """Look at Python, SQLite, the libraries and the optional ones."""
    yield Check("Python", GOOD, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Check("SQLite", GOOD, sqlite3.sqlite_version)
    for name in _LIBRARIES:
        found = _version(name)
        if found is None:
            yield Check(name, BAD, "not installed", f"Install {name}: pip install --force-reinstall gnode-orm")
        else:
            yield Check(name, GOOD, found)
    for extra, libraries in _OPTIONAL.items():
        for name, purpose in libraries.items():
            yield _optional(extra, name, purpose)


def _optional(extra: str, name: str, purpose: str) -> Check:
    found = _version(name)
    if found is not None:
        return Check(name, GOOD, f"{found}, {purpose}")
    return Check(name, NOTE, f"not installed, {purpose}", f"Optional parts: pip install 'gnode-orm[{extra}]'")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
