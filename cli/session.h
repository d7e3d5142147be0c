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

// One step of a decorated space, with what it changed over a set of points (decorators.h).
struct AppliedStep {
  std::string text;                       // "floor=0.05"
  std::string where;                      // "the codes"
  int points = 0;                         // at which both metrics are finite
  double touched = 0;                     // share of them where some length changed by over 1 %
  double least_factor = 1;                // by which lengths changed; a chart changes none
  double largest_factor = 1;              // infinite where what had no length has one now
  std::vector<double> kappa_before = {};  // 5 %, median, 95 %
  std::vector<double> kappa_after = {};
  Matrix chart = {};      // A of z = Aw, for a chart
  Vector deviation = {};  // of the Gaussian in each coordinate, for smooth
  double raised_to = 0;   // singular value, for floor
};

// What a space was before its steps, and the way back: z = chart · w.
struct Decoration {
  std::vector<AppliedStep> steps = {};  // none: the space is as it was opened
  std::shared_ptr<const Manifold> plain = nullptr;
  Matrix chart = {};
};

// A manifold as opened by name or file, with the codes of known data (n×K) and their labels where it has any. `blur` is
// what the data are besides their codes: posterior_blur() in model_data.h, carried along by charts.
struct OpenedSpace {
  std::string name;  // as it was typed
  std::shared_ptr<const Manifold> manifold;
  Matrix codes;
  std::vector<int> labels;
  std::map<std::string, std::string> metadata;
  Decoration decoration = {};
  Matrix blur = {};

  int dimension() const { return manifold->dimension(); }
};

// What the command line tells of the latent dimension, 0 where it does not.
struct KnownDimension {
  int likely = 0;  // the number of coordinates of the points that are given
  int stated = 0;  // --dimension
};

// The command line's word: the coordinates of a point as it was typed, or else the columns of a table (a row of which
// holds `points_per_row` points), or else `dimension`. Nothing is checked here: whoever reads the points does that.
KnownDimension known_dimension(const std::string& point, const std::string& table, int points_per_row, int dimension);

class Session {
 public:
  // Registers what is built in and then the plugins. Errors: pullback::Error with the path for a plugin that is
  // refused.
  explicit Session(const std::vector<std::string>& plugins);

  const SolverRegistry& solvers() const { return solvers_; }

  // Opens a file, a shipped model, a named surface, or a named metric given directly (`half-plane`); each also with
  // steps that act on its metric or chart, "NAME@isometric@damp=1e-3" (decorators.h). LibTorch is loaded when the first
  // TorchScript file is opened. Errors: std::invalid_argument for an unknown name or parameter and for a dimension that
  // is not the one asked for, pullback::Error for a file.
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

}  // namespace pullback::cli
