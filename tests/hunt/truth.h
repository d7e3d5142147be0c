// What a problem is, as the judge sees it: the speed of a curve in extended precision.
#pragma once

#include <Eigen/Core>
#include <Eigen/QR>
#include <cmath>
#include <utility>
#include <vector>

#include "tests/hunt/dual.h"

namespace pullback::hunt {

using RealMatrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
using RealVector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

// What the judge must know of a map besides the map.
struct TruthTraits {
  bool smooth = true;
  Real feature = 0;        // latent length of the map's narrowest feature that sampling may miss; 0: none to fear
  Real rounding = 1e-18L;  // relative error of one speed
};

// A metric, by the speed ‖df(z)[v]‖ or √(vᵀM(z)v) of its curves. Thread safety: const.
class Truth {
 public:
  Truth(int dimension, TruthTraits traits) : dimension_(dimension), traits_(traits) {}
  virtual ~Truth() = default;
  Truth(const Truth&) = delete;
  Truth& operator=(const Truth&) = delete;

  int dimension() const { return dimension_; }
  const TruthTraits& traits() const { return traits_; }

  virtual Real speed(const Real* z, const Real* v) const = 0;
  // The speed, with its derivatives by v (p) and by z (q), n each.
  virtual Real slopes(const Real* z, const Real* v, Real* p, Real* q) const = 0;
  // Upper triangular R with RᵀR = M(z).
  virtual RealMatrix factor(const Real* z) const = 0;
  // f(z); false where the metric has no map.
  virtual bool image(const Real* /*z*/, RealVector& /*x*/) const { return false; }

 private:
  int dimension_;
  TruthTraits traits_;
};

// Makes the diagonal of a triangular factor positive.
inline RealMatrix positive_diagonal(RealMatrix R) {
  for (Eigen::Index i = 0; i < R.rows(); ++i) {
    if (R(i, i) < 0) R.row(i) *= -1;
  }
  return R;
}

// From the Jacobian, N×n.
inline RealMatrix factor_of_jacobian(RealMatrix J) {
  const Eigen::Index n = J.cols();
  if (J.rows() < n) J.conservativeResizeLike(RealMatrix::Zero(n, n));
  const Eigen::HouseholderQR<RealMatrix> qr(J);
  RealMatrix R = qr.matrixQR().topRows(n);
  return positive_diagonal(R.triangularView<Eigen::Upper>());
}

// The pullback of a map: `f(const T* z, T* x)` for any scalar T, from Rⁿ to Rᴺ.
template <class F>
class MapTruth final : public Truth {
 public:
  MapTruth(int latent, int ambient, F f, TruthTraits traits)
      : Truth(latent, traits), ambient_(ambient), f_(std::move(f)) {}

  Real speed(const Real* z, const Real* v) const override {
    using T = Dual<Real>;
    thread_local std::vector<T> in;
    thread_local std::vector<T> out;
    in.resize(dimension());
    out.assign(ambient_, T());
    for (int i = 0; i < dimension(); ++i) in[i] = T(z[i], v[i]);
    f_(static_cast<const T*>(in.data()), out.data());
    Real sum = 0;
    for (const T& x : out) sum += x.tangent * x.tangent;
    return std::sqrt(sum);
  }

  Real slopes(const Real* z, const Real* v, Real* p, Real* q) const override {
    using T = Dual<Dual<Real>>;
    thread_local std::vector<T> in;
    thread_local std::vector<T> out;
    in.resize(dimension());
    Real speed = 0;
    for (int k = 0; k < dimension(); ++k) {
      for (int i = 0; i < dimension(); ++i) in[i] = T({z[i], i == k ? 1.0L : 0.0L}, {v[i], 0.0L});
      out.assign(ambient_, T());
      f_(static_cast<const T*>(in.data()), out.data());
      Real square = 0;
      p[k] = q[k] = 0;
      for (const T& x : out) {
        square += x.tangent.value * x.tangent.value;
        p[k] += x.tangent.value * x.value.tangent;
        q[k] += x.tangent.value * x.tangent.tangent;
      }
      speed = std::sqrt(square);
      if (speed > 0) p[k] /= speed, q[k] /= speed;
    }
    return speed;
  }

