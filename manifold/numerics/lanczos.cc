#include "pullback/manifold/numerics/lanczos.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/base/random.h"
#include "pullback/base/stop.h"

namespace pullback {
namespace {

constexpr Eigen::Index kBasis = 40;
constexpr int kMostRestarts = 8;
// What is left of a product beside the vectors before it, relative to its size, that is rounding: they span an
// invariant space.
constexpr double kInvariant = 1e-12;

// An orthonormal basis of the Krylov space of A and `start`, and A in it.
struct Krylov {
  Matrix basis;    // size×m
  Matrix image;    // m×m, tridiagonal
  double leaving;  // norm of the part of A times the last vector outside of the space; 0: it is invariant
};

Krylov krylov(const std::function<Vector(const Vector&)>& A, const Vector& start) {
  const Eigen::Index most = std::min(start.size(), kBasis);
  Krylov out{Matrix(start.size(), most), Matrix::Zero(most, most), 0};
  out.basis.col(0) = start.normalized();
  double largest = 0;
  for (Eigen::Index j = 0;; ++j) {
    throw_if_stopped();
    Vector next = A(out.basis.col(j));
    largest = std::max(largest, next.norm());
    out.image(j, j) = out.basis.col(j).dot(next);
    for (int pass = 0; pass < 2; ++pass)
      next -= out.basis.leftCols(j + 1) * (out.basis.leftCols(j + 1).transpose() * next);
    out.leaving = next.norm();
    const bool invariant = !(out.leaving > kInvariant * largest);
    if (invariant || j + 1 == most) {
      out.basis.conservativeResize(Eigen::NoChange, j + 1);
      out.image.conservativeResize(j + 1, j + 1);
      if (invariant) out.leaving = 0;
      return out;
    }
    out.image(j + 1, j) = out.image(j, j + 1) = out.leaving;
    out.basis.col(j + 1) = next / out.leaving;
  }
}

}  // namespace

LowestEigenpair lowest_eigenpair(const std::function<Vector(const Vector&)>& A, Eigen::Index size, double tolerance) {
  Random random(1);
  LowestEigenpair out{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                      random.normal_matrix(size, 1)};
  for (int restart = 0; restart <= kMostRestarts; ++restart) {
    const Krylov space = krylov(A, out.vector);
    if (!space.image.allFinite()) return out;
    const Eigen::SelfAdjointEigenSolver<Matrix> eigen(space.image);
    const Eigen::Index last = space.image.rows() - 1;
    out.value = eigen.eigenvalues()(0);
    out.vector = space.basis * eigen.eigenvectors().col(0);
    // The distance of the value to the nearest eigenvalue is at most the residual.
    out.error = space.leaving * std::abs(eigen.eigenvectors()(last, 0));
    const double scale = eigen.eigenvalues().cwiseAbs().maxCoeff();
    if (out.error <= tolerance * scale) return out;
  }
  return out;
}

}  // namespace pullback
