// The solvers that are known by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/solvers/options.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// One solver as it is registered.
struct SolverEntry {
  std::string name;
  std::string description;  // one line
  std::string reference;    // author, year, DOI
  std::vector<OptionInfo> options;
  std::function<std::unique_ptr<GeodesicSolver>(const OptionValues&)> make;  // empty: unavailable
  std::string unavailable;  // the reason, when `make` is empty
  std::string origin = "built in";  // or the plugin file
};

// A set of solvers. Not a singleton: a program makes one and fills it, see plugins/builtin.h and plugin_loader.h.
//
// Thread safety: const methods are safe from several threads.
class SolverRegistry {
 public:
  // Errors: std::invalid_argument when the name is taken, empty or has one of "+:,=".
  void add(SolverEntry entry);

  // Registers a solver class S with the constructor S(Options).
  template <class Solver, class Options>
  void add(std::string name, std::string description, std::string reference) {
    SolverEntry entry;
    entry.make = [name](const OptionValues& values) {
      return std::make_unique<Solver>(parse_options<Options>(name, values));
    };
    entry.name = std::move(name);
    entry.description = std::move(description);
    entry.reference = std::move(reference);
    entry.options = list_options<Options>();
    add(std::move(entry));
  }

  const std::map<std::string, SolverEntry>& entries() const { return entries_; }

  // Makes a solver from a chain such as "graph:neighbours=10+energy:nodes=64,tolerance=1e-8": each stage starts from the
  // curve of the one before.
  // Errors: std::invalid_argument for an unknown solver, option or value, an unavailable solver, or an empty stage, listing
  // what is valid.
  std::unique_ptr<GeodesicSolver> make(std::string_view chain) const;

 private:
  std::map<std::string, SolverEntry> entries_;
};

}  // namespace pullback
