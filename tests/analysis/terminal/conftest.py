"""What tests of the command line share."""

import pytest

from mscpool.analysis.fitting import store


@pytest.fixture(autouse=True)
def one_format(monkeypatch):
    """Draw designs in one format; one test undoes it and looks at all of them."""
    monkeypatch.setattr("mscpool.analysis.paper.publish.design.FORMATS", ("svg",))


@pytest.fixture(scope="session")
def fits_read():
    """Stored fits that were read, by their files as they then were."""
    return {}


@pytest.fixture(autouse=True)
def read_once(monkeypatch, fits_read):
    """Read no stored fit a second time, unless its file is another."""
    read = store._read

    def kept(path, groups):
        file = path.stat()
        key = path, file.st_ino, file.st_mtime_ns, file.st_size, groups and tuple(groups)
        if key not in fits_read:
            fits_read[key] = read(path, groups)
        return fits_read[key].copy()  # the values are shared

    monkeypatch.setattr(store, "_read", kept)
