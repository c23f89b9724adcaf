"""The sources that a design's protocol rests on."""

from __future__ import annotations

from typing import Any

from .protocol_evidence import parts_behind
from .result import DesignResult

_OF_DESIGN = {
    "single-arm": (
        "O'Hagan A, Stevens JW, Campbell MJ. Assurance in clinical trial design. Pharmaceutical "
        "Statistics 2005;4:187-201. doi:10.1002/pst.175",
    ),
    "two-arm": (
        "O'Hagan A, Stevens JW, Campbell MJ. Assurance in clinical trial design. Pharmaceutical "
        "Statistics 2005;4:187-201. doi:10.1002/pst.175",
    ),
    "precision": (
        "Joseph L, Wolfson DB, du Berger R. Sample size calculations for binomial proportions via "
        "highest posterior density intervals. The Statistician 1995;44:143-154. "
        "doi:10.2307/2348439",
    ),
    "safety": (
        "Wald A. Sequential tests of statistical hypotheses. Annals of Mathematical Statistics "
        "1945;16:117-186. doi:10.1214/aoms/1177731118",
        "Hanley JA, Lippman-Hand A. If nothing goes wrong, is everything all right? JAMA "
        "1983;249:1743-1745. doi:10.1001/jama.1983.03330370053031",
    ),
    "monitor": (
        "Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. "
        "Clinical Trials 2008;5:93-106. doi:10.1177/1740774508089279",
    ),
    "two-stage": (
        "Simon R. Optimal two-stage designs for phase II clinical trials. Controlled Clinical "
        "Trials 1989;10:1-10. doi:10.1016/0197-2456(89)90015-9",
    ),
}
_OF_FIT = (
    "Schmidli H, Gsteiger S, Roychoudhury S, O'Hagan A, Spiegelhalter D, Neuenschwander B. Robust "
    "meta-analytic-predictive priors in clinical trials with historical control information. "
    "Biometrics 2014;70:1023-1032. doi:10.1111/biom.12242",
)


def references_of(result: DesignResult, behind: Any) -> tuple[str, ...]:
    """Return the references of a design, and of priors that were taken from a fit."""
    return (*_OF_DESIGN[result.request.design], *(_OF_FIT if parts_behind(behind) else ()))
