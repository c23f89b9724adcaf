"""How commands end: with the exit statuses of the design, and one line for each mistake."""

from __future__ import annotations

import sys
import traceback
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from ...data.errors import InputError
from ..guard.result import CheckResult
from . import console

DONE, GUARD_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
#: A defect of ours: a traceback, and no status that a script could take for an answer.
BROKEN = 70


class Interrupted(BaseException):
    """The user pressed Ctrl-C; unlike KeyboardInterrupt no sampler takes it for a short run."""

    exit_status = INTERRUPTED


class Commands(TyperGroup):
    """Commands whose mistakes are told in one line each, with the exit status of the design."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and leave with its status."""
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except typer.TyperException as wrong:
            status = refuse(_usage(wrong))
        except Interrupted as wrong:
            status = wrong.exit_status
        except SystemExit:  # who read our output has gone, as `head` does
            status = DONE
        except InputError as wrong:
            refuse(*str(wrong).splitlines())
            status = wrong.exit_status
        except Exception as wrong:
            status = _failed(wrong)
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


def status_of(checked: CheckResult) -> int:
    """Give the exit status of a fit that the guard judged, or did not see."""
    return GUARD_FAILED if checked.verdict == "fail" else DONE


def _usage(wrong: typer.TyperException) -> str:
    """Say in one line what was typed wrongly, and where to read what is right."""
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "mscpool"
    said = " ".join(wrong.format_message().split()).rstrip(".")
    return f"{said} (see '{command} --help')"


def _failed(wrong: Exception) -> int:
    """Tell of a file that cannot be read or written in a line, of a defect of ours by its trace."""
    if isinstance(wrong, OSError) and wrong.filename is not None:
        return refuse(f"{wrong.filename}: {(wrong.strerror or str(wrong)).lower()}")
    traceback.print_exception(wrong)
    return BROKEN
