// Generators from TorchScript files.
#pragma once

#include <filesystem>
#include <memory>

#include "pullback/base/export.h"
#include "pullback/generators/generator.h"
#include "pullback/generators/generator_registry.h"

namespace pullback {

// Reads a TorchScript module whose forward maps a tensor [K, n] to [K, …]:
//
//   f(z_k) = the k-th row of the output, its trailing dimensions flattened in row-major order.
//
// n is the first of these that applies: the module's integer attribute `latent_dimension` or `latent_dim`; the number
// of columns of its first linear layer's weight, if that layer gets the points themselves; options.dimension, if the
// module accepts that many coordinates and depends on each; the only number from 1 to 512 that it accepts in this way.
// The module runs in evaluation mode, on the CPU, with its weights converted to double precision; where its operations
// do not allow that it runs in single precision. traits().noise says what its values are off by, and traits().name ends
// in "(single precision)" where that is more than double precision accounts for.
//
// A chain of linear layers, batch normalisations and activations that Network knows, however its forward is written,
// becomes a Network, provided that this agrees with the module at random points. Anything else stays in LibTorch. Each
// derivative is computed by the first way of its line that agrees with differences at 12 points in random directions,
// to 1e-6 or to what differences can resolve (check_derivatives.h):
//   value_and_jacobian  one evaluation of nK rows with forward-mode tangents; or the derivative of wᵀJ with respect to
//                       w: one evaluation and two reverse sweeps of nK rows; where an operation has neither,
//                       differences of values
//   vjp                 one evaluation and one reverse sweep of K rows; or from the Jacobian
//   weighted_hessian    one evaluation and two reverse sweeps of nK rows; or from second_directional
//   second_directional  one evaluation and three reverse sweeps of K rows, or four; or differences of Jacobians
// never N reverse sweeps. traits().first and traits().second are kFiniteDifference where differences are used.
// traits().smooth is false where the module has an operation such as ReLU.
//
// Undefined: rows of a batch that influence one another in a way that three random rows do not show.
// Errors: pullback::Error, with the path, for a file that cannot be read, is truncated or damaged, is no TorchScript
// (a pickled state_dict, say), and for a module that takes other arguments, returns anything but a floating-point
// tensor [K, …], is random, mixes the rows of a batch, changes itself, has weights that are NaN or infinite, has
// derivatives that contradict its values (an operation is detached or rounds), or takes points of several numbers of
// coordinates where none is said. Evaluation throws it where LibTorch fails.
// Thread safety: as Generator says.
// Reference: Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 3.
PULLBACK_EXPORT std::shared_ptr<const Generator> read_torchscript(const std::filesystem::path& path,
                                                                  const OpenOptions& options = {});

}  // namespace pullback
