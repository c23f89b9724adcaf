"""What tests of the command line share."""

import pytest


@pytest.fixture(autouse=True)
def two_formats(monkeypatch):
    """Draw designs in two formats; one test undoes it and looks at all of them."""
    formats = "mscpool.analysis.paper.publish.design.FORMATS"
    monkeypatch.setattr(formats, ("svg", "png"))
