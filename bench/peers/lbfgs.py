"""L-BFGS of torch, with its strong Wolfe line search, on the discrete energy Σ |f(z_{i+1}) − f(z_i)|²."""

import torch

NODES = 64  # ends included
MOST_ITERATIONS = 2000
MEMORY = 100


def straight_line(a, b, nodes):
    t = torch.linspace(0, 1, nodes, dtype=torch.float64)[:, None]
    return (1 - t) * a + t * b


def minimise(decoder, a, b, nodes=NODES):
    """Nodes of the curve, iterations, and whether it ended by its own tolerances, which are torch's defaults."""
    inner = straight_line(a, b, nodes)[1:-1].clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [inner],
        max_iter=MOST_ITERATIONS,
        max_eval=2 * MOST_ITERATIONS,
        history_size=MEMORY,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        line_search_fn="strong_wolfe",
    )

    def energy():
        optimizer.zero_grad()
        X = decoder.value(torch.cat([a[None], inner, b[None]]))
        E = (X[1:] - X[:-1]).square().sum()
        E.backward()
        return E

    optimizer.step(energy)
    iterations = optimizer.state[inner]["n_iter"]
    curve = torch.cat([a[None], inner.detach(), b[None]])
    return curve.numpy(), iterations, iterations < MOST_ITERATIONS
