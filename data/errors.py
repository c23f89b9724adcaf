"""Errors of what users gave: a family of which each is told in one line, and no other error is.

::

    InputError (also a ValueError)  what was given cannot be used
    ├─ EvidenceError                a data set: its tables, with every problem in them
    ├─ SelectionError               a selection that names what the data lack, or leaves no rows
    ├─ StoredFitError               a folder without a fit, or a file that is damaged or no fit
    ├─ OtherDataError               a fit of other data than those at hand
    ├─ FolderInUseError             a folder that another run is writing to
    ├─ ImpossibleDataError          counts that the priors all but exclude
    ├─ SchedulerError               a cluster that does not answer, or whose workers are not ours
    └─ NotExact                     an outcome that only the sampler can fit

Any other ``ValueError`` is a defect of ours, or of a library that we called wrongly.
"""

from __future__ import annotations

from typing import ClassVar


class InputError(ValueError):
    """What was given cannot be used: its text says what is wrong, where, and what would be right.

    Attributes
    ----------
    exit_status : int
        With which a command ends that meets the error.
    """

    exit_status: ClassVar[int] = 2


class SelectionError(InputError):
    """The selection names what the data do not have, or leaves no rows."""


class StoredFitError(InputError):
    """There is no stored fit, or its file is damaged or not one that mscpool wrote."""


class OtherDataError(InputError):
    """A fit is of other data than those at hand."""


class FolderInUseError(InputError):
    """Another run is writing to the folder."""


class ImpossibleDataError(InputError):
    """The counts have next to no probability under the priors."""
