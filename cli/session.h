// What the commands work with: the solvers and generators that are known, and opened spaces.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pullback/generators/generator_registry.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/registry.h"

namespace pullback::cli {

// A manifold as opened by name or file, with the codes of known data (n×K) and their labels where it has any.
struct OpenedSpace {
  std::string name;  // as it was typed
  std::shared_ptr<const Manifold> manifold;
  Matrix codes;
  std::vector<int> labels;
  std::map<std::string, std::string> metadata;

  int dimension() const { return manifold->dimension(); }
};

class Session {
 public:
  // Registers what is built in and then the plugins. Errors: pullback::Error with the path for a plugin that is
  // refused.
  explicit Session(const std::vector<std::string>& plugins);

  const SolverRegistry& solvers() const { return solvers_; }

  // Opens a file, a shipped model, a named surface, or `half-plane`, a metric given directly; any but the last also in
  // an ill-conditioned chart, "NAME@kappa=1e6,chart=rotated,seed=1" (charts.h). LibTorch is loaded when the first
  // TorchScript file is opened.
  // Errors: std::invalid_argument for an unknown name or parameter, pullback::Error for a file.
  OpenedSpace open(const std::string& specification);

  // Everything that open() takes.
  std::vector<GeneratorEntry> list() const;

 private:
  bool reads(const std::string& ending) const;
  void load_torch(const std::string& path);

  SolverRegistry solvers_;
  GeneratorRegistry generators_;
};

}  // namespace pullback::cli
