// The format in which trained models ship.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pullback/generators/network.h"
#include "pullback/generators/types.h"

namespace pullback {

// A trained model: the decoder Rⁿ → Rᴺ, the encoder back (the mean of the code; null where the model has none), and the
// codes (n×K) and labels (K) of known data, both empty where the file has none.
struct ModelFile {
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
// Errors: pullback::Error with the path and what is wrong: not a safetensors file, another format, layers that are not
// such JSON, a missing tensor, an unknown activation (with the valid ones), shapes that do not fit one another, a
// weight that is NaN or infinite, codes that do not fit the decoder or the labels. Cost: reads the file once.
ModelFile read_model(const std::filesystem::path& path);

}  // namespace pullback
