// The loadable module that teaches the library to read TorchScript.
#include "pullback/generators/torch/torch_generator.h"
#include "pullback/solvers/plugin.h"
#include "pullback/version.h"

namespace {

pullback::OpenedGenerator open_torchscript(const std::filesystem::path& path, const pullback::OpenOptions& options) {
  return {pullback::read_torchscript(path, options), {}, {}, {}};
}

void register_torch(pullback::PluginRegistrar& registrar) {
  registrar.generators.add_sized_reader(".pt", "TorchScript, through LibTorch", open_torchscript,
                                        pullback::DerivativeCheckAt::kBefore);
}

}  // namespace

PULLBACK_PLUGIN("torch", PULLBACK_VERSION, register_torch)
