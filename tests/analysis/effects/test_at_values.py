"""Effects at values of moderators, against sums written here."""

import numpy as np
import pytest
import xarray as xr

from mscpool.analysis.effects.at_values import effects_at
from mscpool.data.controlled import controlled_rows
from mscpool.data.moderators import read_moderators
from mscpool.models.effects.textbook import contrast_terms

from ...builders import evidence_of

DOSES = [1, 2, 4, 5, 6, 9]
SITES = ["north", "south", "north", "south", "north", "north"]


def test_effects_stand_at_every_value_as_the_coefficients_say(tmp_path):
    lines = ["study,disease,arm,events,n,dose,site"]
    for i, (dose, site) in enumerate(zip(DOSES, SITES, strict=True)):
        for arm, events in (("msc", 9 + i), ("control", 6)):
            lines.append(f"s{i},{'first' if i < 3 else 'second'},{arm},{events},20,{dose},{site}")
    evidence = evidence_of(tmp_path, "\n".join(lines) + "\n")
    rows = controlled_rows(evidence).rows
    moderators = read_moderators(evidence.columns, ("dose", "site"), ("dose=3",), rows)
    terms = contrast_terms(rows, evidence.diseases, moderators)
    rng = np.random.default_rng(4)
    theta, beta = rng.normal(0, 1, (2, 500, 1, 2)), rng.normal(0, 1, (2, 500, 1, 3))
    posterior = xr.Dataset(
        {
            "theta": (("chain", "draw", "outcome", "disease"), theta),
            "beta": (("chain", "draw", "outcome", "coefficient"), beta),
        },
        {"outcome": ["response"], "disease": list(evidence.diseases)},
    )
    table = effects_at(posterior, terms).set_index(["moderator", "row", "disease"])
    centre, sd = np.mean(DOSES), np.std(DOSES, ddof=1)
    level = dict(zip(terms.design.coefficients, range(3), strict=True))
    north, south = (beta[..., 0, level["site", s]] / np.sqrt(2) for s in ("north", "south"))
    at = theta[..., 0, 1] + beta[..., 0, 0] * (3 - centre) / sd
    for site, shift in (("north", north), ("south", south)):
        own = table.loc[("site", "value", "second")].set_index("value").loc[site]
        wanted = np.quantile(at + shift, [0.025, 0.5, 0.975])
        np.testing.assert_allclose(own[["q2.5", "q50", "q97.5"]].astype(float), wanted)
        assert own["studies"] == SITES.count(site)
    # The other moderator stands at its reference, the most frequent level.
    values = table.loc[("dose", "value", "first")]
    assert list(values["x"]) == [1, 4.5, 9]
    for row in values.to_dict("records"):
        moved = theta[..., 0, 0] + beta[..., 0, 0] * (row["x"] - centre) / sd + north
        assert row["q50"] == pytest.approx(np.median(moved))
    assert len(table.loc[("dose", "line", "first")]) == 41


def test_what_is_the_same_in_all_studies_is_not_told_at_its_value(tmp_path):
    lines = ["study,disease,arm,events,n,dose,year"]
    for i, dose in enumerate(DOSES):
        lines += [f"s{i},first,{arm},{6 + i},20,{dose},2017" for arm in ("msc", "control")]
    evidence = evidence_of(tmp_path, "\n".join(lines) + "\n")
    rows = controlled_rows(evidence).rows
    terms = contrast_terms(
        rows, evidence.diseases, read_moderators(evidence.columns, ("dose", "year"), (), rows)
    )
    posterior = xr.Dataset(
        {
            "theta": (("chain", "draw", "outcome", "disease"), np.zeros((1, 4, 1, 1))),
            "beta": (("chain", "draw", "outcome", "coefficient"), np.zeros((1, 4, 1, 2))),
        },
        {"outcome": ["response"], "disease": list(evidence.diseases)},
    )
    assert set(effects_at(posterior, terms)["moderator"]) == {"dose"}
