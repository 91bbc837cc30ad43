"""What readers of neo need that is not installed with ``gnode-orm[files]``, said before they are tried.

Some would fetch a library from the network when they are made, some give nothing without one; that is never left to
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from gnode_orm.errors import FormatError


@dataclass(frozen=True, slots=True)
class _Need:
    """A module to be found, or an option to be given, and what to do where it is not."""

    remedy: str
    module: str | None = None
    option: str | None = None


def check_requirements(reader: str, options: Mapping[str, Any]) -> None:
    """Refuse to open a file whose reader lacks something.

    Raises:
        FormatError: naming the package or library and where it comes from.
    """
    need = _NEEDS.get(reader)
    if need is None or (need.option is not None and need.option in options):
        return
    if need.module is None or find_spec(need.module) is None:
        raise FormatError(need.remedy)


def what_is_needed() -> dict[str, str]:
    """Give the remedy for each reader that needs more than the extra brings."""
    return {reader: need.remedy for reader, need in _NEEDS.items()}


_NEEDS = {
    "CedIO": _Need(
        "needs the package sonpy, which its maker publishes for Windows and, elsewhere, for Python 3.14 and later: "
        "pip install sonpy; or export the file as .smr, which needs no package",
        module="sonpy",
    ),
    "KwikIO": _Need(
        "needs the package klusta, and NumPy before 2.3; leave reader= out to have it read by h5py", module="klusta"
    ),
    "MEArecIO": _Need("needs the package MEArec; leave reader= out to have it read by h5py", module="MEArec"),
    "MedIO": _Need(
        "needs the package dhn-med-py before 2.0, whose last version is built for Python up to 3.11: "
        "pip install 'dhn-med-py<2'",
        module="dhn_med_py",
    ),
    "NeurosharectypesIO": _Need(
        "needs the Neuroshare library of the maker; name it: reader='NeurosharectypesIO', "
        "reader_options={'dllname': 'nsMCDLibrary.so'}",
        option="dllname",
    ),
    "Plexon2IO": _Need(
        "needs Plexon's library PL2FileReader.dll, on Linux and macOS through wine (pip install wenv zugbruecke); name "
        "it: reader='Plexon2IO', reader_options={'pl2_dll_file_path': '...'}; or export the file as .plx",
        option="pl2_dll_file_path",
    ),
    "StimfitIO": _Need(
        "needs the package stfio of Stimfit, which is in no index of Python packages: install it from conda-forge "
        "(stimfit) or Debian (python3-stfio), or save the file in another format with Stimfit",
        module="stfio",
    ),
}
