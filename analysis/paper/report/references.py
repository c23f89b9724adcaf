"""All that a report cites, for readers and for their reference managers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....data.file_names import file_name
from ....data.names import study_labels, study_sources
from .block import Block, Section

if TYPE_CHECKING:
    from ....data.about import Review
    from ....data.evidence import Evidence
    from ....models.priors.sets import PriorSet
    from ..frames.results import Results

BIBLIOGRAPHY = "references.bib"
_LABEL = re.compile(r"(?P<author>.+?) (?P<year>\d{4})")


@dataclass(frozen=True)
class Reference:
    """One work: its key, and its fields by BibTeX's names, as TeX; empty ones are not known."""

    key: str
    fields: Mapping[str, str]

    @property
    def bibtex(self) -> str:
        """The work as an entry of a BibTeX file."""
        kind = "article" if self.fields.get("journal") else "misc"
        lines = [f"  {name} = {{{value}}}" for name, value in self.fields.items() if value]
        return f"@{kind}{{{self.key},\n" + ",\n".join(lines) + "\n}\n"


@dataclass(frozen=True)
class Method:
    """A method of a report: what it serves there, and where it is described."""

    purpose: str
    author: str
    title: str
    journal: str
    year: int
    doi: str

    @property
    def sentence(self) -> str:
        """What it serves, and the work as a list of references gives it."""
        work = f"{self.author}. {self.title}. {self.journal} {self.year}"
        return f"{self.purpose}: {work}, doi {self.doi}"


_WILSON = Method(
    "Intervals of observed shares (Wilson)",
    "Wilson EB",
    "Probable inference, the law of succession, and statistical inference",
    "J Am Stat Assoc",
    1927,
    "10.1080/01621459.1927.10502953",
)
_NEWCOMBE = Method(
    "Intervals of risk differences (Newcombe)",
    "Newcombe RG",
    "Interval estimation for the difference between independent proportions: comparison of eleven "
    "methods",
    "Stat Med",
    1998,
    "10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I",
)
_EFFECTS = Method(
    "Treated against control, each study its own baseline",
    "Dias S, Sutton AJ, Ades AE, Welton NJ",
    "Evidence synthesis for decision making 2: a generalized linear modeling framework for "
    "pairwise and network meta-analysis of randomized controlled trials",
    "Med Decis Making",
    2013,
    "10.1177/0272989X12458724",
)
_LEFT_OUT = Method(
    "Studies left out, and Pareto k",
    "Vehtari A, Gelman A, Gabry J",
    "Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC",
    "Stat Comput",
    2017,
    "10.1007/s11222-016-9696-4",
)
_SAMPLING = Method(
    "R-hat and effective draws",
    "Vehtari A, Gelman A, Simpson D, Carpenter B, Bürkner PC",
    "Rank-normalization, folding, and localization: an improved R-hat for assessing convergence "
    "of MCMC",
    "Bayesian Anal",
    2021,
    "10.1214/20-BA1221",
)
_CONFLICT = Method(
    "Whether the prior expected the data",
    "Evans M, Moshonov H",
    "Checking for prior-data conflict",
    "Bayesian Anal",
    2006,
    "10.1214/06-BA129",
)
_SCALING = Method(
    "Power-scaling",
    "Kallioinen N, Paananen T, Bürkner PC, Vehtari A",
    "Detecting and diagnosing prior and likelihood sensitivity with power-scaling",
    "Stat Comput",
    2024,
    "10.1007/s11222-023-10366-5",
)


def methods_of(results: Results, written: Iterable[Section]) -> list[Method]:
    """Give the methods that a report uses and others have described.

    Parameters
    ----------
    results : Results
        Everything.
    written : iterable of Section
        Its sections.

    Returns
    -------
    list of Method
        In the order of the page.
    """
    comparison = results.comparison
    compared = any(table.name == "controlled" for each in written for table in each.tables)
    scaled = comparison is not None and not comparison.power_scaling.empty
    used = {
        _WILSON: True,
        _EFFECTS: bool(results.compared),
        _NEWCOMBE: compared,
        _LEFT_OUT: results.checked.ran,
        _SAMPLING: results.config["engine"] == "nuts",
        _CONFLICT: comparison is not None,
        _SCALING: scaled,
    }
    return [method for method, is_used in used.items() if is_used]


