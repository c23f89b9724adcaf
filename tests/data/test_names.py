"""How studies are called in sentences."""

import pandas as pd

from mscpool.data.names import study_labels


def test_a_study_without_letters_is_told_apart_from_counts():
    studies = pd.DataFrame({"study": ["2", "2019-1", "é"], "label": ["", None, "x 3"]})
    labels = study_labels(studies)
    assert labels == {"2": "study 2", "2019-1": "study 2019-1", "é": "x 3"}
