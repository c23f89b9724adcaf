"""Prior sets compared where a fit has moderators: their coefficients are parameters as others."""

from dataclasses import replace

import arviz as az
import pytest

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.fitting.moderated import moderators
from mscpool.analysis.paper.words.moderators import parameter_words
from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT

NARROW = replace(DEFAULT, name="narrow", moderator=Prior.make("Normal", mu=0, sigma=0.5))
TABLE = """study,events,n,dose,route
s0,4,20,1,vein
s1,3,15,2,skin
s2,11,30,3,vein
s3,5,12,4,skin
s4,9,25,5,vein
s5,12,18,6,skin
s6,14,22,8,vein
s7,13,16,11,vein
"""
DOSE, ROUTE = "beta[dose]", "beta[route: skin against vein]"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "table.csv"
    path.write_text(TABLE, "utf-8")
    return load_evidence(path, moderators=("dose", "route"))


@pytest.fixture(scope="module")
def made(evidence):
    return fit(evidence, draws=500, tune=400, seed=3)


@pytest.fixture(scope="module")
def compared(evidence, made):
    return compare_priors(evidence, [DEFAULT, NARROW], fits=made)


@pytest.mark.mcmc
def test_coefficients_stand_beside_mu_and_sigma_under_every_set(made, compared):
    table = compared.hyper.set_index(["set", "parameter"])
    told = moderators(made).query("per != 'unit'").reset_index(drop=True)
    for row, name in zip(told.to_dict("records"), (DOSE, ROUTE), strict=True):
        assert table.loc[("default", name), "q97.5"] == pytest.approx(row["q97.5"])
        # Half the prior SD pulls a coefficient towards none.
        near, far = (abs(table.loc[(s, name), "mean"]) for s in ("narrow", "default"))
        assert near < far
        assert table.loc[("narrow", name), "sd"] < table.loc[("default", name), "sd"]


@pytest.mark.mcmc
def test_the_prior_of_coefficients_is_scaled_with_the_others_as_arviz_does(made, compared):
    found = compared.power_scaling.set_index("parameter")
    assert list(found.index) == ["mu", "sigma", DOSE, ROUTE]
    tree = made.copy()
    scaled = az.psense(tree, group="prior", group_var_names=["mu", "sigma", "beta"])
    for name in ("mu", "sigma"):
        assert found.at[name, "prior"] == pytest.approx(float(scaled[name][0]), rel=1e-6)
    assert found.at[DOSE, "prior"] == pytest.approx(float(scaled["beta"][0, 0]), rel=1e-6)
    alone = az.psense(tree, group="prior", group_var_names=["mu", "sigma"])
    assert float(alone["beta"][0, 0]) != pytest.approx(found.at[DOSE, "prior"], rel=0.05)


def test_coefficients_are_named_in_words():
    assert parameter_words("beta[cell_group: umbilical_cord against fat]") == (
        "what goes with cell source (umbilical cord against fat)"
    )
    assert parameter_words(DOSE) == "what goes with dose"
    assert parameter_words("tau") == "how much diseases differ"
