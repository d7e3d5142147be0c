#include "tests/hunt/families.h"

namespace pullback::hunt {

std::vector<Family> all_families(const std::string& models) {
  std::vector<Family> out;
  add_flat_families(out);
  add_sphere_families(out);
  add_hyperbolic_families(out);
  add_curved_families(out);
  add_rough_families(out);
  add_network_families(out, models);
  add_callback_families(out);
  return out;
}

Problem make_problem(const Family& family, std::uint64_t seed, std::uint64_t k) {
  Random random(mix(seed, family.name, k));
  return family.make(random);
}

}  // namespace pullback::hunt
