// What every generator must do. A test program adds its own generators:
//
//   #include "generator_contract.h"
//   INSTANTIATE_TEST_SUITE_P(Mine, GeneratorContract, testing::Values(GeneratorCase{"name", make, points}), case_name);
//
// and lists generator_contract.cc among its sources.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/generator.h"

namespace pullback {

struct GeneratorCase {
  std::string name;  // letters, digits and _
  std::function<std::shared_ptr<const Generator>()> make;
  Matrix points;  // n×K, K ≥ 2, away from kinks
  DerivativeCheckOptions options;
};

inline void PrintTo(const GeneratorCase& c, std::ostream* os) { *os << c.name; }
inline std::string case_name(const testing::TestParamInfo<GeneratorCase>& info) { return info.param.name; }

// Uniform points in [lower, upper]ⁿ; the same for the same arguments.
Matrix scattered_points(int dimension, int count, double lower = -1.3, double upper = 1.3);

class GeneratorContract : public testing::TestWithParam<GeneratorCase> {
 protected:
  const std::shared_ptr<const Generator> generator_ = GetParam().make();
  const Generator& f() const { return *generator_; }
  const Matrix& points() const { return GetParam().points; }
  Eigen::Index n() const { return f().latent_dimension(); }
  Eigen::Index N() const { return f().ambient_dimension(); }
};

}  // namespace pullback
