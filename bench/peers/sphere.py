"""The unit sphere of any dimension in its stereographic chart, with what every method here asks of a space."""

import numpy as np
import torch

from decoder import Sweep


class Sphere:
    """The unit sphere in its stereographic chart, (1 − |z|², 2z) / (1 + |z|²)."""

    def value(self, Z):
        square = (Z * Z).sum(1)[:, None]
        concatenate = torch.cat if isinstance(Z, torch.Tensor) else np.concatenate
        return concatenate([1 - square, 2 * Z], 1) / (1 + square)

    def metric(self, Z):
        scale = 4 / (1 + (Z * Z).sum(1)) ** 2
        return scale[:, None, None] * torch.eye(Z.shape[1], dtype=Z.dtype)

    def squared_speed(self, Z, U):
        return 4 * (U * U).sum(1) / (1 + (Z * Z).sum(1)) ** 2

    # For newton.py, in numpy. A sweep has the points in place of slopes, of which newton.py takes the same rows.
    def sweep(self, Z):
        return Sweep(self.value(Z), [Z], [])

    def jacobian(self, sweep):
        Z = sweep.slopes[0]
        s = 1 + (Z * Z).sum(1)[:, None, None]
        n = Z.shape[1]
        inner = 2 * np.eye(n)[None] / s - 4 * Z[:, :, None] * Z[:, None, :] / s**2
        return np.moveaxis(np.concatenate([-4 * Z[:, :, None] / s**2, inner], 2), 1, 0)


def sphere_distance(a, b):
    x, y = Sphere().value(np.array([a, b]))
    return 2 * np.arctan2(np.linalg.norm(x - y), np.linalg.norm(x + y))
