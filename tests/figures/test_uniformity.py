"""The picture of simulation-based calibration: the lines are the ECDFs, the band the judge's."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from mscpool.analysis.calibration.band import band
from mscpool.analysis.calibration.uniformity import FAMILY_WISE, RANKED, Places, curves, judged
from mscpool.figures.style import ALARM, make_style
from mscpool.figures.uniformity import draw_uniformity

EVEN = (np.arange(400) + 0.5) / 400


@pytest.fixture(scope="module")
def found():
    sound, wrong = pd.DataFrame({"mu": EVEN, "tau": EVEN**3}), pd.DataFrame({"d": EVEN[::4]})
    return [Places("exact", "one outcome", sound), Places("nuts", "all outcomes", wrong)]


def test_lines_leave_the_band_where_the_verdict_says_so(found):
    figure = draw_uniformity(curves(found), make_style())
    verdicts = judged(found)["inside_band"]
    assert list(verdicts) == [True, False, True]
    lines = figure.findobj(lambda artist: artist.get_gid() == "quantity")
    assert [to_hex(line.get_color()) == ALARM for line in lines] == list(~verdicts)
    for line, values in zip(lines, (EVEN, EVEN**3, EVEN[::4]), strict=True):
        for place, difference in line.get_xydata():
            assert difference == pytest.approx(np.mean(values <= place) - place)


def test_the_band_is_the_one_that_judges(found):
    frame = curves(found).drop_duplicates(["data", "place"])
    for each in found:
        points, low, high = band(len(each.places), FAMILY_WISE ** (1 / 3), RANKED)
        own = frame[frame["data"] == each.data]
        assert own["low"].to_numpy() == pytest.approx(low - points)
        assert own["high"].to_numpy() == pytest.approx(high - points)
    assert frame.groupby("data")["sims"].first().to_dict() == {
        "all outcomes": 100, "one outcome": 400
    }  # fmt: skip
