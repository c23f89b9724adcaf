"""The shipped evidence, which several tests of the guard read."""

import pytest

import mscpool as mp


@pytest.fixture(scope="module")
def evidence():
    return mp.load_evidence()
