"""Import the package, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row


@contextmanager
def _import(folder: Path, names: str) -> Iterator[Round]:
    script = f"import time; start = time.perf_counter(); import {names}; print(time.perf_counter() - start)"

    def once(meter: Meter) -> None:
        run = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
        meter.note(float(run.stdout))

    yield once


IMPORT = Row(
    "import",
    "import gnode_orm",
    (
        Contestant("ours", partial(_import, names="gnode_orm")),
        Contestant("pydantic, quantities", partial(_import, names="pydantic, quantities")),
        Contestant("pydantic.main, quantities", partial(_import, names="pydantic.main, quantities")),
        Contestant("sqlalchemy.orm", partial(_import, names="sqlalchemy.orm")),
        Contestant("neo", partial(_import, names="neo")),
    ),
    (Reach("pydantic, quantities", at_most=1.15), Reach("pydantic.main, quantities")),
    rounds=9,
)
