// The most multiply-adds that one core can do: the floor under every timing of a network.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace pullback::bench {

// Independent chains, enough to hide the latency of two units and few enough for 16 registers.
constexpr int kChains = 10;

// The vector extension of GCC and Clang takes no width that depends on a template parameter.
template <int kWidth>
struct PacketOf;
template <>
struct PacketOf<2> {
  typedef double Type __attribute__((vector_size(16)));
};
template <>
struct PacketOf<4> {
  typedef double Type __attribute__((vector_size(32)));
};
template <>
struct PacketOf<8> {
  typedef double Type __attribute__((vector_size(64)));
};

// Runs kChains chains of `length` multiply-adds on packets of kWidth doubles.
template <int kWidth>
[[gnu::always_inline]] inline void multiply_add_chains(long length) {
  using Packet = typename PacketOf<kWidth>::Type;
  Packet chain[kChains];
  for (int i = 0; i < kChains; ++i) {
    double start = i;  // chains that the compiler knew to be equal would become one
    benchmark::DoNotOptimize(start);
    chain[i] = Packet{} + start;
  }
  const Packet factor = Packet{} + 0.5, term = Packet{} + 1.0;
  for (long i = 0; i < length; ++i) {
#pragma GCC unroll 16
    for (Packet& x : chain) x = x * factor + term;
  }
  for (const Packet& x : chain) benchmark::DoNotOptimize(x[0]);
}

inline void baseline_chains(long length) { multiply_add_chains<2>(length); }
#ifdef __x86_64__
[[gnu::target("avx2,fma")]] inline void avx2_chains(long length) { multiply_add_chains<4>(length); }
[[gnu::target("avx512f,fma")]] inline void avx512_chains(long length) { multiply_add_chains<8>(length); }
#endif

// Floating-point operations per second (a multiply-add is two) of one core: the best of 20 trials of some milliseconds.
inline double multiply_add_rate(std::string_view instruction_set) {
  void (*chains)(long) = baseline_chains;
  int width = 2;
#ifdef __x86_64__
  if (instruction_set == "avx2") chains = avx2_chains, width = 4;
  if (instruction_set == "avx512") chains = avx512_chains, width = 8;
#endif
  constexpr long kLength = 1'000'000;
  double best = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const auto start = std::chrono::steady_clock::now();
    chains(kLength);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2.0 * kChains * kLength * width / seconds.count());
  }
  return best;
}

}  // namespace pullback::bench
