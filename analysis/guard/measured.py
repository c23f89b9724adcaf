"""The guard's error rates as they were measured last, for the report to quote."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True)
class Measured:
    """So many data sets of one kind, how many the guard failed, and how many it remarked on."""

    sets: int
    failed: int
    remarked: int

    def share(self, count: int) -> str:
        """Write a share of the data sets with Wilson's 95 % interval, in percent."""
        interval = binomtest(count, self.sets).proportion_ci(method="wilson")
        return f"{count / self.sets:.0%} ({interval.low:.0%} to {interval.high:.0%})".replace(
            "%", " %"
        )


#: Two dozen studies of the sizes of the shipped ones under the default pooling: one of them moved
#: by three log-odds, and half the diseases two log-odds above the others. The manual's table of
#: error rates (`docs/measured/guard.csv`) has the same numbers.
MOVED_STUDY, SPLIT_DISEASES = Measured(50, 9, 21), Measured(25, 0, 1)


def power_of_few_studies() -> str:
    """Say how seldom the guard notices a study that is wrong, among two dozen small ones."""
    return (
        "Of data sets of two dozen small studies, one of which was moved by three log-odds, the "
        f"guard failed {MOVED_STUDY.share(MOVED_STUDY.failed)} and remarked on "
        f"{MOVED_STUDY.share(MOVED_STUDY.remarked)}. Where half the diseases lie two log-odds "
        f"above the others it failed {SPLIT_DISEASES.share(SPLIT_DISEASES.failed)}: partial "
        "pooling expects diseases to differ."
    )
