"""The plain arrays of the model's variables are those that the model itself defines."""

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode

from mscpool.data.moderators import Moderator
from mscpool.models.pooling import POOLINGS
from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.sampled.hierarchy import hierarchy, model_data
from mscpool.models.sampled.variables import variables_of_scores
from mscpool.models.terms import build_terms

from ...builders import ROUNDING

PLAIN = Mode(linker="py", optimizer="fast_compile")
NAMES = ("improvement", "remission", "death")


def terms_of(diseases, studies=0, moderators=()):
    columns = ["study", "disease", "outcome", "events_min", "events_max", "n", "months"]
    rows = [
        ("s", "a", "improvement", 8, 8, 12, np.nan),
        ("s", "a", "remission", 3, 3, 12, np.nan),
        ("t", "b", "improvement", 5, 7, 9, np.nan),
        ("t", "b", "death", 1, 1, 9, 24.0),
    ]
    for disease, events in (("a", 8), ("b", 2)):
        each = (disease, "improvement", events, events, 10, np.nan)
        rows += [(f"{disease}{i}", *each) for i in range(studies)]
    table = pd.DataFrame([row for row in rows if row[1] in diseases], columns=columns)
    return build_terms(table.assign(arm="msc"), NAMES, diseases, moderators)


MODERATORS = (
    Moderator("dose", {"s": 1.0, "t": 4.0}, (), None, 2.0),
    Moderator("route", {"s": "skin", "t": "vein"}, ("skin", "vein"), "vein", "vein"),
)


@pytest.mark.parametrize(
    ("diseases", "studies", "moderators"),
    [
        (("a", "b", "c"), 0, ()),
        (("a",), 0, ()),
        (("a", "b", "c"), 60, ()),
        (("a", "b", "c"), 0, MODERATORS),
    ],
    ids=["three", "one", "centred", "moderated"],
)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_arrays_are_the_models_own_variables(pooling, diseases, studies, moderators):
    terms, priors = terms_of(diseases, studies, moderators), CATALOGUE["default"]
    model = hierarchy(terms, pooling, priors)
    rng = np.random.default_rng(5)
    scores = {
        name: rng.normal(0, 1.5, (3, *np.shape(value)))
        for name, value in model.initial_point().items()
    }
    found = variables_of_scores(scores, terms, pooling, priors, model_data(terms, pooling, priors))
    names = [each.name for each in model.deterministics if each.name != "rate"]
    assert sorted(found) == sorted(names)
    function = model.compile_fn(
        model.replace_rvs_by_values([model[name] for name in names]),
        inputs=model.value_vars,
        mode=PLAIN,
        on_unused_input="ignore",
    )
    for draw in range(3):
        point = {name: values[draw] for name, values in scores.items()}
        for name, wanted in zip(names, function(point), strict=True):
            np.testing.assert_allclose(found[name][draw], wanted, rtol=ROUNDING, err_msg=name)
