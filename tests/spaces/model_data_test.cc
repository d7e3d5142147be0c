#include "pullback/spaces/model_data.h"

#include <gtest/gtest.h>

#include <cmath>

#include "pullback/base/error.h"
#include "tests/spaces/exponential_space.h"

namespace pullback {
namespace {

using pullback::testing::normal_codes;

TEST(ModelDataTest, TheBlurIsWhatTheCodesLack) {
  const Matrix codes = normal_codes(0.01);
  EXPECT_EQ(posterior_blur("m", codes, {}).cols(), 0);
  const Vector stated = posterior_blur("m", codes, {{"code_deviation", "[2, 2, 1]"}}).diagonal();
  const Vector variance = (codes.colwise() - codes.rowwise().mean()).array().square().rowwise().mean();
  for (int j = 0; j < 3; ++j) EXPECT_NEAR(stated(j), std::sqrt((j < 2 ? 4 : 1) - variance(j)), 1e-12);
  // A VAE's coordinate whose codes hardly spread is its prior's.
  const Vector guessed = posterior_blur("m", codes, {{"kind", "vae"}}).diagonal();
  EXPECT_EQ(guessed(0), 0);
  EXPECT_NEAR(guessed(2), std::sqrt(1 - variance(2)), 1e-12);
  for (const char* wrong : {"[1, 2]", "[1, 2, 0]", "[1, 2, \"a\"]", "1", "[1, 2"}) {
    EXPECT_THROW(posterior_blur("m", codes, {{"code_deviation", wrong}}), Error) << wrong;
  }
}

}  // namespace
}  // namespace pullback
