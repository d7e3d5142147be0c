#include "pullback/manifold/numerics/dense_kernels.h"

// Function multiversioning needs ifuncs, which the sanitizers' runtimes do not survive.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define PULLBACK_CLONES __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
#else
#define PULLBACK_CLONES
#endif

namespace pullback::kernels {

// Compiled with -fopenmp-simd, which allows the sum to be reordered here and nowhere else.
PULLBACK_CLONES double dot(const double* x, const double* y, std::size_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

PULLBACK_CLONES void axpy(double a, const double* x, double* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] += a * x[i];
}

PULLBACK_CLONES void scaled_difference(double a, const double* x, const double* y, double* z, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) z[i] = a * (x[i] - y[i]);
}

}  // namespace pullback::kernels
