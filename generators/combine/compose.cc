#include "pullback/generators/combine/compose.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>
#include <utility>

namespace pullback {
namespace {

using Eigen::Index;

// The arguments of a base class are evaluated in any order, so that each is made from what was checked.
const Generator& checked(const std::shared_ptr<const Generator>& f, const Matrix& A, const Vector& b) {
  if (!f) throw std::invalid_argument("AffineInput: the generator must not be null");
  const int m = f->latent_dimension();
  if (A.rows() != m || A.cols() < 1 || b.size() != m) {
    throw std::invalid_argument(
        fmt::format("AffineInput: '{}' takes {} numbers, so A must be {}×n with n ≥ 1 and b have {} entries, got {}×{} "
                    "and {}",
                    f->traits().name, m, m, m, A.rows(), A.cols(), b.size()));
  }
  return *f;
}

GeneratorTraits traits_of(const Generator& f, std::string name) {
  GeneratorTraits traits = f.traits();
  traits.name = name.empty() ? traits.name + "(Az+b)" : std::move(name);
  return traits;
}

const Generator& checked(const std::shared_ptr<const Generator>& f, double s) {
  if (!f) throw std::invalid_argument("ScaledOutput: the generator must not be null");
  if (!std::isfinite(s)) throw std::invalid_argument(fmt::format("ScaledOutput: the scale must be finite, got {}", s));
  return *f;
}

GeneratorTraits scaled_traits(const Generator& f, double s, std::string name) {
  GeneratorTraits traits = f.traits();
  traits.name = name.empty() ? fmt::format("{:g} {}", s, traits.name) : std::move(name);
  return traits;
}

const Matrix& checked(const Matrix& A) {
  if (A.size() == 0 || !A.allFinite()) {
    throw std::invalid_argument(
        fmt::format("LinearMap: A must be finite with at least one row and column, got {}×{}", A.rows(), A.cols()));
  }
  return A;
}

GeneratorTraits named(std::string name) {
  GeneratorTraits traits;
  traits.name = std::move(name);
  traits.cheap_products = true;
  return traits;
}

// Az + b of every column. Small inner dimension: coefficient by coefficient, which allocates nothing.
template <class Out>
void transform(const Matrix& A, const Vector& b, const ConstMatrixRef& Z, Out& Y) {
  Y.noalias() = A.lazyProduct(Z);
  Y.colwise() += b;
}

// Block k of J becomes block k of `inner` times A.
template <class Inner>
void chain_jacobian(const Inner& inner, const Matrix& A, MatrixRef& J) {
  for (Index k = 0; k < J.cols() / A.cols(); ++k) {
    J.middleCols(k * A.cols(), A.cols()).noalias() = inner.middleCols(k * A.rows(), A.rows()).lazyProduct(A);
  }
}

}  // namespace

AffineInput::AffineInput(std::shared_ptr<const Generator> f, Matrix A, Vector b, std::string name)
    : Generator((checked(f, A, b), static_cast<int>(A.cols())), checked(f, A, b).ambient_dimension(),
                traits_of(checked(f, A, b), std::move(name))),
      f_(std::move(f)),
      A_(std::move(A)),
      b_(std::move(b)) {}

void AffineInput::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(A_.rows(), Z.cols());
  transform(A_, b_, Z, Y);
  f_->value(Y, X, ws);
}

void AffineInput::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(A_.rows(), Z.cols());
  auto inner = frame.matrix(ambient_dimension(), A_.rows() * Z.cols());
  transform(A_, b_, Z, Y);
  f_->value_and_jacobian(Y, X, inner, ws);
  chain_jacobian(inner, A_, J);
}

void AffineInput::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                        Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(A_.rows(), Z.cols());
  auto AV = frame.matrix(A_.rows(), Z.cols());
  transform(A_, b_, Z, Y);
  AV.noalias() = A_.lazyProduct(V);
  f_->second_directional(Y, AV, D, ws);
}

void AffineInput::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(A_.rows(), Z.cols());
  auto inner = frame.matrix(A_.rows(), Z.cols());
  transform(A_, b_, Z, Y);
  f_->vjp(Y, W, inner, ws);
  G.noalias() = A_.transpose().lazyProduct(inner);
}

void AffineInput::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                      Workspace& ws) const {
  const Index m = A_.rows();
  const Index n = A_.cols();
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(m, Z.cols());
  auto inner = frame.matrix(m, m * Z.cols());
  auto right = frame.matrix(m, n);
  transform(A_, b_, Z, Y);
  f_->weighted_hessian(Y, W, inner, ws);
  for (Index k = 0; k < Z.cols(); ++k) {
    right.noalias() = inner.middleCols(m * k, m).lazyProduct(A_);
    auto block = H.middleCols(n * k, n);
    block.noalias() = A_.transpose().lazyProduct(right);
    for (Index i = 0; i < n; ++i) {  // symmetric to the last bit
      for (Index j = 0; j < i; ++j) block(i, j) = block(j, i) = 0.5 * (block(i, j) + block(j, i));
    }
  }
}

