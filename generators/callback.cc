#include "pullback/generators/callback.h"

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <utility>

namespace pullback {
namespace {

using Eigen::Index;

// Steps that balance the truncation of a fourth-order formula against rounding: h⁴ with ε/h, and h⁴ with ε/h².
const double kFirstStep = std::pow(std::numeric_limits<double>::epsilon(), 1.0 / 5);
const double kSecondStep = std::pow(std::numeric_limits<double>::epsilon(), 1.0 / 6);

GeneratorTraits with_derivatives_of(const Callbacks& callbacks, GeneratorTraits traits) {
  traits.first = callbacks.jacobian ? Derivative::kExact : Derivative::kFiniteDifference;
  traits.second = callbacks.second_directional ? Derivative::kExact : Derivative::kFiniteDifference;
  return traits;
}

void store(const GeneratorTraits& traits, const char* function, const Matrix& result, MatrixRef out) {
  if (result.rows() != out.rows() || result.cols() != out.cols()) {
    throw std::invalid_argument(fmt::format("generator '{}': the {} function must return {}×{}, got {}×{}", traits.name,
                                            function, out.rows(), out.cols(), result.rows(), result.cols()));
  }
  out = result;
}

// A step near h that z + step − z gives back exactly.
double exact_step(double z, double h) {
  const volatile double moved = z + h;
  return moved - z;
}

// The points z_k + o h_k v_k for every offset o, point by point, with h_k = `relative_step` (1 + |z_k|)/|v_k|.
void shift_along(const ConstMatrixRef& Z, const ConstMatrixRef& V, double relative_step,
                 std::initializer_list<double> offsets, MatrixRef step, MatrixRef shifted) {
  Index column = 0;
  for (Index k = 0; k < Z.cols(); ++k) {
    const double speed = V.col(k).norm();
    step(0, k) = speed == 0 ? 1 : relative_step * (1 + Z.col(k).norm()) / speed;
    for (const double offset : offsets) shifted.col(column++) = Z.col(k) + offset * step(0, k) * V.col(k);
  }
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
    difference_of_jacobians(Z, V, D, ws);
  } else {
    difference_second(Z, V, D, ws);
  }
}

void CallbackGenerator::difference_jacobian(const ConstMatrixRef& Z, MatrixRef J, Workspace& ws) const {
  const Index n = latent_dimension();
  const Index columns = n * Z.cols();
  Workspace::Frame frame(ws);
  auto step = frame.matrix(1, columns);
  auto shifted = frame.matrix(n, 4 * columns);
  auto X = frame.matrix(ambient_dimension(), 4 * columns);
  for (Index k = 0; k < Z.cols(); ++k) {
    for (Index i = 0; i < n; ++i) {
      const Index c = n * k + i;
      const double h = exact_step(Z(i, k), kFirstStep * (1 + std::abs(Z(i, k))));
      step(0, c) = h;
      for (Index s = 0; s < 4; ++s) shifted.col(4 * c + s) = Z.col(k);
      shifted(i, 4 * c) += h;
      shifted(i, 4 * c + 1) -= h;
      shifted(i, 4 * c + 2) += 2 * h;
      shifted(i, 4 * c + 3) -= 2 * h;
    }
  }
  values(shifted, X, ws);
  for (Index c = 0; c < columns; ++c) {
    J.col(c) = (8 * (X.col(4 * c) - X.col(4 * c + 1)) - (X.col(4 * c + 2) - X.col(4 * c + 3))) / (12 * step(0, c));
  }
}

void CallbackGenerator::difference_second(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                          Workspace& ws) const {
  const Index points = Z.cols();
  Workspace::Frame frame(ws);
  auto step = frame.matrix(1, points);
  auto shifted = frame.matrix(latent_dimension(), 5 * points);
  auto X = frame.matrix(ambient_dimension(), 5 * points);
  shift_along(Z, V, kSecondStep, {1, -1, 2, -2, 0}, step, shifted);
  values(shifted, X, ws);
  for (Index k = 0; k < points; ++k) {
    const auto x = X.middleCols(5 * k, 5);
    const double h = step(0, k);
    D.col(k) = (16 * (x.col(0) + x.col(1)) - (x.col(2) + x.col(3)) - 30 * x.col(4)) / (12 * h * h);
  }
}

void CallbackGenerator::difference_of_jacobians(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                                Workspace& ws) const {
  constexpr double kWeights[] = {8, -8, -1, 1};
  const Index n = latent_dimension();
  const Index points = Z.cols();
  Workspace::Frame frame(ws);
  auto step = frame.matrix(1, points);
  auto shifted = frame.matrix(n, 4 * points);
  auto J = frame.matrix(ambient_dimension(), 4 * n * points);
  shift_along(Z, V, kFirstStep, {1, -1, 2, -2}, step, shifted);
  jacobians(shifted, J, ws);
  D.setZero();
  for (Index k = 0; k < points; ++k) {
    for (Index s = 0; s < 4; ++s) {
      const double weight = kWeights[s] / (12 * step(0, k));
      D.col(k).noalias() += weight * (J.middleCols(n * (4 * k + s), n) * V.col(k));
    }
  }
}

}  // namespace pullback
