"""GEORCE (Rygaard, Hauberg 2025, arXiv 2505.05961), from its formulas.

The energy is Σ u_tᵀ G(x_t) u_t, u_t = x_{t+1} − x_t, with the metric at the left end of each chord. With the metrics
and g_t = ∂_x [u_tᵀ G(x) u_t] at x_t frozen, the control problem has a closed solution:

    S_t = Σ_{j>t} g_j,   μ = −(Σ G_t⁻¹)⁻¹ (2 (x_T − x_0) + Σ G_t⁻¹ S_t),   û_t = −½ G_t⁻¹ (μ + S_t),

and u ← α û + (1−α) u with α halved from 1 until the energy falls. It stops at ‖∇E‖₂ ≤ 1e-4, as published.
"""

import torch

from lbfgs import straight_line

CHORDS = 100
MOST_ITERATIONS = 1000
MOST_HALVINGS = 100
TOLERANCE = 1e-4


class Curve:
    """Nodes x_0 … x_T, the energy's terms, and the gradients g_t, which are formed when they are asked for."""

    def __init__(self, space, x):
        self.x = x
        self.u = x[1:] - x[:-1]
        self.at = x[:-1].clone().requires_grad_(True)
        self.terms = space.squared_speed(self.at, self.u)
        self.energy = float(self.terms.detach().sum())

    def g(self):
        return torch.autograd.grad(self.terms.sum(), self.at)[0]


def controls(G, g, displacement):
    """The controls û that minimise the energy with metrics G and gradients g frozen."""
    later = torch.flip(torch.cumsum(torch.flip(g, [0]), 0), [0]) - g
    inverse = torch.linalg.inv(G)
    moved = (inverse @ later[:, :, None])[:, :, 0]
    mu = -torch.linalg.solve(inverse.sum(0), 2 * displacement + moved.sum(0))
    return -0.5 * (inverse @ (mu + later)[:, :, None])[:, :, 0]


def lower(space, curve, target):
    """The curve of the first α = 1, ½, ¼ … whose energy is lower; nothing where none is."""
    alpha = 1.0
    for _ in range(MOST_HALVINGS + 1):
        u = alpha * target + (1 - alpha) * curve.u
        inner = curve.x[0] + torch.cumsum(u[:-1], 0)
        trial = Curve(space, torch.cat([curve.x[:1], inner, curve.x[-1:]]))
        if trial.energy < curve.energy:
            return trial
        alpha /= 2
    return None


def minimise(space, a, b, chords=CHORDS):
    """Nodes of the curve, iterations, and whether the gradient met the tolerance.

    `space` has metric(X), K×n×n, and squared_speed(X, U), differentiable.
    """
    curve = Curve(space, straight_line(a, b, chords + 1))
    for iteration in range(MOST_ITERATIONS + 1):
        with torch.no_grad():
            G = space.metric(curve.x[:-1])
        g = curve.g()
        momentum = (G @ curve.u[:, :, None])[:, :, 0]
        gradient = g[1:] + 2 * (momentum[:-1] - momentum[1:])
        if float(gradient.norm()) <= TOLERANCE:
            return curve.x.numpy(), iteration, True
        if iteration == MOST_ITERATIONS:
            break
        following = lower(space, curve, controls(G, g, b - a))
        if following is None:
            break
        curve = following
    return curve.x.numpy(), iteration, False
