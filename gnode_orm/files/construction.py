"""Making a reader of neo for a path: each wants the path, and some things beside it, in its own way."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gnode_orm.files.bci2000 import find_state_changes, names_of_types_kept
from gnode_orm.files.brainvision import headers_decoded
from gnode_orm.files.edf_samples import read_from_records
from gnode_orm.files.intan import fields_read_through_a_buffer, read_side_by_side
from gnode_orm.files.klusters import session_in
from gnode_orm.files.plexon import count_samples

_PRESET: Mapping[str, Mapping[str, Any]] = {
    "NixIO": {"mode": "ro"},
    "NWBIO": {"mode": "r"},
}
_LFP = {".lfp", ".eeg"}


def construct(reader: Any, path: Path, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Make a reader; give it, and the options that its method ``read`` takes instead."""
    name = reader.__name__
    taken = {**_PRESET.get(name, {}), **options}
    others: dict[str, Any] = {}
    if not hasattr(reader, "parse_header"):
        own = inspect.signature(reader.__init__).parameters
        others = {key: taken.pop(key) for key in list(taken) if key not in own}
    place = path
    if name == "NeuralynxIO" and path.is_file():
        place, taken = path.parent, {"include_filenames": [path.name], **taken}
    elif name == "KlustaKwikIO":
        place = path / (session_in(path) or "") if path.is_dir() else path
    # Every reader takes the path first, under various names.
    with headers_decoded(), names_of_types_kept(), fields_read_through_a_buffer(), _no_bars_of_progress():
        made = reader(str(place), **taken)
    mend = _MENDED.get(name)
    if mend is not None:
        mend(made)
    return made, others


@contextmanager
def _no_bars_of_progress() -> Iterator[None]:
    """Keep the reader of Plexon, whose class has no argument for it, from drawing on the terminal."""
    from neo.rawio import plexonrawio

    module: Any = plexonrawio
    draws, module.HAVE_TQDM = module.HAVE_TQDM, False
    try:
        yield
    finally:
        module.HAVE_TQDM = draws


def _take_rate_of_lfp(reader: Any) -> None:
    """Give field potentials, which stand beside the wide band under one header, the rate that is said for them."""
    said = ElementTree.parse(reader.xml_file_path).find("fieldPotentials/lfpSamplingRate")
    if reader.data_file_path.suffix not in _LFP or said is None or not said.text:
        return
    rate = float(said.text)
    if rate != reader._sampling_rate:
        warnings.warn(f"the sampling rate is that of field potentials in the header, {rate:g} Hz", stacklevel=2)
        reader._sampling_rate = rate
        reader.header["signal_channels"]["sampling_rate"] = rate


# What readers do wrong once they are made.
_MENDED: dict[str, Callable[[Any], None]] = {
    "BCI2000IO": find_state_changes,
    "EDFIO": read_from_records,
    "IntanIO": read_side_by_side,
    "NeuroScopeIO": _take_rate_of_lfp,
    "PlexonIO": count_samples,
}
