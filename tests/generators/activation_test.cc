#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "network_reference.h"
#include "network_results.h"
#include "pullback/generators/network/network.h"

namespace pullback {
namespace {

using testing::activation_reference;
using testing::ActivationReference;
using testing::all_activations;
using testing::evaluate;
using ::testing::HasSubstr;
using testing::InstructionSet;
using testing::print;
using testing::Real;
using testing::Results;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// An activation is a dozen roundings of half a unit each; the rounding of an exponent counts once for each unit in it.
constexpr double kActivationUnits = 6;

TEST(Activation, AgreesWithTheTextbookFormula) {
  std::vector<double> points;
  for (double x = -30; x <= 30; x += 0.0625) points.push_back(x);
  for (double x = 1e-300; x < 1; x *= 17) points.insert(points.end(), {x, -x});
  points.insert(points.end(), {-300.0, -100.0, 100.0, 300.0});
  const Matrix Z = Eigen::Map<const Matrix>(points.data(), 1, static_cast<Eigen::Index>(points.size()));
  const Matrix ones = Matrix::Ones(1, Z.cols());
  for (const std::string_view isa : available_instruction_sets()) {
    const InstructionSet set{std::string(isa)};
    for (const Activation& activation : all_activations()) {
      const Network f({{Matrix::Ones(1, 1), Vector::Zero(1), activation}});
      const Results got = evaluate(f, Z, ones, ones);
      const Matrix* orders[] = {&got.X, &got.J, &got.D};
      for (Eigen::Index k = 0; k < Z.cols(); ++k) {
        const ActivationReference want = activation_reference(activation, Z(0, k));
        for (int order = 0; order < 3; ++order) {
          // Below the smallest normal number, relative accuracy ends.
          if (want.scale[order] > 0 && want.scale[order] < 1e-300L) continue;
          const Real tolerance = kActivationUnits * kEpsilon * (1 + want.exponent) * want.scale[order];
          ASSERT_LE(std::fabs((*orders[order])(0, k) - want.value[order]), tolerance)
              << print(activation) << ", derivative " << order << " at " << Z(0, k) << ", " << isa;
        }
      }
    }
  }
}

TEST(Activation, TakesTheLeftPieceAtItsKink) {
  const Matrix zero = Matrix::Zero(1, 1), one = Matrix::Ones(1, 1);
  const auto at_zero = [&](const Activation& activation) {
    const Results r = evaluate(Network({{one, Vector::Zero(1), activation}}), zero, one, one);
    return std::vector<double>{r.X(0, 0), r.J(0, 0), r.D(0, 0)};
  };
  EXPECT_THAT(at_zero(parse_activation("relu")), ::testing::ElementsAre(0, 0, 0));
  EXPECT_THAT(at_zero(parse_activation("leaky_relu", 0.25)), ::testing::ElementsAre(0, 0.25, 0));
  EXPECT_THAT(at_zero(parse_activation("elu", 2)), ::testing::ElementsAre(0, 2, 2));
}

TEST(Activation, IsParsedByName) {
  EXPECT_EQ(parse_activation("leaky_relu").parameter, 0.01);
  EXPECT_EQ(parse_activation("softplus", 3).parameter, 3);
  for (const std::string_view name : activation_names()) {
    EXPECT_EQ(activation_name(parse_activation(name).kind), name);
  }
  EXPECT_THAT([] { parse_activation("tahn"); },
              ::testing::ThrowsMessage<std::invalid_argument>(
                  HasSubstr("unknown activation 'tahn'; choices: identity, tanh, sigmoid, relu, leaky_relu")));
  EXPECT_THAT([] { parse_activation("tanh", 1); },
              ::testing::ThrowsMessage<std::invalid_argument>(HasSubstr("'tanh' has no parameter, got 1")));
  EXPECT_THROW(parse_activation("softplus", 0), std::invalid_argument);
  EXPECT_THROW(parse_activation("elu", std::nan("")), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
