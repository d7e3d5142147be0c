// A second implementation of networks for the tests: plain loops in long double, the textbook formula of every
// activation, and the full Hessian of every output.
#pragma once

#include <cmath>
#include <vector>

#include "pullback/generators/network/network.h"

namespace pullback::testing {

using Real = long double;

// σ, σ', σ'' at x; `scale` holds the sizes of the terms that they are summed from, what rounding is relative to, and
// `exponent` the size of the number whose exponential they are made of: its rounding error counts in full.
struct ActivationReference {
  Real value[3];
  Real scale[3];
  Real exponent;
};

inline ActivationReference plain(Real f, Real d1, Real d2, Real exponent = 0) {
  return {{f, d1, d2}, {std::fabs(f), std::fabs(d1), std::fabs(d2)}, exponent};
}

// x·s(w), s the logistic function; w and its derivatives are given.
inline ActivationReference times_logistic(Real x, Real w, Real w1, Real w2) {
  const Real s = 1 / (1 + std::exp(-w));
  const Real s1 = 1 / (4 * std::cosh(w / 2) * std::cosh(w / 2));
  const Real s2 = -s1 * std::tanh(w / 2);
  const Real terms[] = {x * s, s, x * s1 * w1, 2 * s1 * w1, x * s2 * w1 * w1, x * s1 * w2};
  return {{terms[0], terms[1] + terms[2], terms[3] + terms[4] + terms[5]},
          {std::fabs(terms[0]), std::fabs(terms[1]) + std::fabs(terms[2]),
           std::fabs(terms[3]) + std::fabs(terms[4]) + std::fabs(terms[5])},
          std::fabs(w)};
}

inline ActivationReference gelu_reference(Real x) {
  const Real distribution = std::erfc(-x / std::sqrt(Real{2})) / 2;
  const Real density = std::exp(-x * x / 2) / std::sqrt(2 * std::acos(Real{-1}));
  return {{x * distribution, distribution + x * density, density * (2 - x * x)},
          {std::fabs(x * distribution), distribution + std::fabs(x * density), density * (2 + x * x)},
          x * x};
}

inline ActivationReference activation_reference(const Activation& activation, Real x) {
  const Real p = activation.parameter;
  switch (activation.kind) {
    case ActivationKind::kIdentity:
      return plain(x, 1, 0);
    case ActivationKind::kTanh: {
      const Real d = 1 / (std::cosh(x) * std::cosh(x));
      return plain(std::tanh(x), d, -2 * std::tanh(x) * d);
    }
    case ActivationKind::kSigmoid: {
      const Real d = 1 / (4 * std::cosh(x / 2) * std::cosh(x / 2));
      return plain(1 / (1 + std::exp(-x)), d, -d * std::tanh(x / 2));
    }
    case ActivationKind::kRelu:
      return plain(x > 0 ? x : 0, x > 0 ? 1 : 0, 0);
    case ActivationKind::kLeakyRelu:
      return plain(x > 0 ? x : p * x, x > 0 ? 1 : p, 0);
    case ActivationKind::kElu:
      if (x > 0) return plain(x, 1, 0);
      return plain(p * std::expm1(x), p * std::exp(x), p * std::exp(x));
    case ActivationKind::kSoftplus: {
      const Real y = p * x;
      const Real d2 = p / (4 * std::cosh(y / 2) * std::cosh(y / 2));
      return plain((y > 0 ? y + std::log1p(std::exp(-y)) : std::log1p(std::exp(y))) / p, 1 / (1 + std::exp(-y)), d2,
                   std::fabs(y));
    }
    case ActivationKind::kSilu:
      return times_logistic(x, x, 1, 0);
    case ActivationKind::kGelu:
      return gelu_reference(x);
    case ActivationKind::kGeluTanh: {
      const Real scale = 2 * std::sqrt(2 / std::acos(Real{-1}));
      const Real c = 0.044715L;
      return times_logistic(x, scale * (x + c * x * x * x), scale * (1 + 3 * c * x * x), scale * 6 * c * x);
    }
  }
  return {};
}

// f, J and the Hessian of every output at one point.
struct NetworkReference {
  std::vector<Real> value;                              // [m]
  std::vector<std::vector<Real>> jacobian;              // [m][i]
  std::vector<std::vector<std::vector<Real>>> hessian;  // [m][i][j]
};

inline NetworkReference apply_layer(const Layer& layer, const NetworkReference& x, std::size_t n) {
  NetworkReference out;
  for (Eigen::Index r = 0; r < layer.weight.rows(); ++r) {
    Real a = layer.bias(r);
    std::vector<Real> u(n, 0);
    std::vector<std::vector<Real>> h(n, std::vector<Real>(n, 0));
    for (std::size_t c = 0; c < x.value.size(); ++c) {
      const Real w = layer.weight(r, static_cast<Eigen::Index>(c));
      a += w * x.value[c];
      for (std::size_t i = 0; i < n; ++i) {
        u[i] += w * x.jacobian[c][i];
        for (std::size_t j = 0; j < n; ++j) h[i][j] += w * x.hessian[c][i][j];
      }
    }
    const ActivationReference s = activation_reference(layer.activation, a);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) h[i][j] = s.value[2] * u[i] * u[j] + s.value[1] * h[i][j];
    }
    for (Real& element : u) element *= s.value[1];
    out.value.push_back(s.value[0]);
    out.jacobian.push_back(std::move(u));
    out.hessian.push_back(std::move(h));
  }
  return out;
}

inline NetworkReference network_reference(const std::vector<Layer>& layers, const Vector& z) {
  const auto n = static_cast<std::size_t>(z.size());
  NetworkReference x;
  x.value.assign(z.data(), z.data() + n);
  x.jacobian.assign(n, std::vector<Real>(n, 0));
  for (std::size_t i = 0; i < n; ++i) x.jacobian[i][i] = 1;
  x.hessian.assign(n, std::vector<std::vector<Real>>(n, std::vector<Real>(n, 0)));
  for (const Layer& layer : layers) x = apply_layer(layer, x, n);
  return x;
}

}  // namespace pullback::testing
