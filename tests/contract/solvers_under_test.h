// Which solvers the contract is held against: the built-in ones, or those of a plugin.
#pragma once

#include <string>
#include <vector>

#include "pullback/solvers/registry.h"

namespace pullback::testing {

// The built-in solvers, and those of the plugin PULLBACK_CONTRACT_PLUGIN if the suite was compiled for one.
const SolverRegistry& solvers_under_test();

// The chains of PULLBACK_CONTRACT_SOLVERS, separated by spaces; empty: every solver of the plugin. Without a plugin
// every available solver, and the chains that the project names.
std::vector<std::string> chains_under_test();

// The chain as a part of a test's name.
std::string test_name(std::string chain);

}  // namespace pullback::testing