void AffineInput::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T,
                         Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(A_.rows(), Z.cols());
  auto AV = frame.matrix(A_.rows(), Z.cols());
  transform(A_, b_, Z, Y);
  AV.noalias() = A_.lazyProduct(V);
  f_->jvp(Y, AV, X, T, ws);
}

void AffineInput::do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                     const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(A_.rows(), Z.cols());
  auto AV = frame.matrix(A_.rows(), Z.cols());
  auto inner = frame.matrix(A_.rows(), Z.cols());
  transform(A_, b_, Z, Y);
  AV.noalias() = A_.lazyProduct(V);
  f_->hessian_product(Y, W, AV, U, inner, ws);
  P.noalias() = A_.transpose().lazyProduct(inner);
}

void AffineInput::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J,
                                  MatrixRef D, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto Y = frame.matrix(A_.rows(), Z.cols());
  auto AV = frame.matrix(A_.rows(), Z.cols());
  auto inner = frame.matrix(ambient_dimension(), A_.rows() * Z.cols());
  transform(A_, b_, Z, Y);
  AV.noalias() = A_.lazyProduct(V);
  f_->second_order(Y, AV, X, inner, D, ws);
  chain_jacobian(inner, A_, J);
}

ScaledOutput::ScaledOutput(std::shared_ptr<const Generator> f, double s, std::string name)
    : Generator(checked(f, s).latent_dimension(), checked(f, s).ambient_dimension(),
                scaled_traits(checked(f, s), s, std::move(name))),
      f_(std::move(f)),
      s_(s) {}

void ScaledOutput::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  f_->value(Z, X, ws);
  X *= s_;
}

void ScaledOutput::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  f_->value_and_jacobian(Z, X, J, ws);
  X *= s_;
  J *= s_;
}

void ScaledOutput::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                         Workspace& ws) const {
  f_->second_directional(Z, V, D, ws);
  D *= s_;
}

void ScaledOutput::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  f_->vjp(Z, W, G, ws);
  G *= s_;
}

void ScaledOutput::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                       Workspace& ws) const {
  f_->weighted_hessian(Z, W, H, ws);
  H *= s_;
}

void ScaledOutput::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T,
                          Workspace& ws) const {
  f_->jvp(Z, V, X, T, ws);
  X *= s_;
  T *= s_;
}

void ScaledOutput::do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                      const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  f_->hessian_product(Z, W, V, U, P, ws);
  P *= s_;
}

void ScaledOutput::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J,
                                   MatrixRef D, Workspace& ws) const {
  f_->second_order(Z, V, X, J, D, ws);
  X *= s_;
  J *= s_;
  D *= s_;
}

LinearMap::LinearMap(Matrix A, std::string name)
    : Generator(static_cast<int>(checked(A).cols()), static_cast<int>(checked(A).rows()), named(std::move(name))),
      A_(std::move(A)) {}

void LinearMap::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& /*ws*/) const {
  X.noalias() = A_.lazyProduct(Z);
}

void LinearMap::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& /*ws*/) const {
  X.noalias() = A_.lazyProduct(Z);
  for (Index k = 0; k < Z.cols(); ++k) J.middleCols(k * A_.cols(), A_.cols()) = A_;
}

void LinearMap::do_second_directional(const ConstMatrixRef& /*Z*/, const ConstMatrixRef& /*V*/, MatrixRef D,
                                      Workspace& /*ws*/) const {
  D.setZero();
}

void LinearMap::do_vjp(const ConstMatrixRef& /*Z*/, const ConstMatrixRef& W, MatrixRef G, Workspace& /*ws*/) const {
  G.noalias() = A_.transpose().lazyProduct(W);
}

void LinearMap::do_weighted_hessian(const ConstMatrixRef& /*Z*/, const ConstMatrixRef& /*W*/, MatrixRef H,
                                    Workspace& /*ws*/) const {
  H.setZero();
}

void LinearMap::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T,
                       Workspace& /*ws*/) const {
  X.noalias() = A_.lazyProduct(Z);
  T.noalias() = A_.lazyProduct(V);
}

void LinearMap::do_hessian_product(const ConstMatrixRef& /*Z*/, const ConstMatrixRef& /*W*/,
                                   const ConstMatrixRef& /*V*/, const ConstMatrixRef& U, MatrixRef P,
                                   Workspace& /*ws*/) const {
  P.noalias() = A_.transpose().lazyProduct(U);
}

}  // namespace pullback
