"""The pictures of a design come with their numbers, captions, and the guard's verdict."""

from dataclasses import replace

import pandas as pd
import pytest
from PIL import Image

from mscpool.analysis.paper.publish.design import exhibit_of, publish_design
from mscpool.analysis.trial.design import ess, precision, single_arm, two_arm, two_stage
from mscpool.analysis.trial.monitoring import monitor, safety
from mscpool.analysis.trial.pictures import pictures
from mscpool.figures.style import PRESETS

from ....builders import ROUNDING

ASKED = {
    "single-arm": (
        lambda: single_arm(null=0.2, target=0.4, n_max=30, design_prior="beta(8,12)"),
        ("size", "operating", "priors"),
    ),
    "single-arm, certain": (
        lambda: single_arm(null=0.2, target=0.4, n_max=30, design_prior="0.4"),
        ("size", "operating", "priors"),
    ),
    "single-arm, one size": (lambda: single_arm(null=0.2, n_min=20, n_max=20), ("operating",)),
    "two-arm": (
        lambda: two_arm(n_max=12, design_prior="beta(8,12)", design_prior_control="0.2"),
        ("size", "type1", "priors"),
    ),
    "precision": (lambda: precision(width=0.4, n_max=40), ("criteria",)),
    "safety": (lambda: safety(null=0.1, n_max=20), ("boundaries", "operating")),
    "safety, no boundary": (lambda: safety(rate=0.1), ()),
    "monitor": (
        lambda: monitor(null=0.2, look=[10, 20], futility=0.05),
        ("boundaries", "operating"),
    ),
    "two-stage": (lambda: two_stage(null=0.2, target=0.5), ("stages",)),
    "two-stage, none": (lambda: two_stage(null=0.2, target=0.25, n_max=20), ()),
    "ess": (lambda: ess(prior="0.8*beta(12,28)+0.2*beta(1,1)"), ("worth",)),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def coarse():
    """Rasters of few dots, whose files are soon written."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(PRESETS, "single", replace(PRESETS["single"], dpi=72))
        yield


@pytest.mark.parametrize("name", ASKED)
def test_every_design_has_its_pictures_with_numbers_and_captions(name, tmp_path):
    ask, wanted = ASKED[name]
    result = ask()
    shown = list(pictures(result))
    assert tuple(picture.name for picture in shown) == wanted
    files = publish_design(result, tmp_path, "pass")
    own = f"design_{result.request.design.replace('-', '_')}"
    ends = {
        f"{own}_{each}.{end}" for each in wanted for end in ("csv", "pdf", "svg", "png", "tiff")
    }
    assert {path.name for path in files} == ends | ({f"{own}_captions.md"} if wanted else set())
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in files}
    for picture in shown:
        table = pd.read_csv(tmp_path / f"{own}_{picture.name}.csv")
        pd.testing.assert_frame_equal(
            table, picture.frame.reset_index(drop=True), check_dtype=False, rtol=ROUNDING
        )
        captions = (tmp_path / f"{own}_captions.md").read_text("utf-8")
        words = exhibit_of(picture, result).words
        assert words.caption in captions
        assert words.alternative in captions
        assert result.rule[1:] in words.caption
        with Image.open(tmp_path / f"{own}_{picture.name}.png") as image:
            assert image.info["Description"] == words.alternative


def test_a_design_replaces_its_own_pictures_and_no_others(tmp_path):
    mine = tmp_path / "design_notes.csv"
    mine.write_text("mine", "utf-8")
    others = {mine}
    for name in ("safety", "two-stage", "ess", "precision", "monitor", "two-arm"):
        others |= {*publish_design(ASKED[name][0](), tmp_path, "pass")}
    first = {*publish_design(ASKED["single-arm"][0](), tmp_path, "pass")}
    assert not first & others
    again = {*publish_design(ASKED["single-arm, one size"][0](), tmp_path, "pass")}
    assert again < first
    assert {*tmp_path.iterdir()} == again | others


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("fail", "not to be used"), ("unchecked", "unchecked fit"), ("warn", ""), ("pass", "")],
)
def test_captions_tell_the_verdict_on_the_fit_behind(verdict, said, tmp_path):
    publish_design(ASKED["single-arm, one size"][0](), tmp_path, verdict)
    head = (tmp_path / "design_single_arm_captions.md").read_text("utf-8").partition("##")[0]
    assert said in head
    assert bool(said) == (head != "# Captions\n\n")


def test_the_design_prior_is_drawn_as_discounted():
    plan = {"null": 0.2, "n_min": 20, "n_max": 21, "design_prior": "beta(40,60)"}
    believed, lower = single_arm(**plan), single_arm(**plan, discount=1.0)
    tops = []
    for result in (believed, lower):
        frame = {picture.name: picture.frame for picture in pictures(result)}["priors"]
        own = frame[frame["series"] == "design prior"]
        tops.append(own["x"].iloc[own["value"].argmax()])
    # The mode of beta(40,60) is 0.398; one log-odds lower it is 0.195.
    assert tops == pytest.approx([0.398, 0.195], abs=0.01)
