"""Import the package, in a process of its own, and come to a first object."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row


@contextmanager
def _run(folder: Path, statement: str) -> Iterator[Round]:
    script = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"

    def once(meter: Meter) -> None:
        run = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
        meter.note(float(run.stdout))

    yield once


IMPORT = Row(
    "import",
    "import gnode_orm",
    (
        Contestant("ours", partial(_run, statement="import gnode_orm")),
        Contestant("ours, with the models", partial(_run, statement="from gnode_orm import Block")),
        Contestant("ours, with a first object", partial(_run, statement="from gnode_orm import Block; Block('b')")),
        Contestant("pydantic, quantities", partial(_run, statement="import pydantic, quantities")),
        Contestant("pydantic.main, quantities", partial(_run, statement="import pydantic.main, quantities")),
        Contestant("sqlalchemy.orm", partial(_run, statement="import sqlalchemy.orm")),
        Contestant("neo", partial(_run, statement="import neo")),
    ),
    (
        Reach("pydantic, quantities", at_most=1.15),
        Reach("pydantic.main, quantities", contestant="ours, with the models"),
    ),
    rounds=9,
)
