"""An exported table runs nothing in a spreadsheet and is never half there."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mscpool.data.export import spreadsheet_safe, to_json, write_csv, write_whole


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\uff1d1", "\ufeff=1"]
)
def test_a_text_like_a_formula_gets_a_quote(text):
    assert spreadsheet_safe(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Wang 2018", "a=b", "1-2", "'=1", "Sjögren, oral"])
def test_any_other_text_stays(text):
    assert spreadsheet_safe(text) == text


def test_numbers_are_written_as_they_are(tmp_path):
    frame = pd.DataFrame({"=study": ["@a", None], "mean": [-1.5, 0.25], "n": [-3, 4]}, index=[5, 6])
    write_csv(frame, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"'=study,mean,n\n'@a,-1.5,-3\n,0.25,4\n"


def test_whole_numbers_and_digits_survive_reading_back(tmp_path):
    frame = pd.DataFrame({"p": [1 / 3, 1e-300], "n": [2**53 + 1, 0]})
    write_csv(frame, tmp_path / "a.csv")
    back = pd.read_csv(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


def test_a_write_cut_short_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("old", encoding="utf-8")

    def stop(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_csv(pd.DataFrame({"a": [1]}), path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text(encoding="utf-8") == "old"


def test_a_whole_file_is_text_or_bytes_and_makes_its_folder(tmp_path):
    assert write_whole("µ\n", tmp_path / "a" / "b.md").read_bytes() == "µ\n".encode()
    assert write_whole(b"\x00", tmp_path / "c").read_bytes() == b"\x00"


def test_json_never_has_a_number_that_does_not_exist():
    frame = pd.DataFrame({"x": [1.5, np.nan], "n": pd.array([1, None], "Int64")})
    said = to_json({"table": frame, "top": np.inf, "count": np.int64(3), "ok": np.bool_(True)})
    assert json.loads(said, parse_constant=pytest.fail) == {
        "table": [{"x": 1.5, "n": 1}, {"x": None, "n": None}],
        "top": None,
        "count": 3,
        "ok": True,
    }
