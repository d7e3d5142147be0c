"""The decoder of a shipped model: values, Jacobians and weighted Hessians of a fully connected network, in numpy.

Points are rows: K points are a K×n array. A Jacobian is n×K×N, one slice for each latent direction, so that every layer
is one matrix product for all points and directions.
"""

import dataclasses
import json
import struct

import numpy as np


def _sigmoid(a):
    s = 1 / (1 + np.exp(-a))
    slope = s * (1 - s)
    return s, slope, slope * (1 - 2 * s)


def _tanh(a):
    t = np.tanh(a)
    slope = 1 - t * t
    return t, slope, -2 * t * slope


def _identity(a):
    return a, np.ones_like(a), np.zeros_like(a)


# Each gives the value, the slope and the second derivative.
ACTIVATIONS = {"sigmoid": _sigmoid, "tanh": _tanh, "identity": _identity}


def read_layers(path):
    """The layers (weight, bias, activation's name) of the decoder in a file of the format pullback-model-1."""
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    metadata = header["__metadata__"]
    if metadata.get("format") != "pullback-model-1":
        raise ValueError(f"{path}: not a file of the format pullback-model-1")

    def tensor(name):
        entry = header[name]
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: tensor {name} is {entry['dtype']}, expected F32")
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype="<f4")
        return flat.reshape(entry["shape"]).astype(np.float64)

    layers = []
    for layer in json.loads(metadata["decoder"]):
        if layer["activation"] not in ACTIVATIONS:
            raise ValueError(f"{path}: the activation {layer['activation']} is not known here")
        layers.append((tensor(layer["weight"]), tensor(layer["bias"]), layer["activation"]))
    return layers


@dataclasses.dataclass
class Sweep:
    """What a forward pass leaves for the derivatives: slope and second derivative of each layer's activation."""

    value: np.ndarray
    slopes: list
    bends: list


class Decoder:
    def __init__(self, layers):
        self.layers = layers
        self.latent_dimension = layers[0][0].shape[1]

    def sweep(self, Z):
        A, slopes, bends = Z, [], []
        for weight, bias, name in self.layers:
            A, slope, bend = ACTIVATIONS[name](A @ weight.T + bias)
            slopes.append(slope)
            bends.append(bend)
        return Sweep(A, slopes, bends)

    def value(self, Z):
        return self.sweep(Z).value

    def _tangents(self, sweep):
        """Derivatives of each layer's input to its activation, and of the output: lists of n×K×(units)."""
        before = []
        T = None
        for (weight, _, _), slope in zip(self.layers, sweep.slopes):
            if T is None:
                B = np.repeat(weight.T[:, None, :], len(slope), axis=1)
            else:
                B = (T.reshape(-1, T.shape[2]) @ weight.T).reshape(T.shape[0], T.shape[1], -1)
            before.append(B)
            T = B * slope
        return before, T

    def jacobian(self, sweep):
        return self._tangents(sweep)[1]

    def jacobian_and_hessian(self, sweep, W):
        """The Jacobian, and for each point k the n×n matrix Σ_m W[k, m] ∇²f_m."""
        before, J = self._tangents(sweep)
        H = 0
        for (weight, _, _), B, slope, bend in zip(
            reversed(self.layers), reversed(before), reversed(sweep.slopes), reversed(sweep.bends)
        ):
            P = np.moveaxis(B, 0, 1)
            H = H + (P * (W * bend)[:, None, :]) @ np.swapaxes(P, 1, 2)
            W = (W * slope) @ weight
        return J, H
