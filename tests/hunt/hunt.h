// Solving random problems with many solvers, and judging what they claim.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pullback/solvers/registry.h"
#include "tests/hunt/families.h"
#include "tests/hunt/tally.h"

namespace pullback::hunt {

// A chain of solvers, solved on every `every`-th problem of a family.
struct HuntedSolver {
  std::string chain;
  int every = 1;
};

struct HuntOptions {
  std::uint64_t seed = 1;
  long solves = 0;     // 0: no bound
  double seconds = 0;  // 0: no bound
  double time_limit = 10;
  int threads = 0;                       // 0: one for each processor
  std::optional<std::uint64_t> problem;  // this one of every family only
  std::vector<HuntedSolver> solvers;
  std::function<bool()> should_stop;
};

// All solvers that a hunt runs unless it is told which; the slowest on every fourth problem.
std::vector<HuntedSolver> default_solvers();

// Problem k of a family depends on the seed, the family's name and k alone; families take turns by their weights.
Tally run_hunt(const SolverRegistry& registry, const std::vector<Family>& families, const HuntOptions& options);

}  // namespace pullback::hunt
