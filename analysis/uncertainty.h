// Giving a trained model an uncertainty.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/safetensors.h"
#include "pullback/generators/network/model_file.h"

namespace pullback {

enum class UncertaintyMethod { kRbf, kEnsemble, kGaussianProcess };

struct PULLBACK_EXPORT UncertaintySettings {
  UncertaintyMethod method = UncertaintyMethod::kRbf;
  int centres = 100;  // rbf: of the bumps of the precision
  double width = 1;   // rbf: of a bump, in mean distances of a group's codes from its centre
  double far = 10;    // rbf: the deviation away from the codes, in root mean squares of those at the codes
  int members = 5;    // ensemble
  int inputs = 200;   // gp: codes that it is conditioned on
  double length = 0;  // gp: in standard deviations of the codes; 0: the likeliest
  std::uint64_t seed = 1;
};

// "rbf", "ensemble", "gp". Errors: std::invalid_argument, with the choices, for another name.
PULLBACK_EXPORT UncertaintyMethod parse_uncertainty_method(const std::string& name);
PULLBACK_EXPORT const char* to_string(UncertaintyMethod method);

// Outputs that were observed at codes: codes n×P, outputs N×P.
struct PULLBACK_EXPORT Observations {
  Matrix codes;
  Matrix outputs;
};

// The held-out images of a folder, with the codes that the model's encoder gives them.
// Errors: pullback::Error for a model without an encoder; as read_heldout_images().
PULLBACK_EXPORT Observations observe_images(const std::filesystem::path& path, const ModelFile& model,
                                            const std::filesystem::path& folder);

// The file of that name, or that of a shipped model. Errors: pullback::Error for neither.
PULLBACK_EXPORT std::filesystem::path find_model_file(const std::string& name);

// The content of the file of the model with its uncertainty, and what was fitted to what, for people.
struct PULLBACK_EXPORT FittedModel {
  Safetensors content;
  std::vector<std::string> notes;
};

// Fits to the observations, or without any to what the decoder says of itself at the codes:
//   rbf: residuals are the decoder's own pixel variance p(1 − p) where its outputs are probabilities (sigmoid), else a
//     tenth of the spread of its outputs.
//   ensemble: targets are drawn from p (sigmoid only).
//   gp: outputs are the decoded codes.
// `path` is the file that `model` was read from.
// Errors: std::invalid_argument for settings that do not fit the model; pullback::Error for a model that cannot have an
// uncertainty (one that has codes, and has none yet, can).
PULLBACK_EXPORT FittedModel fit_uncertainty(const std::filesystem::path& path, const ModelFile& model,
                                            const std::optional<Observations>& observed,
                                            const UncertaintySettings& settings);

// The ensemble of decoders from several files with one latent space, of which `path` is the first.
// Errors: pullback::Error for files whose dimensions differ, or that do not hold plain decoders.
PULLBACK_EXPORT FittedModel join_members(const std::filesystem::path& path, const ModelFile& model,
                                         const std::vector<std::filesystem::path>& others);

}  // namespace pullback
