"""What may explain why studies differ: columns of the tables, read as numbers or as levels.

A column whose every value is a number is one; any other is a text, whose distinct values are its
levels. What cannot be analysed is refused here, with the studies named.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from .cells import Row
from .errors import SelectionError
from .mistakes import listed, shown, unknown_name
from .names import outcome_in_text
from .numbers import with_point

#: Columns of the tables that say what a row is: they explain nothing.
_RESERVED = (
    *("study", "study_id", "disease", "outcome", "arm"),
    *("events", "events_min", "events_max"),
)
#: Texts that say that a value is not known; "none" may be a level.
_NOT_KNOWN = re.compile(r"na|n/a|nan|nr|nd|null|unknown|not reported|[.?–-]", re.IGNORECASE)
#: Coefficients of an outcome, at the most, in its studies.
MOST_PER_STUDY = 1 / 3
#: Share of a moderator's variation that lies between diseases (adjusted for the number of diseases)
#: from which on it is said to be confounded with disease.
CONFOUNDED = 0.5

#: Moderators that a folder has without a column of their own: by name, the column that they follow
#: from, the groups of its values, and the group of all others.
DERIVED: dict[str, tuple[str, dict[str, str], str]] = {
    "randomised": ("design", {"randomised_trial": "randomised"}, "not randomised"),
    "cell_group": (
        "cell_source",
        {
            "umbilical_cord": "umbilical cord",
            "cord_blood": "umbilical cord",
            "adipose": "fat",
            "stromal_vascular_fraction": "fat",
            "bone_marrow": "bone marrow",
        },
        "other",
    ),
}

#: By column, the distinct texts that a study's rows have there.
Columns = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Moderator:
    """One column that may explain why studies differ.

    Attributes
    ----------
    name : str
        The column.
    values : dict of str to float or str
        By study: numbers, or levels of a text.
    levels : tuple of str
        Of a text, in the order of the data; none for a number.
    reference : str or None
        Level that the others are compared with; None for a number.
    at : float or str
        Value that rates are reported at.
    """

    name: str
    values: dict[str, float | str]
    levels: tuple[str, ...]
    reference: str | None
    at: float | str

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return not self.levels

    def differs_among(self, studies: Iterable[str]) -> bool:
        """Whether some of these studies differ in it: else it explains nothing of them."""
        return len({self.values[study] for study in studies}) > 1

    @property
    def asked(self) -> str:
        """How it is asked for, as `read_moderators` reads it."""
        return self.name if self.reference is None else f"{self.name}={self.reference}"


def read_columns(rows: Iterable[tuple[str, Row]]) -> Columns:
    """Gather the columns of a table that may be moderators.

    Parameters
    ----------
    rows : iterable of (str, Row)
        The study of each row, and its cells.

    Returns
    -------
    dict
        By column and study, the distinct texts.
    """
    columns: dict[str, dict[str, tuple[str, ...]]] = {}
    for study, row in rows:
        for name, cell in row.cells.items():
            if name and name not in _RESERVED:
                text = with_point(cell, row.decimal_comma)
                texts = columns.setdefault(name, {})
                texts[study] = tuple(dict.fromkeys((*texts.get(study, ()), text)))
    for name, (source, groups, rest) in DERIVED.items():
        if source in columns and name not in columns:
            columns[name] = {
                study: tuple(groups.get(text, rest) if text else "" for text in texts)
                for study, texts in columns[source].items()
            }
    return columns


def read_moderators(
    columns: Columns, asked: Sequence[str], at: Sequence[str], rows: pd.DataFrame
) -> tuple[Moderator, ...]:
    """Read the moderators of an analysis.

    Parameters
    ----------
    columns : dict
        As `read_columns` gives.
    asked : sequence of str
        Columns, a text's perhaps with its reference: ``COLUMN=LEVEL``.
    at : sequence of str
        Values that rates are reported at: ``COLUMN=VALUE``.
    rows : pandas.DataFrame
        The rows that are analysed: ``study``, ``outcome``.

    Returns
    -------
    tuple of Moderator
        A number is reported at its mean over the studies, a text at its reference, by default the
        most frequent level.

    Raises
    ------
    SelectionError
        One line for each thing that is wrong.
    """
    problems: list[str] = []
    studies = list(dict.fromkeys(rows["study"]))
    read = [_read(each, columns, studies, problems) for each in asked]
    moderators = {each.name: each for each in read if each is not None}
    if len(moderators) < sum(each is not None for each in read):
        problems.append("a moderator is named twice: name each once")
    given: dict[str, str] = {}
    for pair in at:
        name, equals, value = pair.partition("=")
        if not equals:
            problems.append(f"at {shown(pair)} has no value: write COLUMN=VALUE")
        elif name in given:
            problems.append(f"at {name} is given twice: give one value of each moderator")
        elif name not in moderators:
            if not asked:
                problems.append(f"at {name}: no moderator is chosen; choose {shown(name)} as one")
            elif not problems:
                problems.append(unknown_name(name, moderators, "moderator to report rates at"))
        else:
            given[name] = value
    for name, value in given.items():
        moderators[name] = _reported_at(moderators[name], value, problems)
    problems += _too_many(tuple(moderators.values()), rows)
    if problems:
        raise SelectionError("\n".join(problems))
    return tuple(moderators.values())


def _read(
    asked: str, columns: Columns, studies: Sequence[str], problems: list[str]
) -> Moderator | None:
    name, equals, reference = (asked, "", "") if asked in columns else asked.partition("=")
    if name in ("disease", "study", "study_id"):
        problems.append(f"moderator {name}: the model has it already; name another column")
        return None
    if name not in columns:
        problems.append(unknown_name(name, columns, "moderator"))
        return None
    texts = {study: columns[name].get(study, ("",)) for study in studies}
    before = len(problems)
    missing = [
        s for s, each in texts.items() if any(not t or _NOT_KNOWN.fullmatch(t) for t in each)
    ]
    if missing:
        who = "study " + missing[0] if len(missing) == 1 else "studies " + listed(missing)
        problems.append(
            f"moderator {name}: no value of {who}; fill it in, or leave out what has none with "
            "--drop"
        )
    for study, each in texts.items():
        if len(each) > 1 and study not in missing:
            wrong = f"study {study} has several values ({listed(each)})"
            problems.append(f"moderator {name}: {wrong}: a moderator has one for each study")
    if len(problems) > before:
        return None
    values = {study: each[0] for study, each in texts.items()}
    numbers = {study: _number(text) for study, text in values.items()}
    if None not in numbers.values():
        found = {study: float(number or 0.0) for study, number in numbers.items()}
        if equals:
            problems.append(f"moderator {name}: numbers have no reference; write {name} alone")
        return Moderator(name, dict(found), (), None, math.fsum(found.values()) / len(found))
    levels = Counter(values.values())
    if len(levels) == len(values):
        problems.append(
            f"moderator {name}: a text with as many values as studies ({len(levels)}) explains "
            "nothing; put them into groups"
        )
        return None
    if equals and reference not in levels:
        problems.append(unknown_name(reference, levels, f"reference of moderator {name}:"))
        return None
    chosen = reference or levels.most_common(1)[0][0]
    return Moderator(name, dict(values), tuple(levels), chosen, chosen)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def _reported_at(moderator: Moderator, value: str, problems: list[str]) -> Moderator:
    number = _number(value)
    at: float | str = value
    if moderator.is_number and number is None:
        problems.append(f"at {moderator.name}={shown(value)[1:-1]}: not a number")
    elif moderator.is_number and number is not None:
        at = number
    elif value not in moderator.levels:
        problems.append(
            unknown_name(value, moderator.levels, f"level of moderator {moderator.name}:")
        )
    return Moderator(moderator.name, moderator.values, moderator.levels, moderator.reference, at)


def _too_many(moderators: Sequence[Moderator], rows: pd.DataFrame) -> list[str]:
    """Refuse outcomes with more coefficients than their studies can tell of."""
    problems = []
    for outcome, own in rows.groupby("outcome", sort=False)["study"]:
        studies = list(dict.fromkeys(own))
        wanted = sum(coefficients(each, studies) for each in moderators)
        if wanted > MOST_PER_STUDY * len(studies):
            said = "coefficient is" if wanted == 1 else "coefficients are"
            problems.append(
                f"moderators: {wanted} {said} too many for the {len(studies)} studies of "
                f"{outcome_in_text(str(outcome))}: at most one for every three studies; name fewer "
                "moderators, or other outcomes with --outcome"
            )
    return problems


def coefficients(moderator: Moderator, studies: Sequence[str]) -> int:
    """Count the coefficients that studies tell of: the distinct values less one, of a number one.

    Parameters
    ----------
    moderator : Moderator
        The moderator.
    studies : sequence of str
        Some of its studies.
    """
    distinct = len({moderator.values[study] for study in studies})
    return min(distinct - 1, 1) if moderator.is_number else distinct - 1


def levels_seen(moderator: Moderator, studies: Sequence[str]) -> dict[str, int]:
    """Count how many of some studies have each level of a text, the most frequent first."""
    return dict(Counter(str(moderator.values[study]) for study in studies).most_common())


def moderator_messages(
    moderators: Sequence[Moderator], rows: pd.DataFrame, labels: Mapping[str, str]
) -> tuple[str, ...]:
    """Say what a reader must know of moderators before believing them, one line each.

    Parameters
    ----------
    moderators : sequence of Moderator
        As `read_moderators` gives.
    rows : pandas.DataFrame
        The rows that are analysed: ``study``, ``disease``, ``outcome``.
    labels : mapping of str to str
        How readers know the studies.

    Returns
    -------
    tuple of str
        Rates reported outside of what was seen; and by outcome, what is constant, confounded with
        disease, or seen in one study alone.
    """
    told = []
    for each in moderators:
        if isinstance(each.at, float):
            seen = [float(value) for value in each.values.values()]
            if not min(seen) <= each.at <= max(seen):
                told.append(
                    f"{each.name}={each.at:g} is an extrapolation: studies have {min(seen):g} to "
                    f"{max(seen):g}"
                )
        known = replace(each, values={labels[s]: value for s, value in each.values.items()})
        for outcome, own in rows.groupby("outcome", sort=False):
            about = own.drop_duplicates("study").set_index("study")["disease"].to_dict()
            diseases = {labels[str(study)]: str(disease) for study, disease in about.items()}
            told += [
                f"{outcome_in_text(str(outcome))}: {line}" for line in warnings_of(known, diseases)
            ]
    return tuple(told)


def warnings_of(moderator: Moderator, diseases: Mapping[str, str]) -> list[str]:
    """Say what speaks against one moderator of one outcome.

    Parameters
    ----------
    moderator : Moderator
        The moderator.
    diseases : mapping of str to str
        The disease of each study of the outcome.

    Returns
    -------
    list of str
        Whether it is constant, confounded with disease, or has levels of one study.
    """
    values = {study: moderator.values[study] for study in diseases}
    counted = Counter(values.values())
    if not moderator.differs_among(diseases):
        return [f"{moderator.name} is the same in all studies ({_told(*counted)}): it is left out"]
    told = []
    within = _diseases_that_differ(values, diseases)
    if len(set(diseases.values())) > 1 and not within:
        told.append(
            f"{moderator.name} is confounded with disease: in none of "
            f"{listed(tuple(dict.fromkeys(diseases.values())))} do two studies differ in it"
        )
    elif (share := between_share(values, diseases)) >= CONFOUNDED:
        told.append(
            f"{moderator.name} is partly confounded with disease: {share:.0%} of its variation "
            f"lies between diseases; studies of one disease differ in it in {listed(within)} alone"
        )
    if (held := _held_by(values)) is not None:
        told.append(f"{moderator.name} hangs on one study: {held} has over half of its variation")
    single = [str(level) for level, count in counted.items() if count == 1]
    if single and not moderator.is_number:
        told.append(f"{moderator.name}: one study alone has {listed(single)}")
    return told


def _held_by(values: Mapping[str, float | str]) -> str | None:
    """Name the study that has more than half of the squared distances of a number from its mean."""
    numbers = {study: value for study, value in values.items() if isinstance(value, float)}
    if not numbers:
        return None
    centre = math.fsum(numbers.values()) / len(numbers)
    squares = {study: (value - centre) ** 2 for study, value in numbers.items()}
    study = max(squares, key=lambda name: squares[name])
    return study if squares[study] > math.fsum(squares.values()) / 2 else None


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _diseases_that_differ(
    values: Mapping[str, float | str], diseases: Mapping[str, str]
) -> tuple[str, ...]:
    """Name the diseases with two studies that differ in a moderator."""
    seen: dict[str, set[float | str]] = {}
    for study, disease in diseases.items():
        seen.setdefault(disease, set()).add(values[study])
    return tuple(disease for disease, distinct in seen.items() if len(distinct) > 1)


def between_share(values: Mapping[str, float | str], diseases: Mapping[str, str]) -> float:
    """Share of a moderator's variation that lies between diseases, adjusted for their number.

    The adjusted coefficient of determination of the moderator (of a text, of its levels' indicators
    together) given the disease: about 0 where studies were dealt to diseases at random, 1 where the
    disease says all.

    Returns
    -------
    float
        At least 0; 0 with one disease, and 1 where every disease has one study.
    """
    studies, several = len(values), len(set(diseases.values()))
    if several < 2:
        return 0.0
    if several == studies:
        return 1.0
    frame = (
        pd.get_dummies(pd.Series(dict(values)), dtype=float)
        if any(isinstance(value, str) for value in values.values())
        else pd.DataFrame({"value": pd.Series(dict(values), dtype=float)})
    )
    group = pd.Series(dict(diseases)).reindex(frame.index)
    whole = float(((frame - frame.mean()) ** 2).to_numpy().sum())
    rest = float(((frame - frame.groupby(group).transform("mean")) ** 2).to_numpy().sum())
    return max(0.0, 1 - (rest / whole) * (studies - 1) / (studies - several))
