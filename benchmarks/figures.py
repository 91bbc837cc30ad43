"""Figures as people read them."""

from __future__ import annotations


def shown(figure: float, unit: str) -> str:
    """Show seconds or bytes with three digits."""
    scales = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us")] if unit == "s" else [(1e6, "MB"), (1e3, "kB"), (1.0, "B")]
    for scale, name in scales:
        if abs(figure) >= scale:
            return f"{figure / scale:.3g} {name}"
    return f"{figure / scales[-1][0]:.3g} {scales[-1][1]}"
