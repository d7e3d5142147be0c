// The inner loops over the ambient dimension, compiled for several instruction sets and chosen at start-up.
//
// x, y, z: n numbers each, which need not be aligned; y and z may not overlap the others. Sums are taken in an order of
// the compiler's choice, so that they differ by rounding between instruction sets.
// Cost: one pass. Thread safety: pure but for what they write.
#pragma once

#include <cstddef>

namespace pullback::kernels {

// Σ x_i y_i
double dot(const double* x, const double* y, std::size_t n);
// y += a x
void axpy(double a, const double* x, double* y, std::size_t n);
// z = a (x − y)
void scaled_difference(double a, const double* x, const double* y, double* z, std::size_t n);

}  // namespace pullback::kernels
