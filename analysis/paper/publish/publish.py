"""The figure set of a paper: gathered, drawn, and written with its data, captions and metadata."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....data.export import write_csv, write_whole
from ...fitting.store import run_config
from ..words import captions
from ..words.wording import without_tags
from .checklist import checklist
from .exhibits import Exhibit, exhibits, plain
from .rendering import FORMATS, render, render_small
from .tables import PaperTable, paper_tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ....figures.style import Style
    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison

GALLERY_PRIORS = ("default", "sceptical", "enthusiastic", "tau_half_cauchy_0.5")
Written = tuple[list[Path], set[str]]


def draw(exhibit: Exhibit, style: Style) -> Figure:
    """Draw a figure of the set in a style."""
    from ....figures.page import within_page

    module = import_module(f"mscpool.figures.{_MODULES.get(exhibit.kind, exhibit.kind)}")
    return within_page(partial(getattr(module, f"draw_{exhibit.kind}"), exhibit.frame), style)


_MODULES = {"safety": "rates"}


def style_of(evidence: Evidence, check: Any = None, preset: str = "double") -> Style:
    """Make the style of a fit's figures: its diseases keep their marks, its verdict is shown.

    Parameters
    ----------
    evidence : Evidence
        The evidence that was fitted.
    check : CheckResult or mapping, optional
        What the guard found; figures of an unchecked fit say so.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    Style
    """
    from ....figures.style import make_style

    checked = plain(check)
    verdict = None if checked is None else checked["verdict"]
    return make_style(preset, evidence.diseases, verdict)


def publish(
    fit: DataTree,
    evidence: Evidence,
    out: str | Path,
    check: Any = None,
    poolings: Mapping[str, DataTree] | None = None,
    formats: Sequence[str] = FORMATS,
    preset: str = "double",
    comparison: PriorComparison | None = None,
    borrowed: Borrowing | None = None,
) -> list[Path]:
    """Write the figure set with data and captions, the tables of a paper, and the checklist.

    Parameters
    ----------
    fit : xarray.DataTree
        A stored fit.
    evidence : Evidence
        The evidence that was fitted.
    out : str or Path
        Folder to write to; it is made where it is missing.
    check : CheckResult or mapping, optional
        What the guard found.
    poolings : mapping of str to xarray.DataTree, optional
        Fits by pooling, to be compared.
    formats : sequence of {"pdf", "svg", "png", "tiff"}
        What to write.
    preset : {"single", "double", "slide"}
        The page.
    comparison : PriorComparison, optional
        What is believed under other priors.
    borrowed : Borrowing, optional
        What diseases take from each other.

    Returns
    -------
    list of Path
        The files written, each whole.

    Raises
    ------
    ValueError
        An unknown format or preset.
    OSError
        The folder cannot be written to.
    """
    for name in formats:
        if name not in FORMATS:
            raise ValueError(f"unknown format '{name}': choose among {', '.join(FORMATS)}")
    from joblib import Parallel, delayed

    style = style_of(evidence, check, preset)
    folder = Path(out)
    sha256 = run_config(fit)["data_sha256"]
    job = partial(_write_exhibit, folder=folder, style=style, formats=formats, sha256=sha256)
    # Joblib's workers neither share the sampler's threads, as forks would, nor run the calling
    # script again, as spawned processes would.
    workers = min(os.cpu_count() or 1, 2)
    both = Parallel(workers, return_as="generator", max_nbytes=None)  # no frames as read-only files
    found = exhibits(fit, evidence, check, poolings, comparison, borrowed)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = both(delayed(job)(each) for each in found)
    texts = _write_tables(paper_tables(fit, evidence, plain(check), comparison), folder)
    told = checklist(fit, evidence, plain(check), comparison)
    texts.append(write_whole(without_tags(told), folder / "checklist.md"))
    written = list(drawn)
    files = [path for paths, _ in written for path in paths]
    notes = [captions.abbreviations(shown, evidence.diseases) for _, shown in written]
    page = without_tags(captions_page(found, notes, style))
    return [*files, write_whole(page, folder / "captions.md"), *texts]


def _write_tables(tables: Sequence[PaperTable], folder: Path) -> list[Path]:
    """Write each table as CSV, HTML and LaTeX."""
    files = []
    for table in tables:
        path = folder / f"{table.name}.csv"
        write_csv(table.frame, path)
        files.append(path)
        for ending, text in (("html", table.html()), ("tex", table.latex())):
            files.append(write_whole(text, folder / f"{table.name}.{ending}"))
    return files


def _write_exhibit(
    exhibit: Exhibit, folder: Path, style: Style, formats: Sequence[str], sha256: str
) -> Written:
    """Write a figure's files; give them, and the words that it shows."""
    table = folder / f"{exhibit.name}.csv"
    write_csv(exhibit.frame, table)
    figure = draw(exhibit, style)
    rendered = render(figure, style, formats, exhibit.words, sha256)
    named = [(folder / f"{exhibit.name}.{end}", content) for end, content in rendered.items()]
    files = [table, *(write_whole(content, path) for path, content in named)]
    return files, words_shown(figure)


def words_shown(figure: Figure) -> set[str]:
    """Give every word that a figure shows."""
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    return {word.strip(",.;:()") for text in texts for word in text.get_text().split()}


def captions_page(found: Sequence[Exhibit], notes: Sequence[str], style: Style) -> str:
    """Write the captions and alternative texts of a set as Markdown.

    Parameters
    ----------
    found : sequence of Exhibit
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
        for number, (each, note) in enumerate(zip(found, notes, strict=True), start=1)
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
    checked = check(fits["partial"], evidence)
    compared = compare_priors(evidence, GALLERY_PRIORS, fits=fits["partial"], threshold="usual")
    borrowed = borrowing(evidence, fits["partial"])
    found = exhibits(fits["partial"], evidence, checked, fits, compared, borrowed)
    style = style_of(evidence, checked)
    files = [
        write_whole(render_small(draw(each, style), style), room / f"{each.name}.png")
        for each in found
    ]
    for stale in set(room.glob("*.png")) - set(files):
        stale.unlink()
    files.append(write_whole(f"{sources_sha256()}\n", room / "sources.sha256"))
    return [*files, write_whole(gallery_page(found), room.parent / "README.md")]


def sources_sha256() -> str:
    """Hash what the gallery is made from: the data, and the sources that model and draw."""
    root = Path(__file__).parents[3]
    made = hashlib.sha256()
    for pattern in ("data/*.csv", "figures/*.py", "models/**/*.py"):
        for path in sorted(root.glob(pattern)):
            made.update(f"{path.relative_to(root).as_posix()}\n".encode())
            made.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return made.hexdigest()


def gallery_page(found: Sequence[Exhibit]) -> str:
    """Write the page that shows the gallery, as Markdown."""
    head = (
        "# The figure set\n\nRendered from the shipped evidence by `make gallery`; "
        "`mscpool figures` makes the same from any stored fit, as PDF, SVG, PNG and TIFF, with the "
        "data behind each.\n"
    )
    parts = [
        f"## {each.words.title}\n\n![{each.words.title}](gallery/{each.name}.png)\n\n"
        f"{each.words.caption}\n"
        for each in found
    ]
    return "\n".join([head, *parts])
