// The format in which trained models ship.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/safetensors.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"
#include "pullback/generators/network/network.h"

namespace pullback {

// A trained model: the generator that it stands for, the decoder Rⁿ → Rᴺ (the same, unless the model knows its
// uncertainty; null for a Gaussian process), the encoder back (the mean of the code; null where the model has none),
// and the codes (n×K) and labels (K) of known data, both empty where the file has none.
struct PULLBACK_EXPORT ModelFile {
  std::shared_ptr<const Generator> generator;
  std::shared_ptr<const Network> decoder;
  std::shared_ptr<const Network> encoder;
  Matrix codes;
  std::vector<int> labels;
  std::map<std::string, std::string> metadata;
};

// Reads a safetensors file whose metadata say "format": "pullback-model-1" and
//   "decoder": JSON text, the layers in order: [{"weight": TENSOR, "bias": TENSOR, "activation": NAME
//              [, "parameter": NUMBER]}, …], optionally "encoder" of the same form;
//   "name": what people call it; anything else is kept ("kind", "image", "dataset", "command", "seed", …).
// A weight is [out, in], a bias [out]; "codes" [K, n] and "labels" [K] are optional tensors.
//
// With "format": "pullback-uncertainty-1" the model has an uncertainty, which programs that know the first format alone
// must not ignore; "uncertainty" says of which kind:
//   "rbf": the decoder, and tensors of the precision of its outputs (radial_network.h): "uncertainty.centres" [K, n],
//     "uncertainty.rates" [K, n], "uncertainty.weight" [N, K], "uncertainty.floor" [N]; the generator is the stack.
//   "ensemble": "members", JSON text of a list of decoders of the form above; the generator is an Ensemble, the decoder
//     that from which they were made.
//   "gp": tensors "process.inputs" [m, n], "process.outputs" [m, N], "process.offset" [N], "process.lengths" [n],
//     "process.variances" [2], of signal and noise; the generator is a GaussianProcess.
//
// Errors: pullback::Error with the path and what is wrong: not a safetensors file, another format, layers that are not
// such JSON, a missing tensor, an unknown activation (with the valid ones), shapes that do not fit one another, a
// weight that is NaN or infinite, codes that do not fit the decoder or the labels. Cost: reads the file once.
PULLBACK_EXPORT ModelFile read_model(const std::filesystem::path& path);

inline constexpr char kModelFormat[] = "pullback-model-1";
inline constexpr char kUncertaintyFormat[] = "pullback-uncertainty-1";

// Tensors of such a file, in single precision: the columns of M, points, as [cols, rows].
PULLBACK_EXPORT Tensor columns_tensor(const ConstMatrixRef& M);
PULLBACK_EXPORT Tensor rows_tensor(const ConstMatrixRef& M);  // M as [rows, cols]
PULLBACK_EXPORT Tensor vector_tensor(const ConstVectorRef& v);

}  // namespace pullback
