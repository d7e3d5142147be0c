// Opens spaces by name or file.
#pragma once

#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/solvers/registry.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// What the caller knows of the latent dimension, for generators that take any number of coordinates; 0: nothing.
struct PULLBACK_EXPORT KnownDimension {
  int likely = 0;  // the number of coordinates of the points that are given
  int stated = 0;  // the dimension that it must have
};

class PULLBACK_EXPORT Opener {
 public:
  // Registers what is built in and then the plugins. Errors: pullback::Error with the path for a plugin that is
  // refused.
  explicit Opener(const std::vector<std::string>& plugins);

  const SolverRegistry& solvers() const { return solvers_; }

  // Opens a file, a shipped model, a named surface, or a named metric given directly (`half-plane`); each also with
  // transforms that act on its metric or chart, "NAME@isometric@damp=1e-3" (named_transforms.h). LibTorch is loaded
  // when the first TorchScript file is opened. Errors: std::invalid_argument for an unknown name or parameter and for a
  // dimension that is not the one asked for, pullback::Error for a file.
  OpenedSpace open(const std::string& specification, const KnownDimension& known = {});

  // Everything that open() takes.
  std::vector<GeneratorEntry> list() const;

 private:
  OpenedSpace open_any(const std::string& specification, const KnownDimension& known);
  bool reads(const std::string& ending) const;
  std::string choices_besides() const;
  void load_torch(const std::string& path);

  SolverRegistry solvers_;
  GeneratorRegistry generators_;
};

}  // namespace pullback
