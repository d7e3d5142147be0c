"""Newton's and Gauss and Newton's method on the discrete energy of 128 chords: what a careful user writes in numpy.

E = K Σ |f(z_{i+1}) − f(z_i)|². Its Hessian is block tridiagonal; with w_i = 2 f_i − f_{i−1} − f_{i+1} the blocks are
2K (2 J_iᵀJ_i + Σ_m w_im ∇²f_m) and −2K J_iᵀJ_{i+1}. Gauss and Newton's method leaves the second derivatives out. Where
the matrix is not positive or the energy does not fall, multiples of J_iᵀJ_i are added (Levenberg, Marquardt).
"""

import numpy as np
from scipy.linalg import LinAlgError, solveh_banded

CHORDS = 128
MOST_ITERATIONS = 500
TOLERANCE = 1e-8  # of the energy, that the next step promises
FIRST_DAMPING = 1e-5  # of J_iᵀJ_i, of which the smoothest bump of the curve has (π / 128)² = 6e-4
MOST_DAMPING = 1e12


class Quadratic:
    """The model of the energy at a curve: gradient, blocks, and its minimum for some damping."""

    def __init__(self, decoder, sweep, exact):
        X = sweep.value
        W = 2 * X[1:-1] - X[:-2] - X[2:]
        inner = type(sweep)(X[1:-1], [s[1:-1] for s in sweep.slopes], [b[1:-1] for b in sweep.bends])
        J, H = decoder.jacobian_and_hessian(inner, W) if exact else (decoder.jacobian(inner), 0)
        J = np.ascontiguousarray(np.moveaxis(J, 0, 1))
        chords = len(X) - 1
        self.gradient = 2 * chords * (J @ W[:, :, None])[:, :, 0]
        self.metric = 2 * chords * (J @ np.swapaxes(J, 1, 2))
        self.diagonal = 2 * self.metric + 2 * chords * H
        self.beside = -2 * chords * (J[:-1] @ np.swapaxes(J[1:], 1, 2))

    def step(self, damping):
        count, n = self.gradient.shape
        D = self.diagonal + damping * self.metric
        band = np.zeros((2 * n, count * n))
        for column in range(n):
            for row in range(n):
                if row >= column:
                    band[row - column, column::n] = D[:, row, column]
                band[n + row - column, column::n][: count - 1] = self.beside[:, column, row]
        return -solveh_banded(band, self.gradient.ravel(), lower=True, check_finite=False).reshape(count, n)


def _energy(sweep):
    return (len(sweep.value) - 1) * np.square(np.diff(sweep.value, axis=0)).sum()


def minimise(decoder, a, b, exact=True, chords=CHORDS):
    """Nodes of the curve, iterations, and whether the next step promised less than the tolerance."""
    t = np.linspace(0, 1, chords + 1)[:, None]
    Z = (1 - t) * a + t * b
    sweep = decoder.sweep(Z)
    energy = _energy(sweep)
    damping = 0.0
    model = Quadratic(decoder, sweep, exact)
    for iteration in range(MOST_ITERATIONS):
        try:
            step = model.step(damping)
        except LinAlgError:
            step = None
        if step is not None:
            promised = -0.5 * float((model.gradient * step).sum())
            if promised <= TOLERANCE * energy and damping <= FIRST_DAMPING:
                return Z, iteration, True
            trial = Z.copy()
            trial[1:-1] += step
            following = decoder.sweep(trial)
            fallen = energy - _energy(following)
            if fallen > 0:
                Z, sweep, energy = trial, following, energy - fallen
                if fallen > 0.75 * promised:
                    damping = damping / 8 if damping > FIRST_DAMPING else 0.0
                model = Quadratic(decoder, sweep, exact)
                continue
        damping = max(8 * damping, FIRST_DAMPING)
        if damping > MOST_DAMPING:
            break
    return Z, iteration, False
