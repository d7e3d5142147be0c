"""The peers against closed forms: python -m pytest bench/peers, in an environment with requirements.txt and pytest."""

import one_thread  # noqa: F401

import pathlib

import numpy as np
import pytest
import torch

import georce
import lbfgs
import newton
from curve_length import curve_length
from decoder import Decoder, read_layers
from sphere import Sphere, sphere_distance
from torch_decoder import TorchDecoder

MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"
NAMES = ["mnist-vae", "mnist-gan", "mnist-vae-8d"]


def sphere_ends(d):
    return -np.linspace(0, 1, d), np.full(d, 0.5)


def random_points(name, count, seed=3):
    decoder = Decoder(read_layers(MODELS / f"{name}.safetensors"))
    return decoder, np.random.default_rng(seed).normal(size=(count, decoder.latent_dimension))


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_agree_with_differences(name):
    decoder, Z = random_points(name, 5)
    J, H = decoder.jacobian_and_hessian(decoder.sweep(Z), W := np.random.default_rng(4).normal(size=(5, 784)))
    h = 1e-5
    for a in range(Z.shape[1]):
        shift = h * np.eye(Z.shape[1])[a]
        difference = (decoder.value(Z + shift) - decoder.value(Z - shift)) / (2 * h)
        assert np.abs(J[a] - difference).max() < 1e-7
        ahead = decoder.jacobian(decoder.sweep(Z + shift))
        behind = decoder.jacobian(decoder.sweep(Z - shift))
        bend = np.einsum("bkm,km->kb", ahead - behind, W) / (2 * h)
        assert np.abs(H[:, a] - bend).max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_torch_gives_what_numpy_gives(name):
    decoder, Z = random_points(name, 7)
    other = TorchDecoder(read_layers(MODELS / f"{name}.safetensors"))
    J = np.moveaxis(decoder.jacobian(decoder.sweep(Z)), 0, 1)
    U = np.random.default_rng(5).normal(size=Z.shape)
    T = torch.from_numpy
    assert np.abs(other.value(T(Z)).numpy() - decoder.value(Z)).max() < 1e-12
    G = J @ np.swapaxes(J, 1, 2)
    assert np.abs(other.metric(T(Z)).numpy() - G).max() < 1e-10
    speed = np.einsum("ka,kab,kb->k", U, G, U)
    assert np.abs(other.squared_speed(T(Z), T(U)).numpy() - speed).max() < 1e-9


@pytest.mark.parametrize("d", [2, 5, 20])
def test_length_of_a_great_circle(d):
    """Of a line through the origin, an arc of the great circle through the poles."""
    b = np.full(d, 0.5)
    length, error = curve_length(Sphere().value, np.linspace(-b, b, 4))
    assert length == pytest.approx(4 * np.arctan(np.linalg.norm(b)), rel=1e-8)
    assert error < 1e-8 * length


# As many iterations as the paper reports for these ends.
@pytest.mark.parametrize("d, published", [(2, 9), (3, 45), (5, 26), (10, 17), (20, 17), (50, 13), (100, 7)])
def test_georce_takes_the_published_iterations(d, published):
    a, b = sphere_ends(d)
    nodes, iterations, converged = georce.minimise(Sphere(), torch.from_numpy(a), torch.from_numpy(b))
    assert converged
    assert iterations == pytest.approx(published, abs=1)
    if d <= 20:  # above, the energy of left ends is cheated by one long chord, as published
        length, _ = curve_length(Sphere().value, nodes)
        assert 1 - 1e-8 < length / sphere_distance(a, b) < 1.01


@pytest.mark.parametrize("d", [2, 3, 5, 10])
def test_lbfgs_finds_the_great_circle(d):
    a, b = sphere_ends(d)
    nodes, _, converged = lbfgs.minimise(Sphere(), torch.from_numpy(a), torch.from_numpy(b))
    assert converged
    length, _ = curve_length(Sphere().value, nodes)
    assert 1 - 1e-8 < length / sphere_distance(a, b) < 1.001


@pytest.mark.parametrize("d", [2, 3, 5, 10])
def test_gauss_newton_finds_the_great_circle(d):
    a, b = sphere_ends(d)
    nodes, _, converged = newton.minimise(Sphere(), a, b, exact=False)
    assert converged
    length, _ = curve_length(Sphere().value, nodes)
    assert 1 - 1e-8 < length / sphere_distance(a, b) < 1.0003


@pytest.mark.parametrize("name", NAMES)
def test_both_newtons_agree(name):
    decoder, Z = random_points(name, 2)
    lengths = []
    for exact in (True, False):
        nodes, _, converged = newton.minimise(decoder, 0.7 * Z[0], 0.7 * Z[1], exact=exact)
        assert converged
        lengths.append(curve_length(decoder.value, nodes)[0])
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-6)
