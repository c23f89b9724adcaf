"""What every test of figures, words and pages shares."""

from ...once import integrated_once

__all__ = ["integrated_once"]
