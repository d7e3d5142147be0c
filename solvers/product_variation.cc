#include "pullback/solvers/product_variation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "pullback/manifold/numerics/conjugate_gradients.h"
#include "pullback/manifold/numerics/curve_spectrum.h"
#include "pullback/manifold/numerics/lanczos.h"

namespace pullback {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Of conjugate gradients for the excess, whose error is of the order of the square.
constexpr ConjugateGradientsOptions kExcessSolve{1e-3, 500};
// An eigenvalue in units of the flat Laplacian, which has 1.
constexpr double kNegative = -1e-7;

double dot(const Matrix& a, const Matrix& b) { return a.cwiseProduct(b).sum(); }

// One grid of chords.
class Grid {
 public:
  Grid(const Manifold& manifold, const Matrix& Z, const std::optional<FlatPreconditioner>& nearby, Workspace& ws)
      : ws_(ws),
        products_(manifold.variation_products(Z, ws)),
        flat_(manifold, Z, ws, nearby ? &*nearby : nullptr),
        Z_(Z) {}

  const FlatPreconditioner& preconditioner() const { return flat_; }

  bool finite() const { return products_->finite(); }

  CurveSpectrum spectrum(const Matrix& start) const { return lowest_of_curve(*products_, flat_, ws_, start); }

  // The smooth gradient without its part along the curve: moving along it does not change its length.
  Matrix force() const {
    const Eigen::Index m = Z_.cols() - 2;
    const Matrix along = Z_.rightCols(m) - Z_.leftCols(m);
    const Matrix image = products_->metric(along, ws_);
    Matrix out = products_->gradient();
    for (Eigen::Index i = 0; i < m; ++i) {
      const double square = along.col(i).dot(image.col(i));
      if (square > 0) out.col(i) -= image.col(i) * (along.col(i).dot(out.col(i)) / square);
    }
    return out;
  }

  // ½ gᵀA⁻¹g for the Hessian or its Gauss–Newton part; nothing where negative curvature is met. NaN where conjugate
  // gradients did not converge: what they gained until then is too little.
  std::optional<double> decrement(const Matrix& g, bool exact) const {
    const auto apply = [&](const Matrix& V) {
      return exact ? products_->hessian(V, ws_) : products_->gauss_newton(V, ws_);
    };
    const ConjugateGradientsResult found = conjugate_gradients(
        apply, [&](const Matrix& G) { return flat_.solve(G); }, g, kExcessSolve);
    if (found.negative_curvature) return std::nullopt;
    if (!found.converged) return kNan;
    return 0.5 * dot(g, found.x);
  }

  // Whether the second variation of the curve up to the block `last` has a negative eigenvalue.
  bool indefinite_up_to(Eigen::Index last) const {
    const Eigen::Index n = Z_.rows();
    const Eigen::Index m = Z_.cols() - 2;
    const auto leading = [&](const Vector& y) -> Vector {
      Matrix v = flat_.transposed_half_solve(Eigen::Map<const Matrix>(y.data(), n, m));
      v.rightCols(m - 1 - last).setZero();
      Matrix image = products_->hessian(v, ws_);
      image.rightCols(m - 1 - last).setZero();
      const Matrix out = flat_.half_solve(image);
      return Eigen::Map<const Vector>(out.data(), out.size());
    };
    const LowestEigenpair lowest = lowest_eigenpair(leading, n * m);
    return lowest.value + lowest.error < kNegative;  // the blocks that were left out have eigenvalue 0, and rounding
  }

  // The first block up to which it has; nothing where it has none at the last.
  std::optional<Eigen::Index> first_indefinite() const {
    Eigen::Index high = Z_.cols() - 3;
    if (!indefinite_up_to(high)) return std::nullopt;
    for (Eigen::Index low = 0; low < high;) {
      const Eigen::Index middle = (low + high) / 2;
      if (indefinite_up_to(middle)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return high;
  }

 private:
  Workspace& ws_;
  const std::unique_ptr<const VariationProducts> products_;
  const FlatPreconditioner flat_;
  const Matrix& Z_;
};

// A mode on twice as many chords: its values, and means between them, 0 at the ends.
Matrix prolonged(const Matrix& mode) {
  const Eigen::Index m = mode.cols();
  Matrix out(mode.rows(), 2 * m + 1);
  for (Eigen::Index i = 0; i < m; ++i) {
    out.col(2 * i + 1) = mode.col(i);
    out.col(2 * i) = i > 0 ? Matrix(0.5 * (mode.col(i - 1) + mode.col(i))) : Matrix(0.5 * mode.col(0));
  }
  out.col(2 * m) = 0.5 * mode.col(m - 1);
  return out;
}

}  // namespace

void measure_variation_by_products(const Manifold& manifold, const Curve& curve, const Vector& times,
                                   ProductGridMemory& before, Certificate& out, Workspace& ws) {
  const Matrix Z = curve.position(times);
  const Grid grid(manifold, Z, before.flat, ws);
  const Matrix mode = std::exchange(before.mode, Matrix());
  before.flat = grid.preconditioner();
  out.conjugate_point.reset();
  out.relative_excess = out.second_variation = kNan;
  if (!grid.finite()) return;
  const bool known = 2 * mode.cols() + 1 == Z.cols() - 2;
  const CurveSpectrum lowest = grid.spectrum(known ? prolonged(mode) : Matrix());
  out.second_variation = lowest.value;
  out.second_variation_error = lowest.error;
  bool definite = known || lowest.relative - lowest.relative_error > 0;
  const Matrix force = grid.force();
  double decrement = grid.decrement(force, false).value_or(kNan);
  if (definite) {
    const std::optional<double> exact = grid.decrement(force, true);
    definite = exact.has_value();
    if (exact && !(*exact <= decrement)) decrement = *exact;
  }
  out.relative_excess = out.length > 0 ? decrement / out.length / out.length : 0;  // the square may underflow
  if (definite) {
    before.mode = lowest.mode;
    return;
  }
  if (const auto block = grid.first_indefinite()) out.conjugate_point = times(*block + 1);
  // Negative curvature was met where the mode showed none.
  if (out.second_variation > 0) out.second_variation_error = out.second_variation;
}

}  // namespace pullback
