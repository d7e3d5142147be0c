"""The length of a latent polyline in the metric of a decoder, measured in the same way for every method."""

import numpy as np

MOST_PARTS = 1024
BATCH = 4096


def _chord_sums(value, nodes, parts):
    """Per segment, the sum of the ambient chords of `parts` equal parts, and of half, a quarter … as many."""
    t = np.arange(parts + 1) / parts
    sums = [[], [], []]
    group = max(1, BATCH // (parts + 1))
    for first in range(0, len(nodes) - 1, group):
        a = nodes[first : first + group + 1]
        points = a[:-1, None, :] * (1 - t)[None, :, None] + a[1:, None, :] * t[None, :, None]
        X = value(points.reshape(-1, nodes.shape[1])).reshape(len(a) - 1, parts + 1, -1)
        for level in range(3):
            sums[level].append(np.linalg.norm(np.diff(X[:, :: 2**level], axis=1), axis=2).sum(1))
    return [np.concatenate(s) for s in sums]


def curve_length(value, nodes, accuracy=1e-8, parts=16):
    """Length of the polyline through `nodes` (rows) under the map `value`, and an estimate of its error.

    Each latent segment is divided into equal parts. The error of their chords goes with even powers of the parts, so
    two steps of Richardson's extrapolation follow; parts are doubled until the last step changes the length by at most
    the fraction `accuracy`.
    """
    nodes = np.asarray(nodes, dtype=np.float64)
    while True:
        fine, half, quarter = _chord_sums(value, nodes, parts)
        first = fine + (fine - half) / 3
        coarse = half + (half - quarter) / 3
        length = float((first + (first - coarse) / 15).sum())
        error = abs(length - float(first.sum()))
        if error <= accuracy * length or parts >= MOST_PARTS:
            return length, error
        parts *= 2
