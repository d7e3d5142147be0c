// The solvers that are known by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pullback/solvers/options.h"
#include "pullback/solvers/solver.h"

namespace pullback {

class SolverRegistry;

// What a solver is made from.
struct SolverRecipe {
  const OptionValues& values;
  const SolverRegistry& registry;               // for a solver that chooses among others when it is made
  std::unique_ptr<const GeodesicSolver> inner;  // for a solver that runs another one; null for all others
};

// One solver as it is registered.
struct SolverEntry {
  std::string name;
  std::string description;  // one line
  std::string reference;    // author, year, DOI
  std::vector<OptionInfo> options;
  std::string inner;  // the chain that a solver runs which runs another one, unless a chain says which; empty: none
  std::function<std::unique_ptr<GeodesicSolver>(SolverRecipe)> make;  // empty: unavailable
  std::string unavailable;                                            // the reason, when `make` is empty
  std::string origin;  // "built in" or the plugin file; written by the registry
};

// A set of solvers. Not a singleton: a program makes one and fills it, see plugins/builtin.h and plugin_loader.h.
//
// Thread safety: const methods are safe from several threads.
class SolverRegistry {
 public:
  // A name is a letter followed by letters, digits, '-' and '_'.
  // Errors: std::invalid_argument when the name is malformed or taken, or when the entry has neither `make` nor a
  // reason why it is unavailable.
  void add(SolverEntry entry);

  // Registers a solver class S with the constructor S(Options).
  template <class Solver, class Options>
  void add(std::string name, std::string description, std::string reference) {
    SolverEntry entry = described<Options>(name, std::move(description), std::move(reference));
    entry.make = [name](const SolverRecipe& recipe) {
      return std::make_unique<Solver>(parse_options<Options>(name, recipe.values));
    };
    add(std::move(entry));
  }

  // Registers a solver class S that runs another solver, with the constructor S(Options, std::unique_ptr<const
  // GeodesicSolver>); `inner` is the chain that it runs unless it is written as "NAME(CHAIN)".
  template <class Solver, class Options>
  void add_decorator(std::string name, std::string description, std::string reference, std::string inner) {
    SolverEntry entry = described<Options>(name, std::move(description), std::move(reference));
    entry.inner = std::move(inner);
    entry.make = [name](SolverRecipe recipe) {
      return std::make_unique<Solver>(parse_options<Options>(name, recipe.values), std::move(recipe.inner));
    };
    add(std::move(entry));
  }

  // Registers a solver that cannot be used here, with the reason, so that listings show it.
  void add_unavailable(std::string name, std::string description, std::string reason);

  const std::map<std::string, SolverEntry, std::less<>>& entries() const { return entries_; }

  // What is written as the origin of the solvers added from now on.
  void set_origin(std::string origin) { origin_ = std::move(origin); }
  const std::string& origin() const { return origin_; }

  // Makes a solver from a chain such as "graph:neighbours=10+energy:nodes=64,tolerance=1e-8": each stage starts from
  // the curve of the one before. A '+' before a digit belongs to a number (1e+3), as no name starts with one. A solver
  // that runs another one takes its chain in parentheses after its options: "whitened(georce:nodes=200+shooting)".
  // Errors: std::invalid_argument for an unknown solver, option or value, an unavailable solver, an empty stage, or
  // parentheses that do not match, do not belong or are more than 16 deep, listing what is valid.
  std::unique_ptr<GeodesicSolver> make(std::string_view chain) const;

 private:
  template <class Options>
  static SolverEntry described(std::string name, std::string description, std::string reference) {
    SolverEntry entry;
    entry.name = std::move(name);
    entry.description = std::move(description);
    entry.reference = std::move(reference);
    entry.options = list_options<Options>();
    return entry;
  }
  const SolverEntry& find(std::string_view name) const;  // one that is available
  std::unique_ptr<GeodesicSolver> make_stage(std::string_view stage) const;

  std::map<std::string, SolverEntry, std::less<>> entries_;
  std::string origin_ = "built in";
};

}  // namespace pullback
