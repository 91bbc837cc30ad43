"""Physical values from raw samples."""

from __future__ import annotations

from typing import Any

import numpy as np


def physical(raw: Any, gain: Any, offset: Any) -> Any:
    """Give ``raw * gain + offset`` in the precision that neo reads with: single, or double for wide integers.

    ``gain`` and ``offset`` are one number, one for each channel (the last axis), or ``None``.
    """
    values = raw.astype(np.result_type(raw.dtype, np.float32))
    if gain is not None:
        values *= np.asarray(gain)
    if offset is not None:
        values += np.asarray(offset)
    return values
