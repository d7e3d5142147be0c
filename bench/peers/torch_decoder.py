"""The same decoder in torch: values that L-BFGS differentiates, and what GEORCE takes.

The Jacobian is pushed forward through the layers as n tangents, one matrix product a layer: torch.func.jacfwd under
vmap gives the same numbers and takes two to three times as long.
"""

import torch

SLOPES = {
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
    "identity": torch.ones_like,
}
VALUES = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "identity": lambda a: a}


class TorchDecoder:
    def __init__(self, layers):
        self.layers = [(torch.from_numpy(weight), torch.from_numpy(bias), name) for weight, bias, name in layers]

    def value(self, Z):
        for weight, bias, name in self.layers:
            Z = VALUES[name](torch.nn.functional.linear(Z, weight, bias))
        return Z

    def push(self, Z, tangents):
        """The value at K×n points, and what the derivative makes of m×K×n tangents."""
        for weight, bias, name in self.layers:
            Z = VALUES[name](torch.nn.functional.linear(Z, weight, bias))
            tangents = torch.matmul(tangents, weight.T) * SLOPES[name](Z)
        return Z, tangents

    def metric(self, Z):
        """JᵀJ at each point, K×n×n."""
        n = Z.shape[1]
        directions = torch.eye(n, dtype=Z.dtype)[:, None, :].expand(n, len(Z), n)
        J = self.push(Z, directions)[1].transpose(0, 1)
        return J @ J.transpose(1, 2)

    def squared_speed(self, Z, U):
        """uᵀ G(z) u for each point, differentiable."""
        tangent = self.push(Z, U[None])[1][0]
        return (tangent * tangent).sum(1)
