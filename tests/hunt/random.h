// Random numbers that are the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <string_view>

#include "pullback/base/types.h"

namespace pullback::hunt {

// The standard's distributions differ between libraries; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  double uniform(double low, double high) {
    constexpr double kUnit = 0x1p-53;
    return low + (high - low) * static_cast<double>(engine_() >> 11) * kUnit;
  }
  // From low to high, both included.
  int integer(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }
  double sign() { return chance(0.5) ? 1 : -1; }
  // 10 to a uniform power.
  double power(double low, double high) { return std::pow(10.0, uniform(low, high)); }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));
    return radius * std::cos(2 * std::numbers::pi * uniform(0, 1));
  }
  Vector normals(int count) {
    Vector out(count);
    for (int i = 0; i < count; ++i) out(i) = normal();
    return out;
  }
  Vector uniforms(int count, double low, double high) {
    Vector out(count);
    for (int i = 0; i < count; ++i) out(i) = uniform(low, high);
    return out;
  }
  Matrix normal_matrix(int rows, int columns) {
    Matrix out(rows, columns);
    for (int k = 0; k < columns; ++k) out.col(k) = normals(rows);
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

// A seed from a seed, a name and a number (FNV-1a, then a finaliser that spreads every bit).
inline std::uint64_t mix(std::uint64_t seed, std::string_view name, std::uint64_t number) {
  std::uint64_t h = 0xcbf29ce484222325ULL ^ seed;
  const auto add = [&](std::uint64_t x) { h = (h ^ x) * 0x100000001b3ULL; };
  for (const char c : name) add(static_cast<unsigned char>(c));
  for (int i = 0; i < 8; ++i) add((number >> (8 * i)) & 0xff);
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
  return h ^ (h >> 31);
}

}  // namespace pullback::hunt
