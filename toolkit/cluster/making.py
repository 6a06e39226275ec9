"""How a clustering came about, for reports and saved folders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toolkit.provenance import data_fingerprint, model_notice, package_versions

if TYPE_CHECKING:
    from toolkit.identity import ModelIdentity

__all__ = ["describe_making"]

_VERSIONS = ("embeddinggemma-toolkit", "numpy", "scikit-learn", "scipy", "umap-learn", "hdbscan")


def describe_making(
    texts: list[str],
    vectors: NDArray[np.float32],
    *,
    clusterer: str,
    n_clusters: str,
    random_state: int | None,
    identity: ModelIdentity | None,
    prompt: str | None,
    source: str | None,
    command: str | None,
) -> dict[str, Any]:
    """Return the provenance of a clustering.

    Parameters
    ----------
    texts : list of str, of length n
        The texts.
    vectors : ndarray of shape (n, d)
        Their vectors.
    clusterer : str
        What made the clusters.
    n_clusters : str
        Where their number comes from.
    random_state, identity, prompt, source, command
        As for :func:`~toolkit.cluster.cluster_texts`.

    Returns
    -------
    dict of str to object
    """
    without_canary = None
    if identity is not None:
        without_canary = {k: v for k, v in identity.to_dict().items() if k != "canary"}
    return {
        # Vectors given as a bare matrix may be anybody's; findings says that in so many words.
        "notice": None if identity is None else model_notice(identity),
        "model": None if identity is None else identity.describe(),
        "identity": without_canary,
        "prompt": prompt,
        "dimension": vectors.shape[1],
        "clusterer": clusterer,
        "n_clusters": n_clusters,
        "random_state": random_state,
        "rows": len(texts),
        "source": source,
        "data_fingerprint": f"sha256:{data_fingerprint(texts)}",
        "versions": package_versions(_VERSIONS),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }
