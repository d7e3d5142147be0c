// The solvers that are known by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/solvers/options.h"
#include "pullback/solvers/solver.h"
#include "pullback/solvers/traits.h"

namespace pullback {

class SolverRegistry;

// What a solver is made from.
struct PULLBACK_EXPORT SolverRecipe {
  const OptionValues& values;
  const SolverRegistry& registry;               // for a solver that chooses among others when it is made
  std::unique_ptr<const GeodesicSolver> inner;  // of a solver wrapper; null for all others
};

// One solver as it is registered.
struct PULLBACK_EXPORT SolverEntry {
  std::string name;
  std::string description;  // one line
  std::string reference;    // author, year, DOI
  SolverTraits traits;
  std::vector<OptionInfo> options;
  std::string inner;  // the chain that a solver wrapper runs by default; empty for all other solvers
  std::function<std::unique_ptr<GeodesicSolver>(SolverRecipe)> make;  // empty: unavailable
  // The same from an options struct, of the type named; empty where there is none.
  std::type_index options_type = typeid(void);
  std::function<std::unique_ptr<GeodesicSolver>(const void* options, std::unique_ptr<const GeodesicSolver> inner)>
      make_typed;
  std::string unavailable;  // the reason, when `make` is empty
  std::string origin;       // "built in" or the plugin file; written by the registry
};

// A set of solvers. Not a singleton: a program makes one and fills it, see plugins/builtin.h and plugin_loader.h.
//
// Thread safety: const methods are safe from several threads.
class PULLBACK_EXPORT SolverRegistry {
 public:
  // A name is a letter followed by letters, digits, '-' and '_'.
  // Errors: std::invalid_argument when the name is malformed or taken, or when the entry has neither `make` nor a
  // reason why it is unavailable.
  void add(SolverEntry entry);

  // Registers a solver class S with the constructor S(Options).
  template <class Solver, class Options>
  void add(std::string name, std::string description, std::string reference, SolverTraits traits = {}) {
    SolverEntry entry = described<Options>(name, std::move(description), std::move(reference), traits);
    entry.make_typed = [](const void* options, std::unique_ptr<const GeodesicSolver> /*inner*/) {
      return std::make_unique<Solver>(*static_cast<const Options*>(options));
    };
    entry.make = [name](const SolverRecipe& recipe) {
      return std::make_unique<Solver>(parse_options<Options>(name, recipe.values));
    };
    add(std::move(entry));
  }

  // Registers a solver wrapper: a class S that runs another solver, with the constructor S(Options,
  // std::unique_ptr<const GeodesicSolver>); `inner` is the chain that it runs unless it is written as "NAME(CHAIN)".
  template <class Solver, class Options>
  void add_wrapper(std::string name, std::string description, std::string reference, std::string inner,
                   SolverTraits traits = {}) {
    SolverEntry entry = described<Options>(name, std::move(description), std::move(reference), traits);
    entry.inner = std::move(inner);
    entry.make_typed = [](const void* options, std::unique_ptr<const GeodesicSolver> made) {
      return std::make_unique<Solver>(*static_cast<const Options*>(options), std::move(made));
    };
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
  // wrapper takes its chain in parentheses after its options: "whitened(georce:nodes=200+shooting)".
  // Errors: std::invalid_argument for an unknown solver, option or value, an unavailable solver, an empty stage, or
  // parentheses that do not match, do not belong or are more than 16 deep, listing what is valid.
  std::unique_ptr<GeodesicSolver> make(std::string_view chain) const;

  // Makes the solver that takes this options struct: solvers.make(NewtonOptions{.nodes = 64}). A solver wrapper is
  // given the chain `inner`, or its default where that is empty.
  // Errors: std::invalid_argument for a value outside of its bounds, or options of no registered solver.
  template <class Options>
  requires requires(Options options, OptionLister lister) { options.visit(lister); }
  std::unique_ptr<GeodesicSolver> make(Options options, std::string_view inner = {}) const {
    OptionChecker checker;
    options.visit(checker);
    return make_from(typeid(Options), &options, inner);
  }

  // What a chain does: its last stage's traits, with the points and second derivatives that any stage uses.
  // Errors: std::invalid_argument for an unknown solver.
  SolverTraits traits(std::string_view chain) const;

 private:
  template <class Options>
  static SolverEntry described(std::string name, std::string description, std::string reference,
                               const SolverTraits& traits) {
    SolverEntry entry;
    entry.traits = traits;
    entry.options_type = typeid(Options);
    entry.name = std::move(name);
    entry.description = std::move(description);
    entry.reference = std::move(reference);
    entry.options = list_options<Options>();
    return entry;
  }
  std::unique_ptr<GeodesicSolver> make_from(std::type_index type, const void* options, std::string_view inner) const;
  const SolverEntry& find(std::string_view name) const;  // one that is available
  std::unique_ptr<GeodesicSolver> make_stage(std::string_view stage) const;

  std::map<std::string, SolverEntry, std::less<>> entries_;
  std::string origin_ = "built in";
};

}  // namespace pullback
