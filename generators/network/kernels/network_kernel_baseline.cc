// The network kernel for what every processor of the platform has: 128-bit packets.
#define PULLBACK_WIDTH 2
#include "pullback/generators/network/kernels/network_kernel.inc"

namespace pullback::kernels {

const Kernel& baseline_kernel() {
  static constexpr Kernel kernel{"baseline", kPanelRows, scratch_size, forward, product, adjoint};
  return kernel;
}

}  // namespace pullback::kernels
