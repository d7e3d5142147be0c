// Positive definite stand-ins for the Hessian of a discrete curve's energy.
#pragma once

#include "pullback/manifold/numerics/block_tridiagonal.h"

namespace pullback {

// The part of a whitened Hessian H of K chords that first derivatives of f give: K [I −C; −Cᵀ I] for every chord, with
// C, ‖C‖ ≤ 1, from the blocks beside the diagonal. Positive definite, at least the flat Laplacian: each block is the
// inner product of K times the differences of vectors as long as the nodes' steps.
BlockTridiagonal gauss_newton_part(const BlockTridiagonal& H);

// The sum over the chords of their share of H (half of a node's diagonal block to each side) without its negative part.
// Reference: Teran et al. 2005, doi:10.1145/1073368.1073394.
BlockTridiagonal projected(const BlockTridiagonal& H);

// A + b B.
BlockTridiagonal sum(const BlockTridiagonal& A, double b, const BlockTridiagonal& B);

}  // namespace pullback
