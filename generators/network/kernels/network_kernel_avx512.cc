// The network kernel for AVX-512 (F, VL, DQ, BW).
#define PULLBACK_WIDTH 8
#include "pullback/generators/network/kernels/network_kernel.inc"

namespace pullback::kernels {

const Kernel& avx512_kernel() {
  static constexpr Kernel kernel{"avx512", kPanelRows, scratch_size, forward, product, adjoint};
  return kernel;
}

}  // namespace pullback::kernels
