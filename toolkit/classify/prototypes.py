"""Labels as points among the texts: what zero-shot and few-shot classification compute."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

__all__ = ["calibrate_temperature", "label_probabilities", "label_prototypes", "label_scores"]


def label_prototypes(
    X: NDArray[Any], codes: NDArray[np.integer[Any]], n_labels: int
) -> NDArray[np.float32]:
    """Return the mean direction of each label's texts.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors of the texts that describe or exemplify labels; only their directions count.
    codes : ndarray of shape (n,), int
        The label of each, from 0 to ``n_labels - 1``; each label has one or more.
    n_labels : int
        Number of labels.

    Returns
    -------
    ndarray of shape (n_labels, d), dtype float32
        Unit vectors; a zero row where the directions cancel out.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, -3.0]])
    >>> label_prototypes(X, np.array([0, 0, 1]), 2).round(2)
    array([[ 0.71,  0.71],
           [ 0.  , -1.  ]], dtype=float32)
    """
    sums = np.zeros((n_labels, X.shape[1]))
    np.add.at(sums, codes, _unit(X))
    return _unit(sums).astype(np.float32)


def label_scores(X: NDArray[Any], prototypes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the cosine of each text to each label.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors of texts.
    prototypes : ndarray of shape (n_labels, d)
        As :func:`label_prototypes` returns them.

    Returns
    -------
    ndarray of shape (n, n_labels)

    Examples
    --------
    >>> label_scores(np.array([[0.0, 5.0]]), np.eye(2)).tolist()
    [[0.0, 1.0]]
    """
    # einsum and not @: BLAS sums in another order for another number of rows, and a text's
    # probabilities should not depend on its neighbours.
    scores: NDArray[np.float64] = np.einsum(
        "nd,kd->nk", _unit(X), np.asarray(prototypes, dtype=np.float64)
    )
    return scores


def label_probabilities(scores: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return the softmax of the scores over the temperature, each row summing to 1.

    Examples
    --------
    >>> label_probabilities(np.array([[0.5, 0.4]]), 0.05).round(3).tolist()
    [[0.881, 0.119]]
    """
    probabilities: NDArray[np.float64] = softmax(scores / temperature, axis=1)
    return probabilities


def calibrate_temperature(
    scores: NDArray[np.float64],
    codes: NDArray[np.integer[Any]],
    *,
    lowest: float,
    highest: float,
) -> float:
    """Return the temperature at which labelled rows have the least log loss.

    One number for all labels: the order of the labels, and so the prediction, stays what it is
    (Guo et al. 2017, "On calibration of modern neural networks", section 4.2).

    Parameters
    ----------
    scores : ndarray of shape (n, n_labels)
        As :func:`label_scores` returns them.
    codes : ndarray of shape (n,), int
        The column of the true label of each row.
    lowest, highest : float
        Bounds. Rows that are all right ask for a temperature of 0, which is certainty.

    Returns
    -------
    float

    Examples
    --------
    >>> scores = np.array([[0.5, 0.4], [0.5, 0.4], [0.5, 0.4], [0.4, 0.5]])
    >>> t = calibrate_temperature(scores, np.array([0, 0, 1, 1]), lowest=0.005, highest=0.5)
    >>> label_probabilities(scores[:1], t).round(2).tolist()  # right three times out of four
    [[0.75, 0.25]]
    """
    rows = np.arange(len(codes))

    def loss(log_temperature: float) -> float:
        chances = log_softmax(scores / np.exp(log_temperature), axis=1)
        return -float(chances[rows, codes].mean())

    found = minimize_scalar(loss, bounds=(np.log(lowest), np.log(highest)), method="bounded")
    return float(np.exp(found.x))


def _unit(X: NDArray[Any]) -> NDArray[np.float64]:
    rows = np.asarray(X, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float64] = rows / np.where(norms > 0, norms, 1)
    return unit
