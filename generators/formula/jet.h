// The scalar that make_generator differentiates with.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <compare>

#include "pullback/base/export.h"

namespace pullback {

// A number with its first derivatives along kTangents directions and its second derivative along the first of them
// (forward differentiation of second order, exact to rounding):
//
//   value = u,  tangent[i] = du[v_i],  second = d²u[v_0, v_0].
//
// The elementary functions are in jet_functions.h. Jet<0> is a plain number that offers the same functions, found by
// the same unqualified names, so that a functor behaves alike with and without derivatives: abs(double) without std::
// may be the abs of int, abs(Jet<0>) cannot.
//
// Undefined: derivatives where the function has none. At a kink (abs, max, min) they are those of the piece that the
// value lies in, at 0 of the right-hand piece. Where a derivative of an elementary function is infinite (sqrt at 0) and
// the argument does not move, the product 0·∞ counts as 0, so that sqrt(x² + y²) at 0 has no NaN in its first
// derivatives. A NaN in gives NaN out; max and min pass it on. Cost: (2 + kTangents) doubles; no allocation. Thread
// safety: a value type.
//
// Not boost::math::differentiation::autodiff: there pow(x, 2) at 0 and every NaN-free limit above are NaN, max and min
// are missing, and one tangent per evaluation repeats the sines and exponentials for each latent dimension.
template <int kTangents>
struct Jet {
  double value = 0;
  std::array<double, kTangents> tangent{};
  double second = 0;

  Jet() = default;
  Jet(double constant) : value(constant) {}  // NOLINT(google-explicit-constructor): constants mix with jets

  Jet& operator+=(const Jet& b) { return *this = *this + b; }
  Jet& operator-=(const Jet& b) { return *this = *this - b; }
  Jet& operator*=(const Jet& b) { return *this = *this * b; }
  Jet& operator/=(const Jet& b) { return *this = *this / b; }

  friend Jet operator+(const Jet& a) { return a; }
  friend Jet operator-(const Jet& a) { return a * -1.0; }
  friend Jet operator+(const Jet& a, const Jet& b) { return combine(a.value + b.value, 1, a, 1, b, 0); }
  friend Jet operator-(const Jet& a, const Jet& b) { return combine(a.value - b.value, 1, a, -1, b, 0); }
  friend Jet operator*(const Jet& a, const Jet& b) {
    return combine(a.value * b.value, b.value, a, a.value, b, 2 * a.first() * b.first());
  }
  friend Jet operator/(const Jet& a, const Jet& b) {
    // In this order no product is larger than the results: r² overflows long before r does.
    const double r = 1 / b.value;
    const double q = a.value / b.value;
    Jet c(q);
    for (int i = 0; i < kTangents; ++i) c.tangent[i] = (a.tangent[i] - q * b.tangent[i]) * r;
    if constexpr (kTangents > 0) c.second = (a.second - q * b.second) * r - 2 * c.tangent[0] * (b.tangent[0] * r);
    return c;
  }
  friend Jet operator*(const Jet& a, double c) {
    Jet r(a.value * c);
    for (int i = 0; i < kTangents; ++i) r.tangent[i] = a.tangent[i] * c;
    if constexpr (kTangents > 0) r.second = a.second * c;
    return r;
  }
  friend Jet operator*(double c, const Jet& a) { return a * c; }
  friend Jet operator/(const Jet& a, double c) {
    Jet r = a * (1 / c);
    r.value = a.value / c;
    return r;
  }
  friend Jet operator+(Jet a, double c) { return a.value += c, a; }
  friend Jet operator+(double c, Jet a) { return a.value += c, a; }
  friend Jet operator-(Jet a, double c) { return a.value -= c, a; }
  friend Jet operator-(double c, const Jet& a) { return -a + c; }

  friend bool operator==(const Jet& a, const Jet& b) { return a.value == b.value; }
  friend std::partial_ordering operator<=>(const Jet& a, const Jet& b) { return a.value <=> b.value; }

  // du[v_0]
  double first() const {
    if constexpr (kTangents > 0) return tangent[0];
    return 0;
  }

  // g(a) where g = `value` at a, and slopes() gives {g', g''} there.
  template <class Slopes>
  static Jet chain(const Jet& a, double value, Slopes slopes) {
    Jet r(value);
    if constexpr (kTangents > 0) {
      const auto [g1, g2] = slopes();
      for (int i = 0; i < kTangents; ++i) r.tangent[i] = g1 * a.tangent[i];
      r.second = g1 * a.second + g2 * a.tangent[0] * a.tangent[0];
    }
    return r;
  }

  // As chain, for a g whose slopes may be infinite.
  template <class Slopes>
  static Jet singular_chain(const Jet& a, double value, Slopes slopes) {
    Jet r(value);
    if constexpr (kTangents > 0) {
      const auto [g1, g2] = slopes();
      const auto times = [](double slope, double x) { return x == 0 && std::isinf(slope) ? 0.0 : slope * x; };
      for (int i = 0; i < kTangents; ++i) r.tangent[i] = times(g1, a.tangent[i]);
      const double curvature = times(g2, a.tangent[0] * a.tangent[0]);
      r.second = std::isinf(curvature) ? curvature : curvature + times(g1, a.second);  // g'' goes to ∞ the faster
    }
    return r;
  }

  // g(a, b) = `value` with the partial derivatives ga, gb and gaa a'² + 2 gab a'b' + gbb b'² = `curvature`.
  static Jet combine(double value, double ga, const Jet& a, double gb, const Jet& b, double curvature) {
    Jet r(value);
    if constexpr (kTangents > 0) {
      for (int i = 0; i < kTangents; ++i) r.tangent[i] = ga * a.tangent[i] + gb * b.tangent[i];
      r.second = ga * a.second + gb * b.second + curvature;
    }
    return r;
  }
};

namespace internal {
struct PULLBACK_EXPORT Slopes {
  double first;
  double second;
};
}  // namespace internal

}  // namespace pullback

// Eigen vectors and matrices of jets, and their products with matrices of double.
template <int kTangents>
struct Eigen::NumTraits<pullback::Jet<kTangents>> : Eigen::NumTraits<double> {
  using Jet = pullback::Jet<kTangents>;
  using Real = Jet;
  using NonInteger = Jet;
  using Nested = Jet;
  using Literal = Jet;
  enum { RequireInitialization = 1, ReadCost = 2 + kTangents, AddCost = 2 + kTangents, MulCost = 3 * (2 + kTangents) };
};
template <int kTangents, class Op>
struct Eigen::ScalarBinaryOpTraits<pullback::Jet<kTangents>, double, Op> {
  using ReturnType = pullback::Jet<kTangents>;
};
template <int kTangents, class Op>
struct Eigen::ScalarBinaryOpTraits<double, pullback::Jet<kTangents>, Op> {
  using ReturnType = pullback::Jet<kTangents>;
};
