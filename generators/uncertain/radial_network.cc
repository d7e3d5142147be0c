#include "pullback/generators/uncertain/radial_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

using Eigen::Index;

constexpr Index kChunk = 64;  // points at a time, so that their features stay in the cache

void require(bool holds, const std::string& name, const std::string& what) {
  if (!holds) throw std::invalid_argument(fmt::format("radial network '{}': {}", name, what));
}

const RadialBasis& checked(const RadialBasis& basis, const Matrix& weight, const Vector& bias, RadialOutput output,
                           const std::string& name) {
  const auto shape = [](const auto& m) { return fmt::format("{}×{}", m.rows(), m.cols()); };
  require(basis.centres.size() > 0, name, "there must be a centre");
  require(basis.rates.rows() == basis.centres.rows() && basis.rates.cols() == basis.centres.cols(), name,
          fmt::format("rates must be {}, as the centres are, got {}", shape(basis.centres), shape(basis.rates)));
  require(
      weight.rows() > 0 && weight.cols() == basis.centres.cols(), name,
      fmt::format("the weight must have {} columns, one for each centre, got {}", basis.centres.cols(), shape(weight)));
  require(bias.size() == weight.rows(), name,
          fmt::format("the bias must have {} elements, one for each row of the weight, got {}", weight.rows(),
                      bias.size()));
  require(basis.centres.allFinite() && basis.rates.allFinite() && weight.allFinite() && bias.allFinite(), name,
          "centres, rates, weight and bias must be finite, found a NaN or an infinity");
  require((basis.rates.array() > 0).all(), name,
          fmt::format("rates must be positive, found {}", basis.rates.minCoeff()));
  if (output == RadialOutput::kInverseRoot) {
    require((weight.array() >= 0).all(), name,
            fmt::format("weights of a precision must not be negative, found {}", weight.minCoeff()));
    require((bias.array() > 0).all(), name,
            fmt::format("the floor of a precision must be positive, found {}", bias.minCoeff()));
  }
  return basis;
}

Network product_with(const Matrix& weight) {
  return Network(std::vector<Layer>{{weight, Vector::Zero(weight.rows()), {}}}, "product");
}

// Features and their derivatives at the columns of Z; those that are not wanted are null.
struct Features {
  MatrixRef* values = nullptr;            // φ, K×P
  MatrixRef* gradients = nullptr;         // ∂φ/∂z_i in column nP + i, K×(nP)
  const ConstMatrixRef* along = nullptr;  // v, n×P
  MatrixRef* slopes = nullptr;            // dφ[v], K×P
  MatrixRef* curvatures = nullptr;        // d²φ[v,v], K×P
};

void evaluate(const RadialBasis& basis, const ConstMatrixRef& Z, const Features& out) {
  const Index n = Z.rows();
  const Index K = basis.centres.cols();
  const auto centre = [&](Index i) { return basis.centres.row(i).transpose().array(); };
  const auto rate = [&](Index i) { return basis.rates.row(i).transpose().array(); };
  Eigen::ArrayXd phi(K);
  Eigen::ArrayXd slope(K);
  Eigen::ArrayXd bend(K);
  for (Index p = 0; p < Z.cols(); ++p) {
    phi.setZero();
    for (Index i = 0; i < n; ++i) phi -= rate(i) * (Z(i, p) - centre(i)).square();
    phi = phi.exp();
    if (out.values != nullptr) out.values->col(p) = phi.matrix();
    for (Index i = 0; out.gradients != nullptr && i < n; ++i) {
      out.gradients->col(n * p + i) = (-2 * rate(i) * (Z(i, p) - centre(i)) * phi).matrix();
    }
    if (out.along == nullptr) continue;
    slope.setZero();
    bend.setZero();
    for (Index i = 0; i < n; ++i) {
      const double v = (*out.along)(i, p);
      slope -= 2 * v * rate(i) * (Z(i, p) - centre(i));
      bend -= 2 * v * v * rate(i);
    }
    if (out.slopes != nullptr) out.slopes->col(p) = (slope * phi).matrix();
    if (out.curvatures != nullptr) out.curvatures->col(p) = ((slope.square() + bend) * phi).matrix();
  }
}

// First and second derivative of y^(−1/2) at the column y.
struct InverseRoot {
  explicit InverseRoot(const Eigen::Ref<const Vector>& y) : value(y.array().inverse().sqrt()) {
    first = -0.5 * value.cube();
  }
  Eigen::ArrayXd second() const { return 0.75 * value.square().square() * value; }
  Eigen::ArrayXd value;
  Eigen::ArrayXd first;
};

