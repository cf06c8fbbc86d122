"""Whether what is looked for is found among the nearest: neighbours by angle, and recall at k.

Functions of whole arrays on the host. n queries, m things to be found, d features.
"""

import numpy as np

from ..data.checks import check_array
from ..registry import is_integer
from .labels import label_array


def nearest_neighbours(queries, gallery=None, k=5):
    """Places in the gallery of the k vectors nearest to each query   (n, d), (m, d) -> (n, k)

    The nearest is first; of equally near ones, the first. Near is what has a small angle to the
    query: vectors x and z have the cosine x · z / (|x| |z|), in which their lengths play no part;
    a vector of length 0 has the cosine 0 with all. Without a gallery, each query is looked for
    among all the others. ValueError unless 1 <= k <= m.
    """
    directions = _directions("queries", queries)
    others = directions if gallery is None else _directions("gallery", gallery)
    if others.shape[1] != directions.shape[1]:
        raise ValueError(
            f"the gallery must have {directions.shape[1]} features, as queries have. "
            f"Received: shape {others.shape}"
        )
    most = len(others) - (gallery is None)
    if not is_integer(k, most=most):
        raise ValueError(
            f"k must be an integer from 1 to {most}, as many as there are. Received: {k=}"
        )
    cosines = directions @ others.T  # (n, m)
    if gallery is None:
        np.fill_diagonal(cosines, -np.inf)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]


def recall_at_k(labels, neighbour_labels, k=1):
    """The share of queries that have their own label among the first k neighbours' labels.

    (n,), (n, K) -> a number

    neighbour_labels  of the K >= k nearest neighbours of each query, the nearest first
    """
    labels = label_array("labels", labels)
    found = np.asarray(neighbour_labels)
    if found.ndim != 2 or len(found) != len(labels):
        raise ValueError(
            f"neighbour_labels must be ({len(labels)}, K), a row for each query. "
            f"Received: shape {found.shape}"
        )
    if not is_integer(k, most=found.shape[1]):
        raise ValueError(f"k must be an integer from 1 to {found.shape[1]}. Received: {k=}")
    first = label_array("neighbour_labels", found[:, :k].reshape(-1)).reshape(-1, k)
    return float((first == labels[:, None]).any(axis=1).mean())


def _directions(name, vectors):
    """Vectors (n, d) divided by their lengths."""
    vectors = check_array(name, vectors)
    if vectors.ndim != 2:
        raise ValueError(f"{name} must be vectors, (n, d). Received: shape {vectors.shape}")
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)
