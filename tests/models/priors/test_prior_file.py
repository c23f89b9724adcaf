import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.priors.files import prior_file, prior_set
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import PriorSet


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_set_of_the_catalogue_is_read_back_from_its_file(name):
    assert prior_set(prior_file(CATALOGUE[name])) == CATALOGUE[name]


@settings(max_examples=40)
@given(
    text=st.text(max_size=20),
    outcome=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    mu=st.floats(-1e6, 1e6),
    sigma=st.floats(1e-6, 1e6),
)
def test_any_text_and_number_survives_the_file(text, outcome, mu, sigma):
    made = PriorSet("mine", sentence=text).with_outcome(
        outcome, mu=Prior.make("Normal", mu=mu, sigma=sigma)
    )
    assert prior_set(prior_file(made)) == made