template <class Step>
void in_chunks(Index points, Step step) {
  for (Index k = 0; k < points; k += kChunk) {
    if (k > 0) throw_if_stopped();
    step(k, std::min(kChunk, points - k));
  }
}

}  // namespace

Matrix radial_features(const RadialBasis& basis, const ConstMatrixRef& Z) {
  if (Z.rows() != basis.centres.rows()) {
    throw std::invalid_argument(
        fmt::format("radial_features: points must have dimension {}, got {}", basis.centres.rows(), Z.rows()));
  }
  Matrix phi(basis.centres.cols(), Z.cols());
  MatrixRef values(phi);
  evaluate(basis, Z, {.values = &values});
  return phi;
}

RadialNetwork::RadialNetwork(RadialBasis basis, Matrix weight, Vector bias, RadialOutput output,
                             const std::string& name)
    : Generator{static_cast<int>(checked(basis, weight, bias, output, name).centres.rows()),
                static_cast<int>(weight.rows()),
                {.name = name}},
      basis_(std::move(basis)),
      weight_(std::move(weight)),
      bias_(std::move(bias)),
      output_(output),
      forward_(product_with(weight_)),
      back_(product_with(weight_.transpose())) {}

void RadialNetwork::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  in_chunks(Z.cols(), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    auto phi = frame.matrix(basis_.centres.cols(), points);
    MatrixRef values(phi);
    evaluate(basis_, Z.middleCols(k, points), {.values = &values});
    auto x = X.middleCols(k, points);
    forward_.value(phi, x, ws);
    x.colwise() += bias_;
    if (output_ == RadialOutput::kInverseRoot) x = x.array().inverse().sqrt().matrix().eval();
  });
}

void RadialNetwork::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  const Index n = latent_dimension();
  in_chunks(Z.cols(), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    auto phi = frame.matrix(basis_.centres.cols(), points);
    auto dphi = frame.matrix(basis_.centres.cols(), n * points);
    MatrixRef values(phi);
    MatrixRef gradients(dphi);
    evaluate(basis_, Z.middleCols(k, points), {.values = &values, .gradients = &gradients});
    auto x = X.middleCols(k, points);
    auto jacobian = J.middleCols(n * k, n * points);
    forward_.value(phi, x, ws);
    forward_.value(dphi, jacobian, ws);
    x.colwise() += bias_;
    if (output_ == RadialOutput::kIdentity) return;
    for (Index p = 0; p < points; ++p) {
      const InverseRoot root(x.col(p));
      x.col(p) = root.value.matrix();
      jacobian.middleCols(n * p, n).array().colwise() *= root.first;
    }
  });
}

void RadialNetwork::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                          Workspace& ws) const {
  const bool root_output = output_ == RadialOutput::kInverseRoot;
  in_chunks(Z.cols(), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    const Index centres = basis_.centres.cols();
    auto phi = frame.matrix(centres, 3 * points);  // values, slopes, curvatures
    MatrixRef values(phi.leftCols(points));
    MatrixRef slopes(phi.middleCols(points, points));
    MatrixRef curvatures(phi.rightCols(points));
    const ConstMatrixRef along(V.middleCols(k, points));
    evaluate(basis_, Z.middleCols(k, points),
             {.values = &values, .along = &along, .slopes = &slopes, .curvatures = &curvatures});
    auto d = D.middleCols(k, points);
    if (!root_output) {
      forward_.value(curvatures, d, ws);
      return;
    }
    auto y = frame.matrix(ambient_dimension(), 3 * points);
    forward_.value(phi, y, ws);
    for (Index p = 0; p < points; ++p) {
      const InverseRoot root(y.col(p) + bias_);
      d.col(p) = (root.first * y.col(2 * points + p).array() + root.second() * y.col(points + p).array().square());
    }
  });
}

