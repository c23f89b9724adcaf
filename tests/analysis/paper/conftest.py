"""What every test of figures, words and pages shares."""

from ...once import fits_read_once, integrated_once

__all__ = ["fits_read_once", "integrated_once"]
