"""Worker processes that are kept alive: one that ends, for whatever reason, is started again at once.

granian's own loop takes two ends of a worker within 5.5 s for a fault of the application and stops every worker. Here
the server goes on, and gives up when one worker after the other ends young, as where the lab can no longer be opened.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from granian.server.mp import MPServer

_LOG = logging.getLogger("gnode_orm.server")
_YOUNG_SECONDS = 5.0
_YOUNG_ENDS = 10


class KeptAlive(MPServer):
    """Serves with workers that are started again."""

    _young_ends = 0

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        while not self.interrupt_signal and self._young_ends < _YOUNG_ENDS:
            self.main_loop_interrupt.wait()
            # Before looking: who ends from here on is seen in the next round.
            self.main_loop_interrupt.clear()
            while self.interrupt_children and not self.interrupt_signal and self._young_ends < _YOUNG_ENDS:
                self._start_again(self.interrupt_children.pop(0), spawn_target, target_loader)
            if self.reload_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        if self._young_ends == _YOUNG_ENDS:
            _LOG.error("%d workers ended one after the other soon after their start; the server stops", _YOUNG_ENDS)
            self.interrupt_children.append(0)  # for which the exit status is 1

    def _start_again(self, number: int, spawn_target: Any, target_loader: Any) -> None:
        young = time.monotonic() - self.wrks[number].birth < _YOUNG_SECONDS
        self._young_ends = self._young_ends + 1 if young else 0
        _LOG.warning("worker %d ended and is started again", number + 1)
        self._respawn_workers([number], spawn_target, target_loader)
