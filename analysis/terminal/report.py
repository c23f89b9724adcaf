"""``mscpool report``: fit, check and tell everything in one page."""

from __future__ import annotations

import shlex
import sys

from ...data.folders import writing_to
from . import console
from .exits import status_of
from .options import JsonOption, ModeratedFitOptions, takes
from .prior_sets import prior_set


@takes(ModeratedFitOptions)
def report(request: ModeratedFitOptions, as_json: JsonOption = False) -> int:
    """Fit, check and tell everything in one page.

    Writes report.html and the files behind it into the folder of --out.
    """
    from ..paper.publish.publish import missing_letters
    from ..paper.report.report import write_report
    from .printing import print_verdict

    evidence = request.evidence()
    priors = prior_set(request.priors, evidence)
    places = request.out, request.out / "figures"
    with writing_to(*places), console.progress_display() as progress:
        console.say(*evidence.messages, *missing_letters(evidence))
        written = write_report(
            evidence,
            request.pooling,
            priors,
            request.sampling,
            request.out,
            refit=request.refit,
            checking=not request.no_check,
            command=shlex.join(["mscpool", *sys.argv[1:]]),
            progress=progress,
        )
    if as_json:
        console.print_json(written.to_dict())
    else:
        print_verdict(written.checked)
        print(console.printable(f"report: {request.out / 'report.html'}"))
    return status_of(written.checked)
