"""The matrix of moderators depends on neither units nor references, and is what it says."""

import numpy as np
import pandas as pd
import pytest

from mscpool.data.moderators import Moderator
from mscpool.models.priors.files import prior_set
from mscpool.models.priors.sets import DEFAULT
from mscpool.models.sampled.hierarchy import model_data
from mscpool.models.terms import build_terms

STUDIES = "ABCDEF"
DOSE = dict(zip(STUDIES, [1.0, 2.0, 3.0, 4.0, 6.0, 8.0], strict=True))
ROUTE = dict(zip(STUDIES, ["vein", "skin", "skin", "vein", "skin", "skin"], strict=True))


def number(values=DOSE, at=4.0):
    return Moderator("dose", dict(values), (), None, at)


def text(reference="skin", values=ROUTE, levels=("vein", "skin")):
    return Moderator("route", dict(values), levels, reference, reference)


def terms_of(*moderators):
    rows = [
        *((study, "d", "msc", "improvement", 3, 3, 10, 6) for study in STUDIES),
        *((study, "d", "msc", "death", 0, 0, 10, 6) for study in "ABC"),
    ]
    names = ["study", "disease", "arm", "outcome", "events_min", "events_max", "n", "months"]
    table = pd.DataFrame(rows, columns=names)
    return build_terms(table, ("improvement", "death"), ("d",), moderators)


def test_a_number_is_standardised_over_the_studies_of_each_outcome():
    terms = terms_of(number())
    outcome = terms.effects["outcome"].to_numpy()
    for code in (0, 1):
        own = terms.design.matrix[outcome == code, 0]
        assert own.mean() == pytest.approx(0, abs=1e-12)
        assert own.std(ddof=1) == pytest.approx(1)
    np.testing.assert_allclose(terms.design.spread[:, 0], [np.std([*DOSE.values()], ddof=1), 1.0])
    # Where rates are reported, the value of both is 4: the mean of the first, 2 SD above 1, 2, 3.
    np.testing.assert_allclose(terms.design.at[:, 0], [0, 2], atol=1e-12)


@pytest.mark.parametrize("scale", [0.001, -7.0, 365.25])
def test_units_change_nothing_but_the_unit(scale):
    one, other = (
        terms_of(number()),
        terms_of(
            number({study: 3 + scale * value for study, value in DOSE.items()}, 3 + scale * 4.0)
        ),
    )
    sign = np.sign(scale)
    np.testing.assert_allclose(other.design.matrix, sign * one.design.matrix, atol=1e-9)
    np.testing.assert_allclose(other.design.at, sign * one.design.at, atol=1e-9)
    np.testing.assert_allclose(other.design.spread, abs(scale) * one.design.spread)


def test_the_reference_changes_where_rates_are_reported_and_nothing_else():
    one, other = terms_of(text("skin")), terms_of(text("vein"))
    np.testing.assert_array_equal(one.design.matrix, other.design.matrix)
    for name, values in model_data(one, "partial", DEFAULT).items():
        np.testing.assert_array_equal(values, model_data(other, "partial", DEFAULT)[name])
    assert not np.array_equal(one.design.at, other.design.at)


def test_differences_of_levels_have_the_prior_of_a_number_whatever_their_count():
    rng = np.random.default_rng(2)
    values = dict(zip(STUDIES, ["a", "b", "c", "a", "b", "c"], strict=True))
    design = terms_of(text("a", values, ("a", "b", "c"))).design
    beta = rng.standard_normal((100_000, 2, 3))
    added = design.offsets(beta, np.zeros(len(design.matrix), int))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        # Its error is 0.7 / sqrt(100,000).
        assert np.std(added[:, one] - added[:, other]) == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(added[:, 0], added[:, 3])


def test_a_constant_adds_nothing():
    design = terms_of(number(dict.fromkeys(STUDIES, 3.0), 5.0)).design
    assert not design.matrix.any()
    assert not design.at.any()
    assert not design.spread.any()


def test_an_outcomes_levels_take_nothing_from_the_others_coefficients():
    terms = terms_of(number(), text())
    priors = prior_set("[moderator]\nsd = 0.5\n[outcome.death.moderator]\nsd = 2\n", "f.toml")
    table = model_data(terms, "partial", priors)["moderator_table"]
    outcome = terms.effects["outcome"].to_numpy()
    by_outcome = table.reshape(len(outcome), 2, 4)
    np.testing.assert_array_equal(by_outcome[:, :, 3], 0)  # a spare one
    by_outcome = by_outcome[:, :, :3]
    np.testing.assert_array_equal(by_outcome[outcome == 0, 1], 0)
    np.testing.assert_array_equal(by_outcome[outcome == 1, 0], 0)
    np.testing.assert_allclose(by_outcome[outcome == 0, 0], 0.5 * terms.design.matrix[outcome == 0])
    np.testing.assert_allclose(by_outcome[outcome == 1, 1], 2 * terms.design.matrix[outcome == 1])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("sd = -1", "sigma must be positive"),
        ('dist = "HalfNormal"\nsigma = 1', "a coefficient's prior is Normal about 0"),
        ('dist = "Normal"\nmu = 1\nsigma = 1', "a coefficient's prior is Normal about 0"),
    ],
)
def test_a_coefficients_prior_is_normal_about_zero(given, wanted):
    with pytest.raises(ValueError, match="f.toml: ") as refused:
        prior_set(f"[moderator]\n{given}\n", "f.toml")
    assert wanted in str(refused.value)


def test_the_prior_of_moderators_is_read_and_written():
    read = prior_set("[moderator]\nsd = 0.5\n", "f.toml")
    assert dict(read.of("death").moderator.parameters)["sigma"] == 0.5
    assert type(read).from_dict(read.to_dict()) == read
    assert dict(DEFAULT.of("death").moderator.parameters)["sigma"] == 1
    assert "moderator" not in DEFAULT.to_dict()
