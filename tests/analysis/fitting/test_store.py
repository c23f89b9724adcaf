"""The store: one file that is old or new, answers only its own request, and is read with care."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mscpool.analysis.fitting import fit as fitting
from mscpool.analysis.fitting import store
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet

SETTINGS = {"engine": "nuts", "draws": 10, "tune": 10, "chains": 2, "seed": 3}


def small_fit(value=1.0, config=None):
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"mu": ("draw", np.full(4, value))})})
    config = {"data_sha256": "x", "pooling": "partial", "engine": "nuts"} | (config or {})
    tree.attrs["run_config"] = store.canonical(config)
    return tree


def mean(tree):
    return float(tree["posterior"]["mu"].mean())


def test_what_is_saved_is_read_again(tmp_path):
    path = tmp_path / "deep" / "fit.nc"
    store.save(small_fit(2.5), path)
    for place in (path, path.parent, str(path)):
        again = store.load(place)
        assert mean(again) == 2.5
        assert store.run_config(again)["pooling"] == "partial"
    assert [p.name for p in path.parent.iterdir()] == ["fit.nc"]
    store.save(small_fit(3.5), path.parent)
    assert mean(store.load(path)) == 3.5


def test_saved_file_may_be_read_by_whoever_may_read_new_files(tmp_path):
    store.save(small_fit(), tmp_path / "fit.nc")
    (tmp_path / "other").touch()
    assert (tmp_path / "fit.nc").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_run_that_dies_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "fit.nc"
    store.save(small_fit(1.0), path)

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        store.save(small_fit(2.0), path)
    assert os.listdir(tmp_path) == ["fit.nc"]
    assert mean(store.load(path)) == 1.0


def test_overwriting_while_an_old_fit_is_in_use_changes_nothing_of_it(tmp_path):
    path = tmp_path / "fit.nc"
    store.save(small_fit(1.0), path)
    old = store.load(path)
    store.save(small_fit(2.0), path)
    assert (mean(old), mean(store.load(path))) == (1.0, 2.0)


def damaged(path):
    store.save(small_fit(), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def foreign(path):
    xr.Dataset({"a": ("x", [1, 2])}).to_netcdf(path, engine="h5netcdf")


def other_config(path):
    tree = small_fit()
    tree.attrs["run_config"] = json.dumps(["not", "ours"])
    tree.to_netcdf(path, engine="h5netcdf")


def without_hashes(path):
    small_fit().to_netcdf(path, engine="h5netcdf")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no stored fit here; make one with 'mscpool fit'"),
        (lambda path: path.mkdir(), "no stored fit here; make one with 'mscpool fit'"),
        (lambda path: path.touch(), "damaged or not a netCDF file"),
        (lambda path: path.write_text("study,events\n"), "damaged or not a netCDF file"),
        (damaged, "damaged or not a netCDF file"),
        (foreign, "not a fit that mscpool wrote"),
        (other_config, "not a fit that mscpool wrote"),
        (without_hashes, "of an older mscpool"),
    ],
    ids=["missing", "directory", "empty", "text", "damaged", "foreign", "other config", "older"],
)
def test_file_that_is_no_fit_is_a_clear_error(tmp_path, make, message):
    path = tmp_path / "fit.nc"
    make(path)
    with pytest.raises(ValueError, match=message) as raised:
        store.load(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def rich_fit():
    """A tree with every kind of value that a fit keeps."""
    numbers = np.random.default_rng(1).normal(size=(2, 3))
    tree = small_fit()
    labels = np.array(["Sjögren", "", "a"], object)
    tree["rates"] = xr.DataTree(
        xr.Dataset(
            {
                "mean": (("chain", "row"), numbers),
                "months": ("row", [6.0, np.nan, 12.0]),
                "diverging": ("row", [True, False, True]),
                "label": ("row", labels),
            },
            {"row": labels, "chain": range(2)},
            {"divergences": 0, "e_bfmi": 0.9, "missing": np.nan},
        )
    )
    return tree


def test_every_kind_of_value_is_read_as_it_was_written(tmp_path):
    store.save(rich_fit(), tmp_path / "fit.nc")
    again = store.load(tmp_path)
    xr.testing.assert_identical(again["rates"].to_dataset(), rich_fit()["rates"].to_dataset())
    # What was read may be written again: a copy of a fit is a fit.
    store.save(again, tmp_path / "copy.nc")
    store.load(tmp_path / "copy.nc")


@pytest.mark.parametrize("kind", [object, str, bool, int, float])
def test_a_table_without_rows_is_read_as_it_was_written(tmp_path, kind):
    """Such as the coefficients of a fit whose only moderator was the same in all studies."""
    fit = small_fit()
    fit["moderators"] = xr.DataTree(xr.Dataset({"of": ("entry", np.empty(0, kind))}))
    store.save(fit, tmp_path / "fit.nc")
    assert store.load(tmp_path)["moderators"]["of"].shape == (0,)


# A reader that stumbles over damaged metadata complains once more while it is cleared up.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_byte_changed_anywhere_is_never_another_fit(tmp_path):
    path, wanted = tmp_path / "fit.nc", rich_fit()
    store.save(wanted, path)
    content, refusals, places = path.read_bytes(), [], 25
    for place in range(0, len(content), len(content) // places):
        changed = bytearray(content)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        try:
            found = store.load(path)
        except ValueError as problem:
            refusals.append(str(problem))
        else:
            assert found.identical(wanted)
    # Padding carries nothing, and metadata such as dates nothing that is read.
    assert len(refusals) > 0
    assert all(each.startswith(f"{path}: ") and "\n" not in each for each in refusals)


@pytest.mark.parametrize("group", ["posterior", "rates"])
def test_damage_is_noticed_in_the_group_that_is_read(tmp_path, group):
    path = tmp_path / "fit.nc"
    store.save(rich_fit(), path)
    value = {"posterior": np.full(4, 1.0), "rates": np.array([6.0, np.nan, 12.0])}[group]
    content = path.read_bytes()
    assert content.count(value.tobytes()) == 1
    path.write_bytes(content.replace(value.tobytes(), (value + 1).tobytes()))
    with pytest.raises(ValueError, match="damaged: its group .* is not what was written"):
        store.load(path)
    with pytest.raises(ValueError, match="damaged"):
        store.load(path, [group])


def test_truncated_file_is_told_in_one_line_and_nothing_else(tmp_path, capfd):
    path = tmp_path / "fit.nc"
    store.save(small_fit(), path)
    content = path.read_bytes()
    for length in (0, 1, 100, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="damaged"):
            store.load(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("make", [damaged, foreign], ids=["damaged", "foreign"])
def test_file_that_is_no_fit_is_not_replaced_unasked(tmp_path, make, monkeypatch):
    path = tmp_path / "fit.nc"
    make(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="netCDF|mscpool wrote"):
        store.read_back({"pooling": "partial"}, path)
    assert path.read_bytes() == before


def test_chosen_groups_are_read_alone(tmp_path):
    tree = small_fit()
    tree["rates"] = xr.DataTree(xr.Dataset({"mean": ("entry", [0.5])}))
    store.save(tree, tmp_path / "fit.nc")
    assert set(store.load(tmp_path, ["rates"]).children) == {"rates"}
    assert set(store.load(tmp_path).children) == {"posterior", "rates"}


def test_canonical_string_does_not_depend_on_order():
    one = {"b": {"y": 1, "x": [1, 2]}, "a": "é"}
    other = {"a": "é", "b": {"x": [1, 2], "y": 1}}
    assert store.canonical(one) == store.canonical(other)
    assert store.canonical(one).isascii()
    assert store.canonical(one) != store.canonical({**one, "a": "e"})
    assert json.loads(store.canonical(one)) == one


def test_request_names_everything_that_a_fit_follows_from():
    evidence = load_evidence()
    base = store.request(evidence, "partial", DEFAULT, **SETTINGS)
    changes = [
        store.request(evidence, "exnex", DEFAULT, **SETTINGS),
        store.request(evidence, "partial", PriorSet("default"), **SETTINGS),
        store.request(
            evidence, "partial", PriorSet("x", tau=Prior.make("HalfNormal", sigma=2)), **SETTINGS
        ),
        store.request(evidence.select(drop=("yao2021",)), "partial", DEFAULT, **SETTINGS),
        *(
            store.request(evidence, "partial", DEFAULT, **{**SETTINGS, name: value})
            for name, value in (("draws", 11), ("tune", 9), ("chains", 3), ("seed", 4))
        ),
    ]
    strings = [store.canonical(each) for each in (base, *changes)]
    assert len(set(strings)) == len(strings)
    again = store.request(load_evidence(), "partial", DEFAULT, **SETTINGS)
    assert store.canonical(again) == strings[0]
    assert {"pymc", "nutpie", "numpy", "mscpool"} <= set(base["versions"])


def test_identical_request_is_read_back_and_another_is_fitted(tmp_path, monkeypatch):
    evidence, path = load_evidence(outcomes=("serious_ae",)), tmp_path / "fit.nc"
    asked = {"draws": 10, "tune": 10, "chains": 2, "seed": 3}
    config = store.request(evidence, "partial", DEFAULT, **SETTINGS)
    store.save(small_fit(7.0, config), path)

    class Sampled(Exception):
        pass

    def sampled(*args, **kwargs):
        raise Sampled

    monkeypatch.setattr(fitting, "sample", sampled)
    assert mean(fitting.fit(evidence, path=path, **asked)) == 7.0
    for change in ({"seed": 4}, {"pooling": "none"}, {"draws": 11}, {"refit": True}):
        with pytest.raises(Sampled):
            fitting.fit(evidence, path=path, **{**asked, **change})
    assert mean(store.load(path)) == 7.0
