// Random problems, by families.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pullback/solvers/solver.h"
#include "tests/hunt/judge.h"
#include "tests/hunt/random.h"
#include "tests/hunt/truth.h"

namespace pullback::hunt {

// A problem as the solvers see it, and as the judge does.
struct Problem {
  GeodesicProblem geodesic;
  std::shared_ptr<const Truth> truth;
  Known known;
};

struct Family {
  std::string name;
  double weight;  // how often, relative to the others: less where solves are slow
  std::function<Problem(Random&)> make;
};

// All families. `models` is the folder of the trained models; they are left out where it is empty.
std::vector<Family> all_families(const std::string& models);

// Problem k of a family: a function of the seed, the family's name and k alone.
Problem make_problem(const Family& family, std::uint64_t seed, std::uint64_t k);

// The parts of all_families().
void add_flat_families(std::vector<Family>& out);
void add_sphere_families(std::vector<Family>& out);
void add_hyperbolic_families(std::vector<Family>& out);
void add_curved_families(std::vector<Family>& out);
void add_rough_families(std::vector<Family>& out);
void add_network_families(std::vector<Family>& out, const std::string& models);
void add_callback_families(std::vector<Family>& out);

}  // namespace pullback::hunt
