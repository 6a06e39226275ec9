"""Curves of a classifier report: abstaining, calibration, and what more labels bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.classify.diagnostics import CalibrationBin, calibration_curve
from toolkit.classify.result import TrainingResult
from toolkit.typography import format_number

__all__ = [
    "THRESHOLDS",
    "ThresholdRow",
    "calibration_bins",
    "learning_verdict",
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


def learning_verdict(result: TrainingResult) -> str:
    """Return what the last rows bought, and no more than that."""
    if len(result.learning) < 2:
        return ""
    before, last = result.learning[-2:]
    gain = last.accuracy.mean - before.accuracy.mean
    tested = max(1, int(result.validation.tested.sum()))
    p = last.accuracy.mean
    noise = 2 * float(np.sqrt(p * (1 - p) / tested))
    said = (
        f"The last {last.rows - before.rows:,} rows changed the accuracy by "
        f"{format_number(gain, sign=True)} "
        f"({before.accuracy.mean:.3f} to {last.accuracy.mean:.3f})."
    )
    if abs(gain) < noise:
        return f"{said} That is within what chance does on these test rows (± {noise:.3f})."
    if gain > 0:
        return f"{said} The curve still rises; how far it goes on was not measured."
    return f"{said} More rows of this kind did not help."
