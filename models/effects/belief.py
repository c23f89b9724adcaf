"""What is believed of the effect in a trial to come: a distribution of a log ratio."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

from ...data.errors import InputError
from ..outcomes import Link, inverse_link, link_function

# Normal scores that stand for a distribution: a trapezoid, which converges quickly there.
SCORES = np.linspace(-6.0, 6.0, 121)
_WEIGHTS = np.exp(-(SCORES**2) / 2) / np.exp(-(SCORES**2) / 2).sum()
_NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
_NORMAL = re.compile(rf"\s*normal\({_NUMBER},{_NUMBER}\)\s*", re.IGNORECASE)
_STUDENT = re.compile(rf"\s*t\({_NUMBER},{_NUMBER},{_NUMBER}\)\s*", re.IGNORECASE)
WANTED = "write normal(0.5,0.3), t(3,0.5,0.3) or a log odds ratio such as 0.6"


@dataclass(frozen=True, eq=False)
class EffectBelief:
    """A distribution of the log odds ratio (log hazard ratio) of a trial, experimental to control.

    Parameters
    ----------
    values : array, shape (score,)
        Its values at `SCORES`: the quantile of the probability that a standard normal is below.
    above : callable
        Probability of exceeding values, in their shape.
    label : str
        What it is, in words.
    link : {"logit", "cloglog"}
        How levels become rates: of a log odds ratio, of a log hazard ratio.
    alone : EffectBelief or None
        The same from the disease's own studies alone, where it was taken from a fit of several.
    """

    values: np.ndarray
    above: Callable[[np.ndarray], np.ndarray]
    label: str
    link: Link = "logit"
    alone: EffectBelief | None = None

    @property
    def words(self) -> str:
        """What it is, in words."""
        return self.label

    def __str__(self) -> str:
        return self.label

    @property
    def scale(self) -> str:
        """Name of the scale, in words."""
        return "log odds ratio" if self.link == "logit" else "log hazard ratio"

    @property
    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and weights that average smooth functions of the effect."""
        if np.ptp(self.values) == 0:
            return self.values[:1], np.ones(1)
        return self.values, _WEIGHTS

    def shifted(self, by: float) -> EffectBelief:
        """Return the distribution moved by a number of log-odds (log hazards)."""
        return replace(
            self,
            values=self.values + by,
            above=lambda x: self.above(np.asarray(x) - by),
            alone=self.alone and self.alone.shifted(by),
        )

    def treated(self, control) -> np.ndarray:
        """Rates of experimental patients at control rates, shape (control, node)."""
        with np.errstate(divide="ignore"):
            levels = np.asarray(link_function(np.asarray(control, float), self.link))
        return np.asarray(inverse_link(levels[:, None] + self.nodes[0], self.link))

    def beyond(self, control, margin: float) -> np.ndarray:
        """Probability of a risk difference above a margin at control rates, in their shape."""
        control = np.asarray(control, float)
        wanted = control + margin
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = np.asarray(link_function(np.clip(wanted, 0, 1), self.link)) - np.asarray(
                link_function(control, self.link)
            )
        inside = (wanted > 0) & (wanted < 1)
        return np.where(inside, self.above(np.where(inside, needed, 0.0)), wanted <= 0)


def known_effect(
    probabilities: np.ndarray, values: np.ndarray, label: str, link: Link = "logit"
) -> EffectBelief:
    """Return the distribution that is known by its quantiles.

    Parameters
    ----------
    probabilities, values : array, shape (point,)
        Increasing.
    label : str
        What it is, in words.
    link : {"logit", "cloglog"}
        Of a log odds ratio, or a log hazard ratio.
    """
    scores = special.ndtri(probabilities)
    return EffectBelief(
        _read(SCORES, scores, values),
        lambda x: special.ndtr(-_read(np.asarray(x, float), values, scores)),
        label,
        link,
    )


def _read(wanted: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read an increasing function smoothly, and beyond its ends along its last pieces."""
    from scipy.interpolate import PchipInterpolator

    inside = PchipInterpolator(x, y)(np.clip(wanted, x[0], x[-1]))
    below = np.minimum(wanted - x[0], 0) * (y[1] - y[0]) / (x[1] - x[0])
    above = np.maximum(wanted - x[-1], 0) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return inside + below + above


def parse_effect(text: str) -> EffectBelief:
    """Read a distribution of a log odds ratio: `normal(m,s)`, `t(df,m,s)` or a point.

    Raises
    ------
    InputError
        One line that names the text and what would be right.
    """
    if match := _NORMAL.fullmatch(text):
        mean, sd = map(float, match.groups())
        return _family(text, stats.norm(mean, sd), sd)
    if match := _STUDENT.fullmatch(text):
        degrees, mean, scale = map(float, match.groups())
        return _family(text, stats.t(degrees, mean, scale), scale, degrees)
    try:
        point = float(text)
    except ValueError:
        raise InputError(f"effect prior '{text}': not understood; {WANTED}") from None
    if not np.isfinite(point):
        raise InputError(f"effect prior '{text}': give a number; {WANTED}")
    return EffectBelief(
        np.full(SCORES.size, point), lambda x: (point > np.asarray(x)) + 0.0, f"{point:g}"
    )


def _family(text: str, own, *positive: float) -> EffectBelief:
    if not all(np.isfinite(value) and value > 0 for value in positive):
        raise InputError(f"effect prior '{text}': scale and degrees of freedom are above 0")
    return EffectBelief(own.ppf(special.ndtr(SCORES)), own.sf, "".join(text.split()))


def as_effect(effect: str | float | EffectBelief, timed: bool) -> EffectBelief:
    """Return `effect`, read from its text form where it is text or a number.

    Parameters
    ----------
    effect : str, float or EffectBelief
        The effect.
    timed : bool
        Whether it is one on an outcome whose risk grows with time: a log hazard ratio.

    Raises
    ------
    InputError
        A text that is none, and an effect on another scale.
    """
    link: Link = "cloglog" if timed else "logit"
    if not isinstance(effect, EffectBelief):
        return replace(parse_effect(str(effect)), link=link)
    if effect.link != link:
        wanted = "give months of follow-up" if effect.link == "cloglog" else "leave out months"
        raise InputError(f"effect prior ({effect.words}): it is a {effect.scale}: {wanted}")
    return effect