def bibliography(results: Results, written: Iterable[Section]) -> str:
    """Write a BibTeX file of the review, the studies, the prior sets and the methods.

    Parameters
    ----------
    results : Results
        Everything.
    written : iterable of Section
        Its sections.

    Returns
    -------
    str
        No work stands twice under one DOI.
    """
    evidence, comparison = results.evidence, results.comparison
    review = evidence.about.review
    sets = [results.priors] if comparison is None else list(comparison.sets)
    cited = [
        *([_of_review(review)] if review else []),
        *_of_studies(evidence),
        *(_of_method(each) for each in methods_of(results, written)),
        *(_of_set(each) for each in sets if each.reference),
    ]
    # One that names its author says more than one that quotes a set's sentence.
    cited.sort(key=lambda each: not each.fields.get("author"))
    works: dict[str, Reference] = {}
    for each in cited:
        works.setdefault(each.fields["doi"].lower() or each.key, each)
    return "\n".join(each.bibtex for each in works.values())


def references_section(results: Results, written: Iterable[Section]) -> Section:
    """Say whence the methods are, and where the other sources stand."""
    review = results.evidence.about.review
    named = [f"The review: {review.citation}"] if review else []
    elsewhere = []
    if study_sources(results.evidence.studies):
        elsewhere.append("where studies were published stands with the evidence")
    if results.comparison is not None:
        elsewhere.append("where each prior set comes from stands in the table of prior sets")
    text = "The file has all that is cited in this report, for a reference manager."
    if elsewhere:
        said = ", and ".join(elsewhere)
        text = f"{said[:1].upper()}{said[1:]}. {text}"
    blocks = [
        Block("list", [*named, *(each.sentence for each in methods_of(results, written))]),
        Block("text", text),
        Block("file", BIBLIOGRAPHY),
    ]
    return Section("references", "References", blocks)


def _of_review(review: Review) -> Reference:
    author = " and ".join(f"{{{_tex(name)}}}" for name in review.authors.split(","))
    about = {"author": author, "title": _tex(review.title), "journal": _tex(review.journal)}
    return Reference("review", about | {"year": str(review.year), "doi": _doi(review.doi)})


def _of_studies(evidence: Evidence) -> list[Reference]:
    """Give the studies of which a source is known."""
    labels, made = study_labels(evidence.studies), []
    for row in evidence.studies.to_dict("records"):
        title, journal, doi, registration = (
            value if isinstance(value := row.get(name), str) else ""
            for name in ("title", "journal", "doi", "registration")
        )
        if not any((title, journal, doi, registration)):
            continue
        named = _LABEL.fullmatch(labels[row["study"]])
        fields = {
            "author": f"{{{_tex(named['author'])}}} and others" if named else "",
            "year": named["year"] if named else "",
            "title": _tex(title),
            "journal": _tex(journal),
            "doi": _doi(doi),
            "note": f"Registration {_tex(registration)}" if registration else "",
        }
        made.append(Reference(file_name(str(row["study"])), fields))
    return made


def _of_method(method: Method) -> Reference:
    names = (name.rsplit(" ", 1) for name in method.author.split(", "))
    fields = {
        "author": " and ".join(f"{family}, {initials}" for family, initials in names),
        "title": _tex(method.title),
        "journal": _tex(method.journal),
        "year": str(method.year),
        "doi": _doi(method.doi),
    }
    first = method.title.split(" ")[0]
    return Reference(
        file_name(f"{method.author.split(' ')[0]}{method.year}{first}".lower()), fields
    )


def _of_set(priors: PriorSet) -> Reference:
    """Give the source of a prior set: author and year where it is one work, else as it is named."""
    named = _LABEL.fullmatch(priors.reference)
    fields = {"note": _tex(priors.reference)}
    if named and ";" not in priors.reference:
        fields = {"author": _tex(named["author"]), "year": named["year"]}
    return Reference(f"prior_{file_name(priors.name)}", fields | {"doi": _doi(priors.doi)})


def _tex(text: str) -> str:
    """Keep TeX from reading signs in a text, and BibTeX from taking a brace for the end."""
    plain = text.strip().translate(str.maketrans("{}\\", "()/"))
    return re.sub(r"([&%$#_])", r"\\\1", plain)


def _doi(text: str) -> str:
    return re.sub(r"[{}\\\s]", "", text)
