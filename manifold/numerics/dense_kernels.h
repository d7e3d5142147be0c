// The inner loops over the ambient dimension, compiled for several instruction sets and chosen at start-up.
#pragma once

#include <cstddef>

namespace pullback::kernels {

double dot(const double* x, const double* y, std::size_t n);
// y += a x
void axpy(double a, const double* x, double* y, std::size_t n);
// z = a (x − y)
void scaled_difference(double a, const double* x, const double* y, double* z, std::size_t n);

}  // namespace pullback::kernels
