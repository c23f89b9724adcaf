"""The evidence and the fits that figures are drawn of."""

import pytest

from mscpool.data.evidence import load_evidence

from ..once import integrated_once
from .pretend import evidence_of_size, pretend_check, pretend_fit

__all__ = ["integrated_once", "shipped", "sized"]


@pytest.fixture(scope="session")
def shipped():
    """The shipped evidence, a fit of it that nobody sampled, and what a guard might say."""
    evidence = load_evidence()
    return evidence, pretend_fit(evidence), pretend_check(evidence)


@pytest.fixture(scope="session")
def sized(tmp_path_factory, shipped):
    """Evidence, fit and check by numbers of diseases and studies."""
    folder = tmp_path_factory.mktemp("sizes")
    made = {(6, 24): shipped}
    for diseases, studies in ((1, 1), (2, 60), (20, 60)):
        evidence = evidence_of_size(folder, diseases, studies)
        made[diseases, studies] = evidence, pretend_fit(evidence), pretend_check(evidence)
    return made
