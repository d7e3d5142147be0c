#include "pullback/generators/surfaces/stereographic.h"

namespace pullback {
namespace {

using Eigen::Index;

GeneratorTraits traits_of_sphere() {
  GeneratorTraits traits;
  traits.name = "sphere-stereographic";
  traits.cheap_products = true;
  return traits;
}

// s = 1/(1 + |z|²), with ds = −2 s² z·dz.
double scale_at(const ConstVectorRef& z) { return 1 / (1 + z.squaredNorm()); }

}  // namespace

StereographicSphere::StereographicSphere(int dimension) : Generator(dimension, dimension + 1, traits_of_sphere()) {}

void StereographicSphere::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& /*ws*/) const {
  for (Index k = 0; k < Z.cols(); ++k) {
    const double square = Z.col(k).squaredNorm();
    const double s = 1 / (1 + square);
    X(0, k) = (1 - square) * s;
    X.col(k).tail(Z.rows()) = 2 * s * Z.col(k);
  }
}

void StereographicSphere::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J,
                                                Workspace& ws) const {
  const Index n = Z.rows();
  do_value(Z, X, ws);
  for (Index k = 0; k < Z.cols(); ++k) {
    const auto z = Z.col(k);
    const double s = scale_at(z);
    auto block = J.middleCols(n * k, n);
    block.row(0) = -4 * s * s * z.transpose();
    block.bottomRows(n).noalias() = (-4 * s * s * z) * z.transpose();
    block.bottomRows(n).diagonal().array() += 2 * s;
  }
}

void StereographicSphere::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                                Workspace& /*ws*/) const {
  for (Index k = 0; k < Z.cols(); ++k) {
    const double s = scale_at(Z.col(k));
    const double zv = Z.col(k).dot(V.col(k));
    const double second = 8 * s * s * s * zv * zv - 2 * s * s * V.col(k).squaredNorm();
    D(0, k) = 2 * second;
    D.col(k).tail(Z.rows()) = 2 * second * Z.col(k) - 8 * s * s * zv * V.col(k);
  }
}

void StereographicSphere::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G,
                                 Workspace& /*ws*/) const {
  for (Index k = 0; k < Z.cols(); ++k) {
    const auto w = W.col(k).tail(Z.rows());
    const double s = scale_at(Z.col(k));
    G.col(k) = 2 * s * w - 4 * s * s * (W(0, k) + Z.col(k).dot(w)) * Z.col(k);
  }
}

void StereographicSphere::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                              Workspace& /*ws*/) const {
  const Index n = Z.rows();
  for (Index k = 0; k < Z.cols(); ++k) {
    const auto z = Z.col(k);
    const auto w = W.col(k).tail(n);
    const double s = scale_at(z);
    const double c = W(0, k) + z.dot(w);
    auto block = H.middleCols(n * k, n);
    block.noalias() = (-4 * s * s * w) * z.transpose();
    block += block.transpose().eval();
    block += 16 * s * s * s * c * Matrix(z * z.transpose());  // symmetric to the last bit
    block.diagonal().array() -= 4 * s * s * c;
  }
}

void StereographicSphere::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T,
                                 Workspace& ws) const {
  do_value(Z, X, ws);
  for (Index k = 0; k < Z.cols(); ++k) {
    const double s = scale_at(Z.col(k));
    const double change = -2 * s * s * Z.col(k).dot(V.col(k));
    T(0, k) = 2 * change;
    T.col(k).tail(Z.rows()) = 2 * s * V.col(k) + 2 * change * Z.col(k);
  }
}

// The derivative of Jᵀw = 2sw − 4s²cz, c = w_0 + z·w, along v, and Jᵀu.
void StereographicSphere::do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                             const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  do_vjp(Z, U, P, ws);
  for (Index k = 0; k < Z.cols(); ++k) {
    const auto z = Z.col(k);
    const auto v = V.col(k);
    const auto w = W.col(k).tail(Z.rows());
    const double s = scale_at(z);
    const double change = -2 * s * s * z.dot(v);
    const double c = W(0, k) + z.dot(w);
    P.col(k) += 2 * change * w - (8 * s * change * c + 4 * s * s * v.dot(w)) * z - 4 * s * s * c * v;
  }
}

}  // namespace pullback
