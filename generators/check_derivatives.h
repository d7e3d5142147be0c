// Checking a generator's derivatives.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"

namespace pullback {

struct PULLBACK_EXPORT DerivativeCheckOptions {
  // An exact derivative may differ from its reference by this part of the reference's largest component, beyond the
  // uncertainty of the reference itself and the generator's noise. Half of the digits: a mistake in a formula is
  // larger.
  double tolerance = std::sqrt(std::numeric_limits<double>::epsilon());
  // The same for derivatives that the generator's traits call finite differences.
  double difference_tolerance = std::cbrt(std::numeric_limits<double>::epsilon());
  // The longest step, relative to 1 + |z|; 11 more follow, each about half as long as the last.
  double step = 0.1;
  int directions = 2;  // random directions v and weights w at each point
  std::uint64_t seed = 1;
};

enum class DerivativeVerdict {
  kAgrees,
  kUndecided,  // the reference is too uncertain to tell: a kink or a jump, a value that is not finite, or much noise
  kWrong
};

// One quantity, at the point and the component where it is worst.
struct PULLBACK_EXPORT DerivativeCheck {
  std::string
      quantity;  // "value", "jacobian", "second_directional", "vjp", "weighted_hessian", "second_order", "batch"
  DerivativeVerdict verdict = DerivativeVerdict::kAgrees;
  double error = 0;      // |got − expected| relative to the largest component expected
  double tolerance = 0;  // relative likewise, with the uncertainty of what was expected
  double got = 0;
  double expected = 0;
  Eigen::Index point = -1;  // column of Z, −1: nothing compared
  Eigen::Index row = -1;
  Eigen::Index column = -1;  // of the point's own block
};

struct PULLBACK_EXPORT DerivativeReport {
  std::string generator;
  std::vector<DerivativeCheck> checks;
  // The points where f or its Jacobian has a kink or a jump: one-sided differences disagree however short the step.
  std::vector<Eigen::Index> kinks;

  // The worst of all.
  DerivativeVerdict verdict() const;
  // Errors: std::invalid_argument for an unknown quantity, with the known ones.
  const DerivativeCheck& of(const std::string& quantity) const;
  // For people: a line for each quantity.
  std::string summary() const;
};

// Compares what a generator calculates at each of K points with
//
//   jacobian            differences of value, extrapolated to step 0
//   second_directional  differences of J(z + tv)v along random v
//   weighted_hessian    differences of J(z + te_i)ᵀw for random w
//   vjp                 J(z)ᵀw
//   second_order        value, jacobian and second_directional
//   value, batch        value with value_and_jacobian, and every method on all points with the same on one at a time.
//
// Each quantity is judged by those above it in this list. If several are wrong, mend the first one and check again. The
// differences are central, extrapolated from 12 step lengths (Richardson), and their uncertainty is the disagreement of
// neighbouring extrapolations and rounding. Z is n×K, column-major.
//
// Undefined: noise in the generator's values above 1e-4 of their size. Kinks that no step straddles are not noticed.
// Errors: std::invalid_argument if Z does not have n rows or an option is not positive; what the generator throws.
// Cost: for each point 25n values, 25n + 25·directions Jacobians, and a few of everything else.
// Thread safety: as the generator. Reference: Ridders, Advances in Engineering Software 4(2), 1982.
PULLBACK_EXPORT DerivativeReport check_derivatives(const Generator& f, const ConstMatrixRef& Z,
                                                   const DerivativeCheckOptions& options = {});

// The generator itself where its derivatives are right, else one with the same values in which each derivative that is
// wrong is replaced by differences of the one below (CallbackGenerator); its traits() say which.
//
// The Jacobian is compared with differences of values, second derivatives with differences of Jacobians, to a relative
// 1e-6, or to what differences can resolve where that is coarser. Products and second-order passes are compared with
// what they are made of. The points are four of `points` (n×K, K may be 0) and twelve that are drawn, with two
// directions at each. A derivative counts as wrong if it is wrong at any of them. Points where differences cannot
// decide, such as a kink, do not count; if they cannot decide anywhere, the derivative is left as it is.
//
// Errors: std::invalid_argument if there is no generator or `points` has another dimension; what the generator throws.
// Cost: about 600 values and 600 Jacobians, a quarter of that where a Jacobian has more than 1e5 entries.
// Reference: as check_derivatives.
PULLBACK_EXPORT std::shared_ptr<const Generator> with_checked_derivatives(std::shared_ptr<const Generator> f,
                                                                          const Matrix& points);

}  // namespace pullback
