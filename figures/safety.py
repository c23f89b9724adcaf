"""Harms by disease, with 12-month mortality."""

from .rates import draw_safety

__all__ = ["draw_safety"]
