"""How commands end: with the exit statuses of the design, and one line for each mistake."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from . import console

DONE, GUARD_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
#: A defect of ours: a traceback, and no status that a script could take for an answer.
BROKEN = 70


class Interrupted(BaseException):
    """The user pressed Ctrl-C; unlike KeyboardInterrupt no sampler takes it for a short run."""


class Commands(TyperGroup):
    """Commands whose mistakes are told in one line each, with the exit status of the design."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and leave with its status."""
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except typer.TyperException as wrong:
            status = refuse(_usage(wrong))
        except Interrupted:
            status = INTERRUPTED
        except SystemExit:  # who read our output has gone, as `head` does
            status = DONE
        except Exception as wrong:
            status = BAD_INPUT if _told(wrong) else BROKEN
        if status == INTERRUPTED:
            console.say("interrupted; every file is whole, old or new")
        sys.exit(status if isinstance(status, int) else DONE)


def interrupt(*_: object) -> NoReturn:
    """Handle the signal of Ctrl-C."""
    raise Interrupted


def refuse(*lines: str) -> int:
    """Print the lines of a mistake; give its exit status."""
    console.say(*lines)
    return BAD_INPUT


def status_of(checked: Mapping[str, Any] | None) -> int:
    """Give the exit status of a fit that the guard judged, or did not see."""
    return GUARD_FAILED if checked is not None and checked["verdict"] == "fail" else DONE


def _usage(wrong: typer.TyperException) -> str:
    """Say in one line what was typed wrongly, and where to read what is right."""
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "mscpool"
    said = " ".join(wrong.format_message().split()).rstrip(".")
    return f"{said} (see '{command} --help')"


def _told(wrong: Exception) -> bool:
    """Tell the user of a mistake that is his to mend; where it is ours, show its trace."""
    if isinstance(wrong, OSError) and wrong.filename is not None:
        refuse(f"{wrong.filename}: {(wrong.strerror or str(wrong)).lower()}")
    elif isinstance(wrong, ValueError) and _raised_by_us(wrong):
        refuse(*str(wrong).splitlines())
    else:
        traceback.print_exception(wrong)
        return False
    return True


def _raised_by_us(wrong: ValueError) -> bool:
    """Whether the error was raised in our own code, whose sentences are for users."""
    trace = wrong.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return raised_in.split(".")[0] == __name__.split(".")[0]
