#include "pullback/generators/formula/callback.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/generators/adaptive_difference.h"

namespace pullback {
namespace {

using Eigen::Index;

GeneratorTraits with_derivatives_of(const Callbacks& callbacks, GeneratorTraits traits) {
  traits.first = callbacks.jacobian ? Derivative::kExact : Derivative::kFiniteDifference;
  traits.second = callbacks.second_directional ? Derivative::kExact : Derivative::kFiniteDifference;
  traits.cheap_products = false;
  return traits;
}

void store(const GeneratorTraits& traits, const char* function, const Matrix& result, MatrixRef out) {
  if (result.rows() != out.rows() || result.cols() != out.cols()) {
    throw std::invalid_argument(fmt::format("generator '{}': the {} function must return {}×{}, got {}×{}", traits.name,
                                            function, out.rows(), out.cols(), result.rows(), result.cols()));
  }
  out = result;
}

}  // namespace

CallbackGenerator::CallbackGenerator(int latent_dimension, int ambient_dimension, Callbacks callbacks,
                                     GeneratorTraits traits)
    : Generator(latent_dimension, ambient_dimension, with_derivatives_of(callbacks, std::move(traits))),
      callbacks_(std::move(callbacks)) {
  if (!callbacks_.value) {
    throw std::invalid_argument(
        fmt::format("generator '{}': the value function is required, got none", this->traits().name));
  }
}

void CallbackGenerator::values(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  for (Workspace::Parts parts(ws, Workspace::Kind::kValue, this, Z.cols(), Workspace::Parts::Split::kAlways);
       parts.next();) {
    store(traits(), "value", callbacks_.value(Z.middleCols(parts.first(), parts.size())),
          X.middleCols(parts.first(), parts.size()));
  }
}

void CallbackGenerator::jacobians(const ConstMatrixRef& Z, MatrixRef J, Workspace& ws) const {
  const Index n = latent_dimension();
  for (Workspace::Parts parts(ws, Workspace::Kind::kJacobian, this, Z.cols(), Workspace::Parts::Split::kAlways);
       parts.next();) {
    store(traits(), "jacobian", callbacks_.jacobian(Z.middleCols(parts.first(), parts.size())),
          J.middleCols(n * parts.first(), n * parts.size()));
  }
}

void CallbackGenerator::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const { values(Z, X, ws); }

void CallbackGenerator::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  values(Z, X, ws);
  if (callbacks_.jacobian) {
    jacobians(Z, J, ws);
  } else {
    difference_jacobian(Z, J, ws);
  }
}

void CallbackGenerator::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                              Workspace& ws) const {
  if (callbacks_.second_directional) {
    for (Workspace::Parts parts(ws, Workspace::Kind::kSecondDirectional, this, Z.cols(),
                                Workspace::Parts::Split::kAlways);
         parts.next();) {
      const auto part = [&](const auto& matrix) { return matrix.middleCols(parts.first(), parts.size()); };
      store(traits(), "second_directional", callbacks_.second_directional(part(Z), part(V)),
            D.middleCols(parts.first(), parts.size()));
    }
  } else if (callbacks_.jacobian) {
    Generator::do_second_directional(Z, V, D, ws);
  } else {
    difference_second(Z, V, D, ws);
  }
}

void CallbackGenerator::difference_jacobian(const ConstMatrixRef& Z, MatrixRef J, Workspace& ws) const {
  const Index n = latent_dimension();
  Workspace::Frame frame(ws);
  auto points = frame.matrix(n, J.cols());
  auto units = frame.matrix(n, J.cols());
  for (Index c = 0; c < J.cols(); ++c) {
    points.col(c) = Z.col(c / n);
    units.col(c) = Vector::Unit(n, c % n);
  }
  difference_values(points, units, internal::DifferenceOrder::kFirst, 0, J, ws);
}

void CallbackGenerator::difference_second(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                          Workspace& ws) const {
  difference_values(Z, V, internal::DifferenceOrder::kSecond, internal::kNegligibleCurvatureOfValues, D, ws);
}

void CallbackGenerator::difference_values(const ConstMatrixRef& Z, const ConstMatrixRef& V,
                                          internal::DifferenceOrder order, double negligible, MatrixRef D,
                                          Workspace& ws) const {
  const auto values = [&](const ConstMatrixRef& points, const std::vector<Index>&, MatrixRef X) {
    do_value(points, X, ws);
  };
  internal::adaptive_difference(values, Z, V, {order, traits().noise, traits().smooth, negligible}, D, ws);
}

}  // namespace pullback
