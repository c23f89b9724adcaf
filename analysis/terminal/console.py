"""What the command line says and where: answers on standard output, all else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..fitting.progress import Progress

#: Wide enough that no cell of ours is cut where the output is a file or a pipe.
_WIDTH_OF_A_FILE = 200


def say(*lines: str) -> None:
    """Print lines on standard error, whole, with nothing that a terminal would obey."""
    for line in lines:
        print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    """Show characters that a terminal would obey as their escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def print_json(answer: Any) -> None:
    """Print one JSON object on standard output."""
    from ...data.export import to_json

    print(to_json(answer))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output; its texts are shown as they are, never as markup.

    Parameters
    ----------
    title : str
        Said above the table.
    header : sequence of str
        Names of the columns; the first is set left, the others right.
    rows : sequence of sequences of str
        The cells.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if on_terminal else _WIDTH_OF_A_FILE)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for position, name in enumerate(header):
        table.add_column(Text(printable(name)), justify="right" if position else "left")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(Text(printable(title), style="bold"))
    console.print(table)
    console.print()


@contextmanager
def progress_display() -> Iterator[Progress]:
    """Show on standard error the stage and, where it is counted, how much of it is done.

    A stage is told with the seconds that it took when the same was typed before.

    Yields
    ------
    callable
        Takes the stage, what is done and what is to be done (0 where it is not counted). Says
        nothing where standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Display

    from .stages import stopwatch

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        Display(*columns, console=Console(stderr=True), transient=True) as display,
        stopwatch() as watch,
    ):
        task = display.add_task(watch.enter("starting"), total=None)

        def show(stage: str, done: int, total: int) -> None:
            words = watch.enter(stage)
            display.update(task, description=words, completed=done, total=total or None)

        yield show
