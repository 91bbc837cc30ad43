"""Where the blocks of samples in a file of Plexon begin and end.

neo counts a block from the length of itself instead of that of the block before, so that slices behind a block of
another length come from elsewhere; and of a slice that ends with a block, as the whole signal does, it reads that block
as zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_SAMPLES = 5


def count_samples(reader: Any) -> None:
    """Say of each block which sample is its first, and put an empty one behind the last."""
    channels = reader._data_blocks.get(_SAMPLES, {})
    for channel, blocks in channels.items():
        ended = np.append(blocks, np.zeros(1, blocks.dtype))
        ended["cumsum"][0] = 0
        ended["cumsum"][1:] = np.cumsum(blocks["size"] // np.dtype("i2").itemsize)
        channels[channel] = ended
