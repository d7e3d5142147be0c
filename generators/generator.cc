#include "pullback/generators/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/base/stop.h"
#include "pullback/generators/adaptive_difference.h"

namespace pullback {
namespace {

void require_shape(const char* method, const char* argument, Eigen::Index rows, Eigen::Index cols,
                   Eigen::Index want_rows, Eigen::Index want_cols) {
  if (rows == want_rows && cols == want_cols) return;
  throw std::invalid_argument(
      fmt::format("Generator::{}: {} must be {}×{}, got {}×{}", method, argument, want_rows, want_cols, rows, cols));
}

// The columns of the points of a part, `width` for each.
auto columns(const ConstMatrixRef& matrix, const Workspace::Parts& parts, Eigen::Index width = 1) {
  return matrix.middleCols(width * parts.first(), width * parts.size());
}
auto columns(MatrixRef& matrix, const Workspace::Parts& parts, Eigen::Index width = 1) {
  return matrix.middleCols(width * parts.first(), width * parts.size());
}

}  // namespace

Generator::Generator(int latent_dimension, int ambient_dimension, GeneratorTraits traits)
    : latent_(latent_dimension), ambient_(ambient_dimension), traits_(std::move(traits)) {
  if (latent_ < 1 || ambient_ < 1) {
    throw std::invalid_argument(
        fmt::format("generator '{}': latent and ambient dimension must be at least 1, got {} and {}", traits_.name,
                    latent_, ambient_));
  }
}

Workspace::Parts Generator::parts_of(Workspace::Kind kind, const ConstMatrixRef& Z, Workspace& ws) const {
  const auto split = asks_to_stop() ? Workspace::Parts::Split::kNever : Workspace::Parts::Split::kOutermost;
  return {ws, kind, this, Z.cols(), split};
}

void Generator::value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  require_shape("value", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("value", "X", X.rows(), X.cols(), ambient_, Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kValue, Z, ws); parts.next();) {
    do_value(columns(Z, parts), columns(X, parts), ws);
  }
}

void Generator::value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  require_shape("value_and_jacobian", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("value_and_jacobian", "X", X.rows(), X.cols(), ambient_, Z.cols());
  require_shape("value_and_jacobian", "J", J.rows(), J.cols(), ambient_, latent_ * Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kJacobian, Z, ws); parts.next();) {
    do_value_and_jacobian(columns(Z, parts), columns(X, parts), columns(J, parts, latent_), ws);
  }
}

void Generator::second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D, Workspace& ws) const {
  require_shape("second_directional", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("second_directional", "V", V.rows(), V.cols(), latent_, Z.cols());
  require_shape("second_directional", "D", D.rows(), D.cols(), ambient_, Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kSecondDirectional, Z, ws); parts.next();) {
    do_second_directional(columns(Z, parts), columns(V, parts), columns(D, parts), ws);
  }
}

void Generator::vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  require_shape("vjp", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("vjp", "W", W.rows(), W.cols(), ambient_, Z.cols());
  require_shape("vjp", "G", G.rows(), G.cols(), latent_, Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kProduct, Z, ws); parts.next();) {
    do_vjp(columns(Z, parts), columns(W, parts), columns(G, parts), ws);
  }
}

void Generator::weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const {
  require_shape("weighted_hessian", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("weighted_hessian", "W", W.rows(), W.cols(), ambient_, Z.cols());
  require_shape("weighted_hessian", "H", H.rows(), H.cols(), latent_, latent_ * Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kHessian, Z, ws); parts.next();) {
    do_weighted_hessian(columns(Z, parts), columns(W, parts), columns(H, parts, latent_), ws);
  }
}

void Generator::jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T, Workspace& ws) const {
  require_shape("jvp", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("jvp", "V", V.rows(), V.cols(), latent_, Z.cols());
  require_shape("jvp", "X", X.rows(), X.cols(), ambient_, Z.cols());
  require_shape("jvp", "T", T.rows(), T.cols(), ambient_, Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kProduct, Z, ws); parts.next();) {
    do_jvp(columns(Z, parts), columns(V, parts), columns(X, parts), columns(T, parts), ws);
  }
}

void Generator::hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  require_shape("hessian_product", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("hessian_product", "W", W.rows(), W.cols(), ambient_, Z.cols());
  require_shape("hessian_product", "V", V.rows(), V.cols(), latent_, Z.cols());
  require_shape("hessian_product", "U", U.rows(), U.cols(), ambient_, Z.cols());
  require_shape("hessian_product", "P", P.rows(), P.cols(), latent_, Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kProduct, Z, ws); parts.next();) {
    do_hessian_product(columns(Z, parts), columns(W, parts), columns(V, parts), columns(U, parts), columns(P, parts),
                       ws);
  }
}

void Generator::second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                             Workspace& ws) const {
  require_shape("second_order", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("second_order", "V", V.rows(), V.cols(), latent_, Z.cols());
  require_shape("second_order", "X", X.rows(), X.cols(), ambient_, Z.cols());
  require_shape("second_order", "J", J.rows(), J.cols(), ambient_, latent_ * Z.cols());
  require_shape("second_order", "D", D.rows(), D.cols(), ambient_, Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kSecondOrder, Z, ws); parts.next();) {
    do_second_order(columns(Z, parts), columns(V, parts), columns(X, parts), columns(J, parts, latent_),
                    columns(D, parts), ws);
  }
}

