"""One outcome's hierarchy as it is stated: its studies, and how diseases inform each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...data.errors import InputError
from ..pooling import has_tau, structure
from .likelihood_table import StudyLikelihoods


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Studies and their pooling, before any grid and any prior.

    Attributes
    ----------
    likelihoods : StudyLikelihoods
        The studies.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other; a single disease has mu, its level, and no tau.
    outcome : str
        Name, for tables.
    """

    likelihoods: StudyLikelihoods
    pooling: str = "partial"
    outcome: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown pooling and an outcome without studies and diseases."""
        if not self.likelihoods.diseases:
            raise InputError(f"{self.outcome or 'the outcome'}: no disease to fit")
        structure(self.pooling, self.likelihoods.diseases)

    @property
    def structure(self) -> str:
        """``single`` under complete pooling and for a single disease, else the pooling."""
        kind = structure(self.pooling, self.likelihoods.diseases)
        return "single" if kind == "complete" else kind

    @property
    def has_tau(self) -> bool:
        """Whether there is a standard deviation between diseases."""
        return has_tau(self.pooling, self.likelihoods.diseases)

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters above the diseases' levels that there are."""
        names = [] if self.structure == "none" else ["mu"]
        return names + (["tau"] if self.has_tau else []) + ["sigma"]

    @cached_property
    def sizes(self) -> dict[str, tuple[int, int | None]]:
        """Studies and patients (None where likelihoods are not of counts) of each disease."""
        names, rows = self.likelihoods.diseases, self.likelihoods.rows
        studies = np.bincount(self.likelihoods.disease, minlength=len(names)).tolist()
        patients: list[int | None] = [None] * len(names)
        if rows is not None:
            codes = self.likelihoods.disease[rows["position"].to_numpy()]
            patients = np.bincount(codes, rows["n"], len(names)).astype(int).tolist()
        return dict(zip(names, zip(studies, patients, strict=True), strict=True))

    @cached_property
    def bounded_groups(self) -> np.ndarray:
        """Whether each disease's likelihood vanishes at both ends; shape (disease,)."""
        count = len(self.likelihoods.diseases)
        below = np.bincount(self.likelihoods.disease, self.likelihoods.falls_below, count) > 0
        return below & (
            np.bincount(self.likelihoods.disease, self.likelihoods.falls_above, count) > 0
        )

    @property
    def quantities(self) -> list[tuple[str | None, str]]:
        """Disease and quantity of everything that is reported of diseases."""
        names = self.likelihoods.diseases
        both: list[tuple[str | None, str]]
        both = [(name, quantity) for quantity in ("rate", "new_study") for name in names]
        return both + ([(None, "new_disease")] if self.has_tau else [])

    def evidence_of(self, disease: str | None) -> dict:
        """Count the studies and patients behind a disease's rates; Nones without a disease."""
        if disease is None:
            return {"studies": None, "patients": None, "evidence": None}
        studies, patients = self.sizes[disease]
        return {
            "studies": studies,
            "patients": patients,
            "evidence": "direct" if studies else "borrowed",
        }
