"""The figure set of a paper: gathered, drawn, and written with its data, captions and metadata."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ....data.export import write_csv, write_whole
from ....data.folders import file_set
from ....data.mistakes import one_of
from ....data.names import outcome_words, study_labels
from ...fitting.beside import unheard
from ..frames.results import Results
from ..words.closing import abbreviations
from ..words.exhibit import Exhibit
from ..words.table import Table
from ..words.wording import without_tags
from .checklist import checklist
from .exhibits import exhibits, one_by_one
from .rendering import FORMATS, Origin, draw, render_small, write_exhibit
from .tables import as_html, as_latex, paper_tables

if TYPE_CHECKING:
    from ....data.evidence import Evidence
    from ....figures.style import Style

GALLERY_PRIORS = ("default", "sceptical", "enthusiastic", "tau_half_cauchy_0.5")


def style_of(results: Results, preset: str = "double") -> Style:
    """Make the style of a fit's figures: its diseases keep their marks, its verdict is shown.

    Parameters
    ----------
    results : Results
        The fit; figures of an unchecked one say so.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    Style
    """
    return style_for(results.evidence, results.checked.stated, preset)


def style_for(evidence: Evidence, verdict: str | None, preset: str = "double") -> Style:
    """Make the style of figures of an evidence; verdict None where the guard has not seen them."""
    from ....figures.fonts import covering
    from ....figures.style import make_style

    fonts, _ = covering(_letters(evidence))
    return make_style(preset, evidence.diseases, verdict, evidence.about, fonts)


def _letters(evidence: Evidence) -> str:
    """Give every letter of the names that figures show, once."""
    names = [evidence.about.words(name) for name in evidence.diseases]
    names += [outcome_words(name) for name in evidence.outcome_names]
    names += study_labels(evidence.studies).values()
    return "".join(sorted(set("".join(names))))


def missing_letters(evidence: Evidence) -> list[str]:
    """Say in a line which letters of names no font of this machine has; empty where all are had."""
    from ....figures.fonts import covering

    _, missing = covering(_letters(evidence))
    shown = missing if len(missing) <= 20 else f"{missing[:20]} …"
    said = f"figures show boxes for letters that no font on this machine has: {shown}"
    return [said] if missing else []


def publish(
    results: Results,
    out: str | Path,
    formats: Sequence[str] = FORMATS,
    preset: str = "double",
    section: str | None = None,
) -> list[Path]:
    """Write the figure set with data and captions, the tables of a paper, and the checklist.

    Parameters
    ----------
    results : Results
        A fit with all that was found of it.
    out : str or Path
        Folder to write to; it is made where it is missing.
    formats : sequence of {"pdf", "svg", "png", "tiff"}
        What to write.
    preset : {"single", "double", "slide"}
        The page.
    section : str, optional
        Only the figures of this section, without tables and checklist.

    Returns
    -------
    list of Path
        The files written, each whole.

    Raises
    ------
    InputError
        An unknown format or preset.
    OSError
        The folder cannot be written to.
    """
    return write_set(results, out, formats, preset, section)[0]


def write_set(
    results: Results,
    out: str | Path,
    formats: Sequence[str] = FORMATS,
    preset: str = "double",
    section: str | None = None,
) -> tuple[list[Path], list[Exhibit]]:
    """Do as `publish`; give the figures too."""
    for name in formats:
        one_of(name, FORMATS, "format")
    from joblib import Parallel, delayed

    style = style_of(results, preset)
    folder = Path(out)
    origin = Origin(results.verdict, results.config["data_sha256"])
    # Joblib's workers neither share the sampler's threads, as forks would, nor run the calling
    # script again, as spawned processes would.
    workers = min(os.cpu_count() or 1, 2)
    # No frames as read-only files; each figure is drawn while the next ones are gathered.
    both = Parallel(workers, return_as="generator", max_nbytes=None, pre_dispatch="all")
    shown: list[Exhibit] = []

    def gathered() -> Iterator[Exhibit]:
        for exhibit in one_by_one(results, section):
            shown.append(exhibit)
            with unheard():  # whatever begins the workers does so before it asks for the next
                yield exhibit

    with file_set(folder) as aside:
        # Before the workers begin: where a table cannot be written none is left in the middle.
        texts = []
        if section is None:
            texts = _write_tables(paper_tables(results), aside)
            texts.append(write_whole(without_tags(checklist(results)), aside / "checklist.md"))
        job = partial(write_exhibit, folder=aside, style=style, formats=formats, origin=origin)
        written = list(both(delayed(job)(exhibit) for exhibit in gathered()))
        files = [path for paths, _ in written for path in paths]
        notes = [abbreviations(words, results.evidence) for _, words in written]
        page = without_tags(captions_page(shown, notes, style))
        files += [write_whole(page, aside / "captions.md"), *texts]
    return [folder / path.relative_to(aside) for path in files], shown


def _write_tables(tables: Sequence[Table], folder: Path) -> list[Path]:
    """Write each table as CSV, HTML and LaTeX."""
    files = []
    for table in tables:
        path = folder / f"{table.name}.csv"
        write_csv(table.cells, path)
        files.append(path)
        for ending, text in (("html", as_html(table)), ("tex", as_latex(table))):
            files.append(write_whole(text, folder / f"{table.name}.{ending}"))
    return files


def captions_page(shown: Sequence[Exhibit], notes: Sequence[str], style: Style) -> str:
    """Write the captions and alternative texts of a set as Markdown.

    Parameters
    ----------
    shown : sequence of Exhibit
        The figures, in order.
    notes : sequence of str
        What is said after each caption; empty for nothing.
    style : Style
        Its verdict heads the page where the figures are not to be used.

    Returns
    -------
    str
    """
    marks = {
        "fail": "The guard failed this fit: these figures are not to be used.\n\n",
        None: "These figures show an unchecked fit.\n\n",
    }
    head = f"# Captions\n\n{marks.get(style.verdict, '')}"
    parts = [
        f"## Figure {number}. {each.words.title}\n\n`{each.name}`\n\n"
        f"{' '.join(part for part in (each.words.caption, note) if part)}\n\n"
        f"Alternative text: {each.words.alternative}\n"
        for number, (each, note) in enumerate(zip(shown, notes, strict=True), start=1)
    ]
    return head + "\n".join(parts)


def gallery(folder: str | Path | None = None) -> list[Path]:
    """Render the set from the shipped evidence, small, with a page that shows it and its sources.

    Parameters
    ----------
    folder : str or Path, optional
        Folder of the pictures; `gallery` of the figures' room by default. The page, README.md, is
        written into the folder above it.

    Returns
    -------
    list of Path
        The files written.
    """
    from ....data.evidence import load_evidence
    from ...fitting.fit import fit
    from ...guard.check import check
    from ...sensitivity.borrowing import borrowing
    from ...sensitivity.compare import compare_priors

    room = Path(__file__).parents[3] / "figures" / "gallery" if folder is None else Path(folder)
    room.mkdir(parents=True, exist_ok=True)
    evidence = load_evidence()
    fits = {name: fit(evidence, pooling=name) for name in ("none", "partial", "complete")}
    usual = fits["partial"]
    results = Results(
        usual,
        evidence,
        check(usual, evidence),
        fits,
        comparison=compare_priors(evidence, GALLERY_PRIORS, fits=usual, threshold="usual"),
        borrowed=borrowing(evidence, usual),
    )
    shown, style = exhibits(results), style_of(results)
    files = [
        write_whole(render_small(draw(exhibit, style), style), room / f"{exhibit.name}.png")
        for exhibit in shown
    ]
    for stale in set(room.glob("*.png")) - set(files):
        stale.unlink()
    files.append(write_whole(f"{sources_sha256()}\n", room / "sources.sha256"))
    return [*files, write_whole(gallery_page(shown), room.parent / "README.md")]


def sources_sha256() -> str:
    """Hash what the gallery is made from: the data, and the sources that model and draw."""
    root = Path(__file__).parents[3]
    digest = hashlib.sha256()
    for pattern in ("data/*.csv", "figures/*.py", "models/**/*.py"):
        for path in sorted(root.glob(pattern)):
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def gallery_page(shown: Sequence[Exhibit]) -> str:
    """Write the page that shows the gallery, as Markdown."""
    head = (
        "# The figure set\n\nRendered from the shipped evidence by `make gallery`; "
        "`mscpool figures` makes the same from any stored fit, as PDF, SVG, PNG and TIFF, with the "
        "data behind each.\n"
    )
    parts = [
        f"## {each.words.title}\n\n![{each.words.title}](gallery/{each.name}.png)\n\n"
        f"{each.words.caption}\n"
        for each in shown
    ]
    return "\n".join([head, *parts])
