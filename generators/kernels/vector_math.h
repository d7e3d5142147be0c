// Packets of doubles and the functions that networks need on them. Part of network_kernel_body.h: included once by each
// variant, so everything here has internal linkage.
//
// Packets are the compiler's vector extension (GCC, Clang), so that this text serves every instruction set;
// PULLBACK_WIDTH is the number of doubles in one.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "pullback/generators/kernels/network_kernel.h"

#define PULLBACK_INLINE inline __attribute__((always_inline))

namespace pullback::kernels {
namespace {

constexpr int kWidth = PULLBACK_WIDTH;
typedef double Packet __attribute__((vector_size(8 * PULLBACK_WIDTH)));
typedef double UnalignedPacket __attribute__((vector_size(8 * PULLBACK_WIDTH), aligned(8), may_alias));
typedef std::int64_t IntegerPacket __attribute__((vector_size(8 * PULLBACK_WIDTH)));

PULLBACK_INLINE Packet splat(double x) { return x - Packet{}; }
PULLBACK_INLINE Packet load(const double* p) { return *reinterpret_cast<const UnalignedPacket*>(p); }
PULLBACK_INLINE void store(double* p, Packet x) { *reinterpret_cast<UnalignedPacket*>(p) = x; }

// Stores the first `count` elements only; all where count ≥ kWidth.
PULLBACK_INLINE void store_first(double* p, Packet x, Index count) {
  if (count >= kWidth) return store(p, x);
  for (Index i = 0; i < count; ++i) p[i] = x[i];
}

PULLBACK_INLINE Packet absolute(Packet x) { return x < 0 ? -x : x; }

// Σ_{i ≥ kFrom} c[i] x^(i−kFrom) over kCount terms in the order of Estrin, whose short dependency chains keep the units
// busy; powers[j] = x^(2ʲ).
template <int kFrom, int kCount, int kSize>
PULLBACK_INLINE Packet estrin(const double (&c)[kSize], const Packet* powers) {
  if constexpr (kCount == 1) {
    return splat(c[kFrom]);
  } else {
    constexpr int kLevel = std::bit_width(unsigned{kCount - 1}) - 1;
    constexpr int kHalf = 1 << kLevel;
    return estrin<kFrom, kHalf>(c, powers) + powers[kLevel] * estrin<kFrom + kHalf, kCount - kHalf>(c, powers);
  }
}

// Σ_i c[i] x^i.
template <int kSize>
PULLBACK_INLINE Packet polynomial(const double (&c)[kSize], Packet x) {
  const Packet x2 = x * x;
  const Packet x4 = x2 * x2;
  const Packet x8 = x4 * x4;
  const Packet powers[] = {x, x2, x4, x8, x8 * x8};
  static_assert(kSize <= 32);
  return estrin<0, kSize>(c, powers);
}

// eʸ and eʸ − 1, each to a few units in the last place.
struct Exponential {
  Packet value;
  Packet minus_one;
};

// For y ≤ 0 or NaN. With y = k log 2 + r, |r| ≤ ½ log 2, and q = eʳ − 1 from its Taylor series (the first term left out
// is r¹⁴/14! < 5e-18): eʸ = 2ᵏ + 2ᵏq and eʸ − 1 = (2ᵏ − 1) + 2ᵏq, neither of which cancels. Below −708, where 2ᵏ would
// leave the normal numbers, the result is 0 and −1.
PULLBACK_INLINE Exponential exponential(Packet y) {
  constexpr double kLog2High = 0x1.62e42fefa3800p-1;  // its last 11 bits are zero: k·kLog2High is exact
  constexpr double kLog2Low = 0x1.ef35793c76730p-45;
  constexpr double kRound = 0x1.8p52;  // adding it leaves the nearest integer in the low bits
  constexpr double kLeast = -708;
  // 1/2!, 1/3!, …, 1/13!
  constexpr double kTaylor[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  const Packet clamped = y < kLeast ? splat(kLeast) : y;
  const Packet shifted = clamped * 0x1.71547652b82fep0 + kRound;
  const Packet k = shifted - kRound;
  const Packet r = (clamped - k * kLog2High) - k * kLog2Low;
  const Packet q = r + r * r * polynomial(kTaylor, r);
  const IntegerPacket bits = reinterpret_cast<IntegerPacket>(shifted);
  const Packet scale = reinterpret_cast<Packet>((bits + 1023) << 52);
  const Packet scaled = scale * q;
  Exponential e{scale + scaled, (scale - 1) + scaled};
  e.value = y < kLeast ? Packet{} : e.value;
  e.minus_one = y < kLeast ? splat(-1) : e.minus_one;
  return e;
}

// log(1 + e) for 0 ≤ e ≤ 1: 2 artanh s with s = e/(2 + e) ≤ 1/3, by its series (left out: s³⁶/37 < 2e-19).
PULLBACK_INLINE Packet log_one_plus(Packet e) {
  constexpr double kSeries[] = {1,        1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23,
                                1.0 / 25, 1.0 / 27, 1.0 / 29, 1.0 / 31, 1.0 / 33, 1.0 / 35};
  const Packet s = e / (e + 2);
  return 2 * s * polynomial(kSeries, s * s);
}

// A function and its first two derivatives at a packet of points. What is not used is not computed.
struct Jet {
  Packet value;
  Packet first;
  Packet second;
};

// Everything comes from e = exp(−2|x|), so that σ' = 4e/(1+e)² keeps its relative accuracy where 1 − tanh² has none.
PULLBACK_INLINE Jet tanh_jet(Packet x) {
  const Exponential e = exponential(-2 * absolute(x));
  const Packet r = 1 / (1 + e.value);
  const Packet t = -e.minus_one * r;
  const Packet value = x < 0 ? -t : t;
  const Packet first = 4 * e.value * (r * r);
  return {value, first, -2 * value * first};
}

// From e = exp(−|x|): σ' = e/(1+e)², σ'' = σ'(1 − 2σ), 1 − 2σ = ∓(1 − e)/(1 + e).
PULLBACK_INLINE Jet sigmoid_jet(Packet x) {
  const Exponential e = exponential(-absolute(x));
  const Packet r = 1 / (1 + e.value);
  const Packet low = e.value * r;
  const Packet first = low * r;
  const Packet slope = e.minus_one * r;
  return {x < 0 ? low : r, first, first * (x < 0 ? -slope : slope)};
}

// NaN gives NaN in the derivative as well.
PULLBACK_INLINE Jet relu_jet(Packet x, double slope) {
  const Packet first = x > 0 ? splat(1) : (x <= 0 ? splat(slope) : x);
  const Packet low = slope == 0 ? Packet{} : slope * x;
  return {x <= 0 ? low : x, first, Packet{}};
}

PULLBACK_INLINE Jet elu_jet(Packet x, double alpha) {
  const Exponential e = exponential(x > 0 ? Packet{} : x);
  return {x > 0 ? x : alpha * e.minus_one, x > 0 ? splat(1) : alpha * e.value, x > 0 ? Packet{} : alpha * e.value};
}

PULLBACK_INLINE Jet softplus_jet(Packet x, double beta) {
  const Packet y = beta * x;
  const Jet s = sigmoid_jet(y);
  const Packet tail = log_one_plus(exponential(-absolute(y)).value);
  return {((y < 0 ? Packet{} : y) + tail) / beta, s.value, beta * s.first};
}

PULLBACK_INLINE Jet silu_jet(Packet x) {
  const Jet s = sigmoid_jet(x);
  return {x * s.value, s.value + x * s.first, 2 * s.first + x * s.second};
}

// Φ through the scalar erfc, which keeps the relative accuracy of the left tail; Φ' = φ, φ' = −xφ.
PULLBACK_INLINE Jet gelu_jet(Packet x) {
  constexpr double kSqrtHalf = 0.70710678118654752440;
  constexpr double kInverseSqrtTwoPi = 0.39894228040143267794;
  Packet distribution;
  for (int i = 0; i < kWidth; ++i) distribution[i] = 0.5 * ::erfc(-kSqrtHalf * x[i]);
  const Packet density = kInverseSqrtTwoPi * exponential(-0.5 * (x * x)).value;
  return {x * distribution, distribution + x * density, density * (2 - x * x)};
}

// ½(1 + tanh(u)) = sigmoid(2u), so this is x·s(w(x)) with w = 2√(2/π)(x + cx³).
PULLBACK_INLINE Jet gelu_tanh_jet(Packet x) {
  constexpr double kScale = 1.59576912160573071176;
  constexpr double kCubic = 0.044715;
  const Packet square = x * x;
  const Jet s = sigmoid_jet(kScale * x * (1 + kCubic * square));
  const Packet w1 = kScale * (1 + 3 * kCubic * square);
  const Packet w2 = (6 * kScale * kCubic) * x;
  return {x * s.value, s.value + x * s.first * w1, 2 * s.first * w1 + x * (s.second * w1 * w1 + s.first * w2)};
}

template <Function kFunction>
PULLBACK_INLINE Jet jet(Packet x, [[maybe_unused]] double parameter) {
  if constexpr (kFunction == Function::kTanh) return tanh_jet(x);
  if constexpr (kFunction == Function::kSigmoid) return sigmoid_jet(x);
  if constexpr (kFunction == Function::kRelu) return relu_jet(x, 0);
  if constexpr (kFunction == Function::kLeakyRelu) return relu_jet(x, parameter);
  if constexpr (kFunction == Function::kElu) return elu_jet(x, parameter);
  if constexpr (kFunction == Function::kSoftplus) return softplus_jet(x, parameter);
  if constexpr (kFunction == Function::kSilu) return silu_jet(x);
  if constexpr (kFunction == Function::kGelu) return gelu_jet(x);
  if constexpr (kFunction == Function::kGeluTanh) return gelu_tanh_jet(x);
  if constexpr (kFunction == Function::kIdentity) return {x, splat(1), Packet{}};
}

}  // namespace
}  // namespace pullback::kernels
