"""What an HDF5 file is, by what stands at its top: the suffix ``.h5`` alone says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gnode_orm.files.hdf5_probe import problem_of_hdf5


def readers_of_hdf5(path: Path) -> tuple[list[str], str | None]:
    """Name the readers for an HDF5 file, best first, and what is wrong with the file.

    No readers and no fault: it has none of the layouts that are known.

    Raises:
        ImportError: h5py is not installed.
    """
    import h5py

    problem = problem_of_hdf5(path)
    if problem is not None:
        return [], f"damaged: {problem}"
    try:
        with h5py.File(path, "r") as file:
            return _readers(file), None
    except (OSError, KeyError, RuntimeError, ValueError, AttributeError) as error:
        return [], f"a broken HDF5 file: {' '.join(str(error).split())}"


def _readers(file: Any) -> list[str]:
    if "nwb_version" in file.attrs:
        return ["NWBIO", "pynwb"]
    if file.attrs.get("format") in ("nix", b"nix"):
        foreign = any(block.attrs.get("type") != "neo.block" for block in file.get("data", {}).values())
        return ["nixio", "NixIO"] if foreign else ["NixIO"]
    names = set(file)
    return [reader for reader, needed in _LAYOUTS if any(names >= group for group in needed)]


# Reader -> the groups and datasets that its files have at the top, in one of the versions of the format.
_LAYOUTS: tuple[tuple[str, tuple[set[str], ...]], ...] = (
    ("kwik", ({"channel_groups", "recordings"},)),
    ("mearec", ({"info", "channel_positions"}, {"info", "spiketrains"})),
    ("MaxwellIO", ({"version", "wells"}, {"version", "settings", "mapping"})),
    ("BiocamIO", ({"3BRecInfo", "3BData"}, {"ExperimentSettings"}, {"ExperimentInfo"})),
)
