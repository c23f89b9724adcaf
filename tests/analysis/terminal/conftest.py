"""What tests of the command line share."""

import pytest

from ...once import fits_read_once

__all__ = ["fits_read_once", "one_format"]


@pytest.fixture(autouse=True)
def one_format(monkeypatch):
    """Draw designs in one format; one test undoes it and looks at all of them."""
    monkeypatch.setattr("mscpool.analysis.paper.publish.design.FORMATS", ("svg",))
