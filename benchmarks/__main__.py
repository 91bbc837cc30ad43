"""Measure the rows that are named, or all of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from importlib import import_module
from pathlib import Path

from benchmarks import report, sizes
from benchmarks.measuring import Result, play


def main() -> int:
    """Run the command."""
    options = _options()
    if options.quick:
        sizes.choose_quick()
    known = import_module("benchmarks.catalogue").ROWS  # the rows are as large as was chosen when they are imported
    wanted = [row for row in known if not options.names or row.name in options.names]
    unknown = set(options.names) - {row.name for row in known}
    if unknown:
        print(f"No row {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in known)}", file=sys.stderr)
        return 2
    results: list[Result] = []
    # Peers warn of their own affairs.
    warnings.simplefilter("ignore")
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
        for row in wanted:
            result = play(row, Path(folder))
            print(report.text_of(result), flush=True)
            results.append(result)
    if options.output is not None:
        report.write(results, options.output, quick=options.quick)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows to measure; all when none is named")
    parser.add_argument("--quick", action="store_true", help="fewer rounds of smaller work, in about two minutes")
    parser.add_argument("--folder", type=Path, help="where to write test data: the disk that is measured")
    parser.add_argument("--output", type=Path, help="folder for benchmarks.json and benchmarks.svg")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
