// The network kernel for AVX2 and FMA.
#define PULLBACK_WIDTH 4
#include "pullback/generators/network/kernels/network_kernel.inc"

namespace pullback::kernels {

const Kernel& avx2_kernel() {
  static constexpr Kernel kernel{"avx2", kPanelRows, scratch_size, forward, product, adjoint};
  return kernel;
}

}  // namespace pullback::kernels
