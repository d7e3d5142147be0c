// Elementary functions of jets, found by unqualified name (argument-dependent lookup).
#pragma once

#include <algorithm>
#include <cmath>

#include "pullback/generators/formula/jet.h"

namespace pullback {

template <int N>
Jet<N> exp(const Jet<N>& a) {
  const double e = std::exp(a.value);
  return Jet<N>::chain(a, e, [&] { return internal::Slopes{e, e}; });
}

template <int N>
Jet<N> expm1(const Jet<N>& a) {
  return Jet<N>::chain(a, std::expm1(a.value), [&] {
    const double e = std::exp(a.value);
    return internal::Slopes{e, e};
  });
}

template <int N>
Jet<N> log(const Jet<N>& a) {
  const double r = 1 / a.value;
  return Jet<N>::singular_chain(a, std::log(a.value), [&] { return internal::Slopes{r, -r * r}; });
}

template <int N>
Jet<N> log1p(const Jet<N>& a) {
  const double r = 1 / (1 + a.value);
  return Jet<N>::singular_chain(a, std::log1p(a.value), [&] { return internal::Slopes{r, -r * r}; });
}

template <int N>
Jet<N> sqrt(const Jet<N>& a) {
  const double s = std::sqrt(a.value);
  return Jet<N>::singular_chain(a, s, [&] { return internal::Slopes{0.5 / s, -0.25 / (s * a.value)}; });
}

template <int N>
Jet<N> cbrt(const Jet<N>& a) {
  const double s = std::cbrt(a.value);
  return Jet<N>::singular_chain(a, s, [&] {
    const double r = 1 / (3 * s * s);
    return internal::Slopes{r, -2 * r / (3 * a.value)};
  });
}

template <int N>
Jet<N> sin(const Jet<N>& a) {
  const double s = std::sin(a.value);
  return Jet<N>::chain(a, s, [&] { return internal::Slopes{std::cos(a.value), -s}; });
}

template <int N>
Jet<N> cos(const Jet<N>& a) {
  const double c = std::cos(a.value);
  return Jet<N>::chain(a, c, [&] { return internal::Slopes{-std::sin(a.value), -c}; });
}

template <int N>
Jet<N> tan(const Jet<N>& a) {
  const double t = std::tan(a.value);
  return Jet<N>::chain(a, t, [&] { return internal::Slopes{1 + t * t, 2 * t * (1 + t * t)}; });
}

template <int N>
Jet<N> asin(const Jet<N>& a) {
  return Jet<N>::singular_chain(a, std::asin(a.value), [&] {
    const double r = 1 / std::sqrt((1 - a.value) * (1 + a.value));
    return internal::Slopes{r, a.value * r * r * r};
  });
}

template <int N>
Jet<N> acos(const Jet<N>& a) {
  return Jet<N>::singular_chain(a, std::acos(a.value), [&] {
    const double r = 1 / std::sqrt((1 - a.value) * (1 + a.value));
    return internal::Slopes{-r, -a.value * r * r * r};
  });
}

template <int N>
Jet<N> atan(const Jet<N>& a) {
  const double r = 1 / (1 + a.value * a.value);
  return Jet<N>::chain(a, std::atan(a.value), [&] { return internal::Slopes{r, -2 * a.value * r * r}; });
}

template <int N>
Jet<N> sinh(const Jet<N>& a) {
  const double s = std::sinh(a.value);
  return Jet<N>::chain(a, s, [&] { return internal::Slopes{std::cosh(a.value), s}; });
}

template <int N>
Jet<N> cosh(const Jet<N>& a) {
  const double c = std::cosh(a.value);
  return Jet<N>::chain(a, c, [&] { return internal::Slopes{std::sinh(a.value), c}; });
}

template <int N>
Jet<N> tanh(const Jet<N>& a) {
  const double t = std::tanh(a.value);
  const double c = (1 - t) * (1 + t);
  return Jet<N>::chain(a, t, [&] { return internal::Slopes{c, -2 * t * c}; });
}

template <int N>
Jet<N> asinh(const Jet<N>& a) {
  const double r = 1 / std::hypot(1.0, a.value);
  return Jet<N>::chain(a, std::asinh(a.value), [&] { return internal::Slopes{r, -a.value * r * r * r}; });
}

template <int N>
Jet<N> acosh(const Jet<N>& a) {
  return Jet<N>::singular_chain(a, std::acosh(a.value), [&] {
    const double r = 1 / std::sqrt((a.value - 1) * (a.value + 1));
    return internal::Slopes{r, -a.value * r * r * r};
  });
}

template <int N>
Jet<N> atanh(const Jet<N>& a) {
  const double r = 1 / ((1 - a.value) * (1 + a.value));
  return Jet<N>::singular_chain(a, std::atanh(a.value), [&] { return internal::Slopes{r, 2 * a.value * r * r}; });
}

template <int N>
Jet<N> erf(const Jet<N>& a) {
  return Jet<N>::chain(a, std::erf(a.value), [&] {
    const double density = 1.1283791670955126 * std::exp(-a.value * a.value);  // 2/√π e^(−x²)
    return internal::Slopes{density, -2 * a.value * density};
  });
}

template <int N>
Jet<N> pow(const Jet<N>& a, double p) {
  return Jet<N>::singular_chain(a, std::pow(a.value, p), [&] {
    // A coefficient of 0 wins over the pole of the power beside it.
    const double first = p == 0 ? 0.0 : p * std::pow(a.value, p - 1);
    const double second = p == 0 || p == 1 ? 0.0 : p * (p - 1) * std::pow(a.value, p - 2);
    return internal::Slopes{first, second};
  });
}

// At base 0 the exponent counts as a constant.
template <int N>
Jet<N> pow(const Jet<N>& a, const Jet<N>& p) {
  const bool constant = p.second == 0 && std::ranges::all_of(p.tangent, [](double d) { return d == 0; });
  if (constant || a.value == 0) return pow(a, p.value);
  return exp(p * log(a));
}

template <int N>
Jet<N> pow(double a, const Jet<N>& p) {
  return pow(Jet<N>(a), p);
}

// Undefined derivatives at (0, 0).
template <int N>
Jet<N> atan2(const Jet<N>& y, const Jet<N>& x) {
  const double r2 = x.value * x.value + y.value * y.value;
  const double turn = (x.value * y.first() - y.value * x.first()) / r2;
  const double stretch = (x.value * x.first() + y.value * y.first()) / r2;
  return Jet<N>::combine(std::atan2(y.value, x.value), x.value / r2, y, -y.value / r2, x, -2 * turn * stretch);
}
template <int N>
Jet<N> atan2(const Jet<N>& y, double x) {
  return atan2(y, Jet<N>(x));
}
template <int N>
Jet<N> atan2(double y, const Jet<N>& x) {
  return atan2(Jet<N>(y), x);
}

template <int N>
Jet<N> hypot(const Jet<N>& x, const Jet<N>& y) {
  const double h = std::hypot(x.value, y.value);
  if (h == 0) return sqrt(x * x + y * y);
  const double cx = x.value / h;
  const double cy = y.value / h;
  const double across = cx * y.first() - cy * x.first();
  return Jet<N>::combine(h, cx, x, cy, y, across * across / h);
}

template <int N>
Jet<N> abs(const Jet<N>& a) {
  return a.value < 0 ? -a : a;
}
template <int N>
Jet<N> fabs(const Jet<N>& a) {
  return abs(a);
}

template <int N>
Jet<N> max(const Jet<N>& a, const Jet<N>& b) {
  return std::isnan(b.value) || a.value < b.value ? b : a;
}
template <int N>
Jet<N> max(const Jet<N>& a, double b) {
  return max(a, Jet<N>(b));
}
template <int N>
Jet<N> max(double a, const Jet<N>& b) {
  return max(b, Jet<N>(a));
}

template <int N>
Jet<N> min(const Jet<N>& a, const Jet<N>& b) {
  return std::isnan(b.value) || b.value < a.value ? b : a;
}
template <int N>
Jet<N> min(const Jet<N>& a, double b) {
  return min(a, Jet<N>(b));
}
template <int N>
Jet<N> min(double a, const Jet<N>& b) {
  return min(b, Jet<N>(a));
}

template <int N>
bool isfinite(const Jet<N>& a) {
  return std::isfinite(a.value);
}
template <int N>
bool isnan(const Jet<N>& a) {
  return std::isnan(a.value);
}
template <int N>
bool isinf(const Jet<N>& a) {
  return std::isinf(a.value);
}

}  // namespace pullback
