// What the program `overrun` solves.
#pragma once

#include <string>
#include <vector>

#include "pullback/generators/generator_registry.h"
#include "pullback/solvers/registry.h"
#include "pullback/solvers/solver.h"

namespace pullback::overrun {

struct Named {
  std::string name;
  GeodesicProblem problem;
  double slowest = 0;  // seconds that one evaluation of one point takes, where that is long
};

// 30 problems in up to 128 dimensions. `models`: the folder of the shipped ones.
std::vector<Named> fast_problems(const GeneratorRegistry& generators);

// 7 that are slow to evaluate: in their values, Jacobians, second derivatives or metric.
std::vector<Named> slow_problems();

}  // namespace pullback::overrun
