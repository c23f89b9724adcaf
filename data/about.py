"""What a data set is about: its title, question and cautions, its review, and its diseases."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cells import EvidenceError, Problem
from .mistakes import shown, unknown_name
from .names import disease_shorts, words
from .text_files import read_text

FILE = "about.toml"

_LONGEST_SHORT = 8
_ERROR_PLACE = re.compile(
    r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$"
)
_DOI = re.compile(r"10\.\d{4,9}/\S+")


@dataclass(frozen=True)
class Disease:
    """A disease as readers see it: its name in words, and its abbreviation."""

    name: str
    label: str
    short: str = ""


@dataclass(frozen=True)
class Review:
    """The systematic review that a data set rests on."""

    authors: str
    title: str
    journal: str
    year: int
    doi: str = ""

    @property
    def citation(self) -> str:
        """The review as a list of references gives it."""
        doi = f", doi {self.doi}" if self.doi else ""
        return f"{self.authors}. {self.title}. {self.journal} {self.year}{doi}."


@dataclass(frozen=True)
class About:
    """What a data set is about; one that does not say has a general title and question.

    Attributes
    ----------
    title, question : str
        What the report is headed with, and what it sets out to answer.
    cautions : tuple of str
        What a reader must know that no count shows.
    review : Review or None
        The review that it rests on.
    diseases : tuple of Disease
        In the order in which they are shown, which also gives each its colour and marker. A
        disease that is not named here follows, under its own name.
    """

    title: str = "What the evidence supports"
    question: str = (
        "How often does each outcome occur in each disease, how sure is that, and what may the "
        "next trial see?"
    )
    cautions: tuple[str, ...] = ()
    review: Review | None = None
    diseases: tuple[Disease, ...] = ()

    def words(self, disease: str) -> str:
        """Name a disease in words."""
        return next((each.label for each in self.diseases if each.name == disease), words(disease))

    def in_text(self, disease: str) -> str:
        """Name a disease within a sentence; one that is written with large letters keeps them."""
        name = self.words(disease)
        return name[:1].lower() + name[1:] if name[1:].islower() else name

    def shorts(self, diseases: Iterable[str]) -> dict[str, str]:
        """Abbreviate diseases, each in its own way."""
        return disease_shorts(diseases, {each.name: each.short for each in self.diseases})

    def ordered(self, diseases: Iterable[str]) -> tuple[str, ...]:
        """Put diseases in order: those that are described here, then the others as they come."""
        given = dict.fromkeys(diseases)
        first = [each.name for each in self.diseases if each.name in given]
        return (*first, *(name for name in given if name not in first))


#: What a data set is about that does not say.
UNDESCRIBED = About()


def shipped_about() -> About:
    """Read what the shipped evidence is about.

    Returns
    -------
    About

    Raises
    ------
    EvidenceError
        The file is wrong.
    """
    problems: list[Problem] = []
    about = read_about(Path(__file__).parent / FILE, FILE, None, problems)
    if problems:
        raise EvidenceError(problems)
    return about


def read_about(
    path: Path, file: str, diseases: tuple[str, ...] | None, problems: list[Problem]
) -> About:
    """Read about.toml.

    Parameters
    ----------
    path : Path
        Where the file is.
    file : str
        How messages call it.
    diseases : tuple of str or None
        Those of the studies; None where they are not known.
    problems : list of Problem
        Whatever is wrong is added to it.

    Returns
    -------
    About
        What could be read; the general title and question where they are not given.
    """
    text = read_text(path, file, problems)
    if text is None:
        return UNDESCRIBED
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _ERROR_PLACE.match(str(error))
        what = place["what"] if place else str(error)
        line = int(place["line"]) if place and place["line"] else 1 + text.rstrip().count("\n")
        remedy = 'a text is written title = "…", a list cautions = ["…", "…"]'
        problems.append(Problem(file, line, "file", f"is not TOML: {what}; {remedy}"))
        return UNDESCRIBED
    top = _Part(given, "", file, text.splitlines(), 0, problems)
    top.only(("title", "question", "cautions", "review", "disease"))
    said: dict[str, Any] = {
        name: value for name in ("title", "question") if (value := top.text(name)) is not None
    }
    said["cautions"] = top.texts("cautions")
    reviews, parts = top.parts("review", many=False), top.parts("disease", many=True)
    said["review"] = _review(reviews[0]) if reviews else None
    said["diseases"] = _diseases(parts, diseases)
    return About(**said)


def _review(part: _Part) -> Review | None:
    part.only(("authors", "title", "journal", "year", "doi"))
    authors, title, journal = (part.text(name, True) for name in ("authors", "title", "journal"))
    year, doi = part.year("year"), part.text("doi")
    if doi is not None and not _DOI.fullmatch(doi):
        part.complain("doi", f"{shown(doi)} is no DOI: write it without an address, as 10.1000/182")
    if authors is None or title is None or journal is None or year is None:
        return None
    return Review(authors, title, journal, year, doi or "")


def _diseases(parts: list[_Part], known: tuple[str, ...] | None) -> tuple[Disease, ...]:
    found: list[Disease] = []
    for part in parts:
        part.only(("name", "label", "short"))
        name, label, short = part.text("name", True), part.text("label"), part.text("short")
        if name is None:
            continue
        if known is not None and name not in known:
            part.complain("name", f"{unknown_name(name, known, 'disease')} (of studies.csv)")
        if short is not None and len(short) > _LONGEST_SHORT:
            wrong = f"{shown(short)} has {len(short)} letters"
            part.complain("short", f"{wrong}: at most {_LONGEST_SHORT} fit a figure")
        each = Disease(name, label or words(name), short or "")
        for other in found:
            shared = [key for key in ("name", "label", "short") if _shared(key, each, other)]
            for key in shared[:1]:
                value = shown(getattr(each, key))
                part.complain(key, f"{value} is already that of {other.name}: give another")
        found.append(each)
    return tuple(found)


def _shared(key: str, one: Disease, other: Disease) -> bool:
    return bool(getattr(one, key)) and getattr(one, key) == getattr(other, key)


@dataclass(frozen=True)
class _Part:
    """A table of the file; a method reads one value, or notes its problem and returns None."""

    given: dict[str, Any]
    called: str
    file: str
    lines: list[str]
    start: int
    problems: list[Problem] = field(repr=False)

    def complain(self, key: str, message: str) -> None:
        """Note a problem with a value, on its line."""
        column = f"{self.called}.{key}" if self.called else key
        self.problems.append(Problem(self.file, self._line(key), column, message))

    def _line(self, key: str) -> int:
        """Find the line that a value begins on; that of the table's head where it has none."""
        begins = re.compile(rf"""\s*(\[+\s*)?["']?{re.escape(key)}["']?\s*[=\]]""")
        for number, line in enumerate(self.lines[self.start :], start=self.start + 1):
            if begins.match(line):
                return number
            if self.called and number > self.start + 1 and line.lstrip().startswith("["):
                break
        return self.start + 1

    def only(self, keys: tuple[str, ...]) -> None:
        """Complain of every key that means nothing here."""
        for key in self.given:
            if key not in keys:
                self.complain(key, unknown_name(key, keys, "key"))

    def text(self, key: str, needed: bool = False) -> str | None:
        """Return a text on one line, None where it is not given."""
        if key not in self.given:
            if needed:
                self.complain(key, f"is missing: every {self.called} needs one")
            return None
        return self._text_of(key, self.given[key])

    def _text_of(self, key: str, value: Any) -> str | None:
        text = " ".join(value.split()) if isinstance(value, str) else ""
        if not isinstance(value, str):
            self.complain(key, f"{shown(str(value))} is not a text: put it in double quotes")
        elif not text:
            self.complain(key, "is empty: write a text, or leave it out")
        elif not text.isprintable():
            self.complain(key, f"{shown(text)} holds a character that cannot be seen: type it anew")
        else:
            return text
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty where it is not given."""
        value = self.given.get(key, [])
        if not isinstance(value, list):
            self.complain(key, f'is not a list: write {key} = ["one", "another"]')
            return ()
        return tuple(text for each in value if (text := self._text_of(key, each)) is not None)

    def year(self, key: str) -> int | None:
        """Return a year that must be there."""
        value = self.given.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 1900 <= value <= 2100:
            return value
        wrong = "is missing" if value is None else f"{shown(str(value))} is no year"
        self.complain(key, f"{wrong}: write four digits without quotes, as 2025")
        return None

    def parts(self, key: str, many: bool) -> list[_Part]:
        """Return the tables of a name, each with the line of its head."""
        value = self.given.get(key, [] if many else None)
        values = value if many else [] if value is None else [value]
        if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
            head = f"[[{key}]]" if many else f"[{key}]"
            self.complain(key, f"is not a table: write {head} and its values below")
            return []
        head = re.compile(rf"\s*\[+\s*{key}\s*\]")
        starts = [i for i, line in enumerate(self.lines) if head.match(line)]
        starts += [0] * (len(values) - len(starts))
        return [
            _Part(each, key, self.file, self.lines, start, self.problems)
            for each, start in zip(values, starts, strict=False)
        ]
