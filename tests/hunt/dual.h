// The judge's own numbers: forward differentiation in extended precision, which shares nothing with the library's jets.
#pragma once

#include <cmath>
#include <compare>

namespace pullback::hunt {

using Real = long double;

// A value and its derivative along one direction. Duals of duals give mixed second derivatives.
template <class S>
struct Dual {
  S value{};
  S tangent{};

  Dual() = default;
  Dual(double constant) : value(constant) {}  // NOLINT(google-explicit-constructor): constants mix with duals
  Dual(S v, S t) : value(v), tangent(t) {}

  friend Dual operator-(const Dual& a) { return {-a.value, -a.tangent}; }
  friend Dual operator+(const Dual& a, const Dual& b) { return {a.value + b.value, a.tangent + b.tangent}; }
  friend Dual operator-(const Dual& a, const Dual& b) { return {a.value - b.value, a.tangent - b.tangent}; }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.tangent * b.value + a.value * b.tangent};
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const S q = a.value / b.value;
    return {q, (a.tangent - q * b.tangent) / b.value};
  }
  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
  friend bool operator==(const Dual& a, const Dual& b) { return a.value == b.value; }
  friend std::partial_ordering operator<=>(const Dual& a, const Dual& b) { return a.value <=> b.value; }
};

inline bool vanishes(Real a) { return a == 0; }
template <class S>
bool vanishes(const Dual<S>& a) {
  return vanishes(a.value) && vanishes(a.tangent);
}

// slope·x, where an infinite slope meets what does not move.
template <class S>
S stretched(const S& slope, const S& x) {
  return vanishes(x) ? x : slope * x;
}

template <class S>
Dual<S> exp(const Dual<S>& a) {
  using std::exp;
  const S e = exp(a.value);
  return {e, e * a.tangent};
}
template <class S>
Dual<S> log(const Dual<S>& a) {
  using std::log;
  return {log(a.value), a.tangent / a.value};
}
template <class S>
Dual<S> log1p(const Dual<S>& a) {
  using std::log1p;
  return {log1p(a.value), a.tangent / (S(1.0) + a.value)};
}
template <class S>
Dual<S> sqrt(const Dual<S>& a) {
  using std::sqrt;
  const S s = sqrt(a.value);
  return {s, stretched(S(0.5) / s, a.tangent)};
}
template <class S>
Dual<S> sin(const Dual<S>& a) {
  using std::cos;
  using std::sin;
  return {sin(a.value), cos(a.value) * a.tangent};
}
template <class S>
Dual<S> cos(const Dual<S>& a) {
  using std::cos;
  using std::sin;
  return {cos(a.value), -(sin(a.value) * a.tangent)};
}
template <class S>
Dual<S> sinh(const Dual<S>& a) {
  using std::cosh;
  using std::sinh;
  return {sinh(a.value), cosh(a.value) * a.tangent};
}
template <class S>
Dual<S> cosh(const Dual<S>& a) {
  using std::cosh;
  using std::sinh;
  return {cosh(a.value), sinh(a.value) * a.tangent};
}
template <class S>
Dual<S> tanh(const Dual<S>& a) {
  using std::tanh;
  const S t = tanh(a.value);
  return {t, (S(1.0) - t) * (S(1.0) + t) * a.tangent};
}
template <class S>
Dual<S> atan(const Dual<S>& a) {
  using std::atan;
  return {atan(a.value), a.tangent / (S(1.0) + a.value * a.value)};
}
template <class S>
Dual<S> pow(const Dual<S>& a, double p) {
  using std::pow;
  return {pow(a.value, p), stretched(S(p) * pow(a.value, p - 1), a.tangent)};
}
template <class S>
Dual<S> abs(const Dual<S>& a) {
  return a < Dual<S>(0.0) ? -a : a;
}
template <class S>
Dual<S> max(const Dual<S>& a, double b) {
  return a < Dual<S>(b) ? Dual<S>(b) : a;
}
template <class S>
Dual<S> hypot(const Dual<S>& a, const Dual<S>& b) {
  return sqrt(a * a + b * b);
}

}  // namespace pullback::hunt