void RadialNetwork::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J,
                                    MatrixRef D, Workspace& ws) const {
  const Index n = latent_dimension();
  in_chunks(Z.cols(), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    const Index centres = basis_.centres.cols();
    auto phi = frame.matrix(centres, points);
    auto dphi = frame.matrix(centres, n * points);
    auto d2phi = frame.matrix(centres, points);
    MatrixRef values(phi);
    MatrixRef gradients(dphi);
    MatrixRef curvatures(d2phi);
    const ConstMatrixRef along(V.middleCols(k, points));
    evaluate(basis_, Z.middleCols(k, points),
             {.values = &values, .gradients = &gradients, .along = &along, .curvatures = &curvatures});
    auto x = X.middleCols(k, points);
    auto jacobian = J.middleCols(n * k, n * points);
    auto d = D.middleCols(k, points);
    forward_.value(phi, x, ws);
    forward_.value(dphi, jacobian, ws);
    forward_.value(d2phi, d, ws);
    x.colwise() += bias_;
    if (output_ == RadialOutput::kIdentity) return;
    for (Index p = 0; p < points; ++p) {
      const InverseRoot root(x.col(p));
      auto block = jacobian.middleCols(n * p, n);
      const Eigen::ArrayXd slope = block * V.col(k + p);
      d.col(p) = (root.first * d.col(p).array() + root.second() * slope.square()).matrix().eval();
      block.array().colwise() *= root.first;
      x.col(p) = root.value.matrix();
    }
  });
}

void RadialNetwork::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  const Index n = latent_dimension();
  in_chunks(Z.cols(), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    const Index centres = basis_.centres.cols();
    auto phi = frame.matrix(centres, points);
    auto dphi = frame.matrix(centres, n * points);
    auto weights = frame.matrix(ambient_dimension(), points);
    auto adjoint = frame.matrix(centres, points);
    MatrixRef values(phi);
    MatrixRef gradients(dphi);
    evaluate(basis_, Z.middleCols(k, points), {.values = &values, .gradients = &gradients});
    weights = W.middleCols(k, points);
    if (output_ == RadialOutput::kInverseRoot) {
      auto y = frame.matrix(ambient_dimension(), points);
      forward_.value(phi, y, ws);
      for (Index p = 0; p < points; ++p) weights.col(p).array() *= InverseRoot(y.col(p) + bias_).first;
    }
    back_.value(weights, adjoint, ws);
    for (Index p = 0; p < points; ++p) {
      G.col(k + p).noalias() = dphi.middleCols(n * p, n).transpose() * adjoint.col(p);
    }
  });
}

// Σ_k a_k ∇²φ_k with the adjoint a = Wᵀ(g'(y) ∘ w), and Uᵀ diag(g''(y) ∘ w) U, U = W dφ.
void RadialNetwork::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                        Workspace& ws) const {
  const Index n = latent_dimension();
  H.setZero();
  in_chunks(Z.cols(), [&](Index k, Index points) {
    Workspace::Frame frame(ws);
    const Index centres = basis_.centres.cols();
    auto phi = frame.matrix(centres, points);
    auto dphi = frame.matrix(centres, n * points);
    auto weights = frame.matrix(ambient_dimension(), points);
    auto adjoint = frame.matrix(centres, points);
    MatrixRef values(phi);
    MatrixRef gradients(dphi);
    evaluate(basis_, Z.middleCols(k, points), {.values = &values, .gradients = &gradients});
    weights = W.middleCols(k, points);
    if (output_ == RadialOutput::kInverseRoot) {
      auto y = frame.matrix(ambient_dimension(), points);
      auto U = frame.matrix(ambient_dimension(), n * points);
      forward_.value(phi, y, ws);
      forward_.value(dphi, U, ws);
      for (Index p = 0; p < points; ++p) {
        const InverseRoot root(y.col(p) + bias_);
        const auto block = U.middleCols(n * p, n);
        const Eigen::ArrayXd bend = root.second() * weights.col(p).array();
        H.middleCols(n * (k + p), n).noalias() = block.transpose() * bend.matrix().asDiagonal() * block;
        weights.col(p).array() *= root.first;
      }
    }
    back_.value(weights, adjoint, ws);
    Eigen::ArrayXd share(centres);
    for (Index p = 0; p < points; ++p) {
      share = adjoint.col(p).array() * phi.col(p).array();
      auto hessian = H.middleCols(n * (k + p), n);
      for (Index i = 0; i < n; ++i) {
        const auto rate = basis_.rates.row(i).transpose().array();
        const auto centre = basis_.centres.row(i).transpose().array();
        const Eigen::ArrayXd slope = -2 * rate * (Z(i, k + p) - centre);  // dφ = φ ∘ slope, without dividing by φ
        const Eigen::ArrayXd half = adjoint.col(p).array() * slope;
        for (Index j = 0; j <= i; ++j) hessian(i, j) += (half * dphi.col(n * p + j).array()).sum();
        hessian(i, i) -= 2 * (share * rate).sum();
        for (Index j = 0; j < i; ++j) hessian(j, i) = hessian(i, j);
      }
    }
  });
}

}  // namespace pullback
