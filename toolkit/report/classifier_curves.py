"""Curves of a classifier report: abstaining and calibration."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.classify.diagnostics import CalibrationBin, calibration_curve
from toolkit.classify.result import TrainingResult

__all__ = [
    "THRESHOLDS",
    "ThresholdRow",
    "calibration_bins",
    "threshold_rows",
]

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class ThresholdRow:
    """What abstaining below a probability does.

    Parameters
    ----------
    threshold : float
        The probability.
    answered : float
        Share of the texts that get a label.
    accuracy : float
        Share of those that are right; NaN if there are none.
    """

    threshold: float
    answered: float
    accuracy: float


def threshold_rows(result: TrainingResult) -> list[ThresholdRow]:
    """Return what abstaining would do; nothing for a classifier without probabilities."""
    found = result.validation
    if found.probabilities is None:
        return []
    tested = found.tested
    best = found.probabilities[tested].max(axis=1)
    right = found.predicted[tested] == result.y[tested]
    rows = []
    for threshold in THRESHOLDS:
        answered = best >= threshold
        accuracy = float(right[answered].mean()) if answered.any() else float("nan")
        rows.append(ThresholdRow(threshold, float(answered.mean()), accuracy))
    return rows


def calibration_bins(result: TrainingResult) -> list[CalibrationBin]:
    """Return how often predictions of each probability are right; nothing without any."""
    found = result.validation
    if found.probabilities is None:
        return []
    tested = found.tested
    best = found.probabilities[tested].max(axis=1)
    return calibration_curve(best, found.predicted[tested] == result.y[tested])
