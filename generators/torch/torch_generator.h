// Generators from TorchScript files.
#pragma once

#include <filesystem>
#include <memory>

#include "pullback/generators/generator.h"

namespace pullback {

// Reads a TorchScript module whose forward maps a tensor [K, n] to [K, …]:
//
//   f(z_k) = the k-th row of the output, its trailing dimensions flattened in row-major order.
//
// n is the module's integer attribute `latent_dimension` or `latent_dim` if it has one, else the number of columns of
// its first linear layer's weight, else the only one from 1 to that number, at most 512, that the module accepts and
// depends on throughout. The module runs in evaluation mode, on the CPU, with its weights converted to double
// precision; where its operations do not allow that it runs in single precision, and traits().name ends in
// "(single precision)" unless the module became a Network.
//
// A chain of linear layers, batch normalisations and activations that Network knows, however its forward is written,
// becomes a Network, provided that this agrees with the module at random points. Anything else stays in LibTorch:
//   value_and_jacobian  one evaluation of nK rows with forward-mode tangents; where an operation has no forward mode,
//                       the derivative of wᵀJ with respect to w: one evaluation and two reverse sweeps of nK rows
//   vjp                 one evaluation and one reverse sweep of K rows
//   weighted_hessian    one evaluation and two reverse sweeps of nK rows
//   second_directional  one evaluation and four reverse sweeps of K rows
// never N reverse sweeps. traits().second is kFiniteDifference where an operation cannot be differentiated twice; it is
// then differenced from exact Jacobians. traits().smooth is false where the module has an operation such as ReLU.
//
// Undefined: rows of a batch that influence one another in a way that three random rows do not show.
// Errors: pullback::Error, with the path, for a file that cannot be read, is truncated or damaged, is no TorchScript
// (a pickled state_dict, say), and for a module that takes other arguments, returns anything but a floating-point
// tensor [K, …], is random, mixes the rows of a batch, changes itself, has weights that are NaN or infinite, or cannot
// be differentiated. Evaluation throws it where LibTorch fails.
// Thread safety: as Generator says.
// Reference: Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 3.
std::shared_ptr<const Generator> read_torchscript(const std::filesystem::path& path);

}  // namespace pullback
