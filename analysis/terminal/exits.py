"""How commands end: with the exit statuses of the design, and one line for each mistake."""

from __future__ import annotations

import difflib
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from ...data.errors import InputError
from ..guard.result import CheckResult
from . import console
from .interrupts import Interrupted, watch

DONE, GUARD_FAILED, BAD_INPUT = 0, 1, 2
#: A defect of ours: a traceback, and no status that a script could take for an answer.
BROKEN = 70


#: What a disk answers that takes no more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class Commands(TyperGroup):
    """Commands whose mistakes are told in one line each, with the exit status of the design."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **kwargs: Any) -> NoReturn:
        """Run a command and leave with its status."""
        as_json = "--json" in (sys.argv[1:] if args is None else args)
        interrupted = 0
        try:
            try:
                status = super().main(args, *rest, **{**kwargs, "standalone_mode": False})
                sys.stdout.flush()
            finally:
                interrupted = watch.end()
        except Interrupted as wrong:
            status = wrong.exit_status
        except typer.TyperException as wrong:
            status = refuse([_usage(wrong)], as_json)
        except InputError as wrong:
            refuse(str(wrong).splitlines(), as_json, getattr(wrong, "problems", ()))
            status = wrong.exit_status
        except (BrokenPipeError, SystemExit):  # the reader closed the pipe, as `head` does
            status = DONE
        except Exception as wrong:
            # An interrupt that something swallowed shows as what it broke there.
            status = interrupted or _failed(wrong, as_json)
        status = interrupted or (status if isinstance(status, int) else DONE)
        if status > 128:
            console.say("interrupted; every file is whole, old or new")
        _close_output()
        sys.exit(status)


def refuse(lines: Sequence[str], as_json: bool = False, problems: Sequence[Any] = ()) -> int:
    """Tell of a mistake, and give its exit status.

    Parameters
    ----------
    lines : sequence of str
        Printed on standard error.
    as_json : bool
        Whether one JSON object with ``problems`` is printed as well.
    problems : sequence of Problem
        What is known of where the mistakes are; where nothing is, the lines are the problems.

    Returns
    -------
    int
    """
    console.say(*lines)
    if as_json:
        with suppress(OSError):  # the output may be what failed
            console.print_json({"problems": stated(lines, problems)})
            sys.stdout.flush()
    return BAD_INPUT


def stated(lines: Sequence[str], problems: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Give mistakes as they stand in JSON, each with file, line, column and message."""
    nowhere = dict.fromkeys(("file", "line", "column"))
    places = [{k: v for k, v in vars(each).items() if k != "cell" or v} for each in problems]
    return places or [{**nowhere, "message": line} for line in lines]


def _close_output() -> None:
    """Let Python's own last flush of an output that takes no more fail without a word."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def status_of(checked: CheckResult) -> int:
    """Give the exit status of a fit that the guard judged, or did not see."""
    return GUARD_FAILED if checked.verdict == "fail" else DONE


def _usage(wrong: typer.TyperException) -> str:
    """Say in one line what was typed wrongly, and where to read what is right."""
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "mscpool"
    said = " ".join(wrong.format_message().split()).rstrip(".")
    if option := getattr(wrong, "option_name", None):
        # The library's own suggestions may have nothing but a letter in common.
        params = context.command.params if context is not None else []
        known = {name.strip("-"): name for each in params for name in each.opts}
        near = difflib.get_close_matches(option.strip("-"), known, n=1)
        said = f"No such option: {option}" + (f"; did you mean {known[near[0]]}?" if near else "")
    return f"{said} (see '{command} --help')"


def _failed(wrong: Exception, as_json: bool) -> int:
    """Tell of a file that cannot be read or written in a line, of a defect of ours by its trace."""
    if isinstance(wrong, OSError) and (wrong.filename is not None or wrong.errno in _FULL):
        place = wrong.filename or "standard output, or a temporary file"
        return refuse([f"{place}: {(wrong.strerror or str(wrong)).lower()}"], as_json)
    traceback.print_exception(wrong)
    return BROKEN