void Generator::record(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, MatrixRef record, Workspace& ws) const {
  require_shape("record", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("record", "X", X.rows(), X.cols(), ambient_, Z.cols());
  require_shape("record", "J", J.rows(), J.cols(), ambient_, latent_ * Z.cols());
  require_shape("record", "the record", record.rows(), record.cols(), record_size(), Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kJacobian, Z, ws); parts.next();) {
    do_record(columns(Z, parts), columns(X, parts), columns(J, parts, latent_), columns(record, parts), ws);
  }
}

void Generator::recorded_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& record, const ConstMatrixRef& W,
                                 MatrixRef H, Workspace& ws) const {
  require_shape("recorded_hessian", "Z", Z.rows(), Z.cols(), latent_, Z.cols());
  require_shape("recorded_hessian", "the record", record.rows(), record.cols(), record_size(), Z.cols());
  require_shape("recorded_hessian", "W", W.rows(), W.cols(), ambient_, Z.cols());
  require_shape("recorded_hessian", "H", H.rows(), H.cols(), latent_, latent_ * Z.cols());
  for (Workspace::Parts parts = parts_of(Workspace::Kind::kHessian, Z, ws); parts.next();) {
    do_recorded_hessian(columns(Z, parts), columns(record, parts), columns(W, parts), columns(H, parts, latent_), ws);
  }
}

Matrix Generator::value(const ConstMatrixRef& Z) const {
  Workspace ws;
  Matrix X(ambient_, Z.cols());
  value(Z, X, ws);
  return X;
}

Matrix Generator::jacobian(const ConstMatrixRef& Z) const {
  Workspace ws;
  Matrix X(ambient_, Z.cols());
  Matrix J(ambient_, latent_ * Z.cols());
  value_and_jacobian(Z, X, J, ws);
  return J;
}

// Differences of J(z + tv)v, which is the derivative of f(z + tv).
void Generator::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                      Workspace& ws) const {
  constexpr Eigen::Index kPointsAtOnce = 64;
  const auto slopes = [&](const ConstMatrixRef& points, const std::vector<Eigen::Index>& owners, MatrixRef out) {
    Workspace::Frame frame(ws);
    const Eigen::Index most = std::min(kPointsAtOnce, points.cols());
    auto X = frame.matrix(ambient_, most);
    auto J = frame.matrix(ambient_, latent_ * most);
    for (Eigen::Index k = 0; k < points.cols(); k += most) {
      throw_if_stopped();
      const Eigen::Index count = std::min(most, points.cols() - k);
      do_value_and_jacobian(points.middleCols(k, count), X.leftCols(count), J.leftCols(latent_ * count), ws);
      for (Eigen::Index i = 0; i < count; ++i) {
        const Eigen::Index owner = owners[static_cast<std::size_t>(k + i)];
        out.col(k + i).noalias() = J.middleCols(latent_ * i, latent_) * V.col(owner);
      }
    }
  };
  const internal::DifferenceOptions options{internal::DifferenceOrder::kFirst, traits_.noise, traits_.smooth,
                                            internal::kNegligibleCurvature};
  internal::adaptive_difference(slopes, Z, V, options, D, ws);
}

void Generator::do_record(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, MatrixRef /*record*/,
                          Workspace& ws) const {
  do_value_and_jacobian(Z, X, J, ws);
}

void Generator::do_recorded_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& /*record*/, const ConstMatrixRef& W,
                                    MatrixRef H, Workspace& ws) const {
  do_weighted_hessian(Z, W, H, ws);
}

void Generator::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto X = frame.matrix(ambient_, Z.cols());
  auto J = frame.matrix(ambient_, latent_ * Z.cols());
  do_value_and_jacobian(Z, X, J, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    G.col(k).noalias() = J.middleCols(latent_ * k, latent_).transpose() * W.col(k);
  }
}

void Generator::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T,
                       Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto J = frame.matrix(ambient_, latent_ * Z.cols());
  do_value_and_jacobian(Z, X, J, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) T.col(k).noalias() = J.middleCols(latent_ * k, latent_) * V.col(k);
}

void Generator::do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                   const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto H = frame.matrix(latent_, latent_ * Z.cols());
  do_vjp(Z, U, P, ws);
  do_weighted_hessian(Z, W, H, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) P.col(k).noalias() += H.middleCols(latent_ * k, latent_) * V.col(k);
}

// Polarisation: h(v) = wᵀd²f[v,v] is a quadratic form, H_ii = h(e_i), H_ij = ½(h(e_i+e_j) − h(e_i) − h(e_j)).
void Generator::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                    Workspace& ws) const {
  const Eigen::Index points = Z.cols();
  Workspace::Frame frame(ws);
  auto V = frame.matrix(latent_, points);
  auto D = frame.matrix(ambient_, points);
  auto h = [&](int i, int j, Eigen::Index k) -> double& { return H(i, latent_ * k + j); };
  for (int i = 0; i < latent_; ++i) {
    V.setZero();
    V.row(i).setOnes();
    throw_if_stopped();
    do_second_directional(Z, V, D, ws);
    for (Eigen::Index k = 0; k < points; ++k) h(i, i, k) = W.col(k).dot(D.col(k));
  }
  for (int i = 0; i < latent_; ++i) {
    for (int j = 0; j < i; ++j) {
      V.setZero();
      V.row(i).setOnes();
      V.row(j).setOnes();
      throw_if_stopped();
      do_second_directional(Z, V, D, ws);
      for (Eigen::Index k = 0; k < points; ++k) {
        h(i, j, k) = h(j, i, k) = 0.5 * (W.col(k).dot(D.col(k)) - h(i, i, k) - h(j, j, k));
      }
    }
  }
}

void Generator::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                                Workspace& ws) const {
  do_value_and_jacobian(Z, X, J, ws);
  do_second_directional(Z, V, D, ws);
}

}  // namespace pullback
