#include "solvers_under_test.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "pullback/plugins/builtin.h"
#include "pullback/solvers/plugin_loader.h"

// See pullback_add_solver_contract_tests (cmake/pullbackContract.cmake).
#ifndef PULLBACK_CONTRACT_PLUGIN
#define PULLBACK_CONTRACT_PLUGIN ""
#endif
#ifndef PULLBACK_CONTRACT_SOLVERS
#define PULLBACK_CONTRACT_SOLVERS ""
#endif

namespace pullback::testing {
namespace {

const std::string kPlugin = PULLBACK_CONTRACT_PLUGIN;

struct Registries {
  Registries() {
    PluginRegistrar registrar{solvers, generators};
    register_builtin_plugins(registrar);
    for (const auto& [name, entry] : solvers.entries()) built_in.push_back(name);
    if (!kPlugin.empty()) load_plugin(kPlugin, registrar);
  }
  SolverRegistry solvers;
  GeneratorRegistry generators;
  std::vector<std::string> built_in;
};

const Registries& registries() {
  static const Registries all;
  return all;
}

}  // namespace

const SolverRegistry& solvers_under_test() { return registries().solvers; }

std::vector<std::string> chains_under_test() {
  std::istringstream listed(PULLBACK_CONTRACT_SOLVERS);
  std::vector<std::string> out;
  for (std::string chain; listed >> chain;) out.push_back(chain);
  if (!out.empty()) return out;
  const std::vector<std::string>& built_in = registries().built_in;
  for (const auto& [name, entry] : registries().solvers.entries()) {
    const bool of_plugin = std::find(built_in.begin(), built_in.end(), name) == built_in.end();
    if (entry.make && of_plugin != kPlugin.empty()) out.push_back(name);
  }
  if (kPlugin.empty()) out.insert(out.end(), {"graph+energy", "graph+shooting", "energy+shooting"});
  return out;
}

std::string test_name(std::string chain) {
  std::replace_if(
      chain.begin(), chain.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return chain;
}

}  // namespace pullback::testing
