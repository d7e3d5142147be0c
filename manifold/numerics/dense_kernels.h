// The inner loops over the ambient dimension, compiled for several instruction sets and chosen at start-up.
//
// x, y, z: n numbers each, which need not be aligned; y and z may not overlap the others. Sums are taken in an order of
// the compiler's choice, so that they differ by rounding between instruction sets.
// Cost: one pass. Thread safety: pure but for what they write.
#pragma once

#include <cstddef>

#include "pullback/base/export.h"

namespace pullback::kernels {

// Σ x_i y_i
PULLBACK_EXPORT double dot(const double* x, const double* y, std::size_t n);
// y += a x
PULLBACK_EXPORT void axpy(double a, const double* x, double* y, std::size_t n);
// z = a (x − y)
PULLBACK_EXPORT void scaled_difference(double a, const double* x, const double* y, double* z, std::size_t n);

}  // namespace pullback::kernels
