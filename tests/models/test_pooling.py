"""Poolings: one table of what each is."""

from typing import get_args

import pytest

from mscpool.models.pooling import POOLINGS, Pooling, has_tau, structure


def test_the_type_names_the_poolings_of_the_table():
    assert get_args(Pooling) == tuple(POOLINGS)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_one_disease_has_its_level_and_no_tau(pooling):
    assert structure(pooling, ("only",)) == "single"
    assert not has_tau(pooling, ("only",))
    assert structure(pooling, ("one", "two")) == pooling
    assert has_tau(pooling, ("one", "two")) == (pooling in ("partial", "exnex", "robust"))


def test_an_unknown_pooling_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="unknown pooling 'partail'; did you mean partial"):
        structure("partail", ("one", "two"))
