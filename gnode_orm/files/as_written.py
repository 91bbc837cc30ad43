"""What files that neo writes itself say, without what its readers put in or mix up."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

# What our exports to NIX give as time of recording where there is none: NIX demands one, and neo's writer takes now.
NO_TIME = dt.datetime.fromtimestamp(0)  # noqa: DTZ006 - neo reads the times of NIX so


def as_written(reader: str, block: Any) -> Any:
    """Give a block that a reader of neo has read as its file has it."""
    mend = _MENDED.get(reader)
    if mend is not None:
        for item in {id(item): item for item in (block, *block.children_recur)}.values():
            mend(item)
    return block


def _of_nix(item: Any) -> None:
    """Take out the names that neo tells its objects in NIX by, and the empty names and times that stand for none."""
    item.annotations.pop("nix_name", None)
    item.name = item.name or None
    if getattr(item, "rec_datetime", None) == NO_TIME:
        item.rec_datetime = None
    # NIX knows no NumPy scalars; they come from the library that reads it.
    for name, value in item.annotations.items():
        if isinstance(value, np.generic):
            item.annotations[name] = value.item()


def _of_nwb(item: Any) -> None:
    """Make text of the labels that h5py gives as objects."""
    labels = getattr(item, "_labels", None)
    if labels is not None and labels.dtype == object and all(isinstance(label, str) for label in labels):
        item._labels = labels.astype("U")


def _of_pickle(item: Any) -> None:
    """Put description and origin of epochs back, which neo confuses where it unpickles them."""
    import neo

    if isinstance(item, neo.Epoch) and _confuses_epochs():
        item.description, item.file_origin = item.file_origin, item.description


@cache
def _confuses_epochs() -> bool:
    import neo

    # Our own bytes: nothing foreign is unpickled here.
    return bool(pickle.loads(pickle.dumps(neo.Epoch(description="said"))).description != "said")


_MENDED: dict[str, Callable[[Any], None]] = {"NixIO": _of_nix, "NWBIO": _of_nwb, "PickleIO": _of_pickle}