  RealMatrix factor(const Real* z) const override {
    using T = Dual<Real>;
    std::vector<T> in(dimension());
    std::vector<T> out(ambient_);
    RealMatrix J(ambient_, dimension());
    for (int k = 0; k < dimension(); ++k) {
      for (int i = 0; i < dimension(); ++i) in[i] = T(z[i], i == k ? 1.0L : 0.0L);
      out.assign(ambient_, T());
      f_(static_cast<const T*>(in.data()), out.data());
      for (int m = 0; m < ambient_; ++m) J(m, k) = out[m].tangent;
    }
    return factor_of_jacobian(std::move(J));
  }

  bool image(const Real* z, RealVector& x) const override {
    using T = Dual<Real>;
    std::vector<T> in(dimension());
    std::vector<T> out(ambient_);
    for (int i = 0; i < dimension(); ++i) in[i] = T(z[i], 0.0L);
    f_(static_cast<const T*>(in.data()), out.data());
    x.resize(ambient_);
    for (int m = 0; m < ambient_; ++m) x(m) = out[m].value;
    return true;
  }

 private:
  int ambient_;
  F f_;
};

// A metric given directly: `metric(const T* z, T* M)` fills the symmetric n×n matrix, for any scalar T.
template <class F>
class MetricTruth final : public Truth {
 public:
  MetricTruth(int dimension, F metric, TruthTraits traits) : Truth(dimension, traits), metric_(std::move(metric)) {}

  Real speed(const Real* z, const Real* v) const override {
    const int n = dimension();
    thread_local std::vector<Dual<Real>> M;
    evaluate(z, -1, M);
    Real square = 0;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) square += v[i] * M[i + n * j].value * v[j];
    }
    return std::sqrt(square);
  }

  Real slopes(const Real* z, const Real* v, Real* p, Real* q) const override {
    const int n = dimension();
    thread_local std::vector<Dual<Real>> M;
    Real square = 0;
    for (int k = 0; k < n; ++k) {
      evaluate(z, k, M);
      square = p[k] = q[k] = 0;
      for (int i = 0; i < n; ++i) {
        p[k] += M[k + n * i].value * v[i];
        for (int j = 0; j < n; ++j) {
          square += v[i] * M[i + n * j].value * v[j];
          q[k] += v[i] * M[i + n * j].tangent * v[j] / 2;
        }
      }
    }
    const Real speed = std::sqrt(square);
    for (int k = 0; k < n && speed > 0; ++k) p[k] /= speed, q[k] /= speed;
    return speed;
  }

  RealMatrix factor(const Real* z) const override {
    const int n = dimension();
    std::vector<Dual<Real>> M;
    evaluate(z, -1, M);
    RealMatrix R = RealMatrix::Zero(n, n);  // Cholesky, with 0 for a pivot that is not positive
    for (int i = 0; i < n; ++i) {
      for (int j = i; j < n; ++j) {
        Real s = M[i + n * j].value;
        for (int k = 0; k < i; ++k) s -= R(k, i) * R(k, j);
        if (i == j) {
          R(i, i) = s > 0 ? std::sqrt(s) : 0;
        } else if (R(i, i) > 0) {
          R(i, j) = s / R(i, i);
        }
      }
    }
    return R;
  }

 private:
  void evaluate(const Real* z, int direction, std::vector<Dual<Real>>& M) const {
    using T = Dual<Real>;
    const int n = dimension();
    thread_local std::vector<T> in;
    in.resize(n);
    M.assign(static_cast<std::size_t>(n) * n, T());
    for (int i = 0; i < n; ++i) in[i] = T(z[i], i == direction ? 1.0L : 0.0L);
    metric_(static_cast<const T*>(in.data()), M.data());
  }

  F metric_;
};

}  // namespace pullback::hunt
