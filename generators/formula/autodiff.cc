#include "pullback/generators/formula/autodiff.h"

#include <fmt/format.h>

#include <stdexcept>

namespace pullback::internal {

void throw_functor_size(const GeneratorTraits& traits, int expected, Eigen::Index got) {
  throw std::invalid_argument(
      fmt::format("generator '{}': the function must return {} numbers, got {}", traits.name, expected, got));
}

}  // namespace pullback::internal
