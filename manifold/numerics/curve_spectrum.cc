#include "pullback/manifold/numerics/curve_spectrum.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "pullback/base/stop.h"
#include "pullback/manifold/numerics/lanczos.h"

namespace pullback {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// What is left for the value to come down by, in units of what the last iterations gained: eigenvalues lie close
// together in many dimensions.
constexpr double kOvershoot = 3;
// Vectors whose Gram matrix has an eigenvalue below this are dependent.
constexpr double kDependent = 1e-12;
constexpr int kMostIterations = 80;
// The value has settled when so many iterations lower it by less than this, relative to it or to that of a flat metric.
constexpr std::size_t kLookBack = 6;
constexpr double kSettled = 1e-3;
constexpr double kExact = 1e-9;  // an error as small as this needs no looking back
constexpr double kFlat = M_PI * M_PI;

double dot(const Matrix& a, const Matrix& b) { return a.cwiseProduct(b).sum(); }

// A direction with its products.
struct Direction {
  Matrix v;
  Matrix stiff;  // H v
  Matrix mass;   // M v
};

Direction direction(const VariationProducts& products, Matrix v, Workspace& ws) {
  v /= v.norm();
  Direction out{std::move(v), {}, {}};
  out.stiff = products.hessian(out.v, ws);
  out.mass = products.metric(out.v, ws);
  return out;
}

Direction combined(const std::vector<Direction>& basis, const Vector& weights) {
  const double size = weights.norm();
  Direction out{weights(0) / size * basis[0].v, weights(0) / size * basis[0].stiff, weights(0) / size * basis[0].mass};
  for (std::size_t i = 1; i < basis.size(); ++i) {
    const double weight = weights(static_cast<Eigen::Index>(i)) / size;
    out.v += weight * basis[i].v;
    out.stiff += weight * basis[i].stiff;
    out.mass += weight * basis[i].mass;
  }
  return out;
}

// The lowest of the quotients vᵀHv / vᵀMv in the span: weights of the basis; empty where the basis is dependent.
Vector lowest_in(const std::vector<Direction>& basis) {
  const auto size = static_cast<Eigen::Index>(basis.size());
  Matrix stiff(size, size), mass(size, size);
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j < size; ++j) {
      stiff(i, j) = dot(basis[static_cast<std::size_t>(i)].v, basis[static_cast<std::size_t>(j)].stiff);
      mass(i, j) = dot(basis[static_cast<std::size_t>(i)].v, basis[static_cast<std::size_t>(j)].mass);
    }
  }
  const Vector scale = mass.diagonal().cwiseSqrt().cwiseInverse();
  const Matrix scaled = scale.asDiagonal() * mass * scale.asDiagonal();
  if (!scaled.allFinite() || Eigen::SelfAdjointEigenSolver<Matrix>(scaled).eigenvalues()(0) < kDependent) return {};
  const Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> eigen(scale.asDiagonal() * stiff * scale.asDiagonal(), scaled);
  if (eigen.info() != Eigen::Success) return {};
  return scale.cwiseProduct(eigen.eigenvectors().col(0));
}

// Lowers the quotient of H and the metric from the mode that is there: the locally optimal preconditioned conjugate
// gradients of Knyazev, with one vector.
void lower_quotient(const VariationProducts& products, const FlatPreconditioner& flat, CurveSpectrum& out,
                    Workspace& ws) {
  const auto K = static_cast<double>(out.mode.cols() + 1);
  std::vector<Direction> basis{direction(products, out.mode, ws)};
  std::vector<double> values;
  for (int i = 0; i < kMostIterations; ++i) {
    throw_if_stopped();
    const double mass = dot(basis[0].v, basis[0].mass);
    const double quotient = dot(basis[0].v, basis[0].stiff) / mass;
    const Matrix residual = basis[0].stiff - quotient * basis[0].mass;
    Matrix step = flat.solve(residual);
    out.value = K * quotient;
    out.mode = basis[0].v;
    values.push_back(out.value);
    const double gained = values[values.size() - 1 - std::min(kLookBack, values.size() - 1)] - out.value;
    out.error = kOvershoot * std::max(gained, K * dot(residual, step) / mass);
    const bool looked_back = values.size() > kLookBack;
    const double scale = std::max(kFlat, std::abs(out.value));
    if (looked_back && !(gained > kSettled * scale)) return;
    if (!(out.error > kExact * scale)) return;
    basis.insert(basis.begin() + 1, direction(products, std::move(step), ws));
    Vector weights = lowest_in(basis);
    if (weights.size() == 0) {
      basis.resize(2);
      weights = lowest_in(basis);
      if (weights.size() == 0) return;
    }
    Direction next = combined(basis, weights);
    Vector along = weights;
    along(0) = 0;
    Direction conjugate = combined(basis, along);
    basis = {std::move(next), std::move(conjugate)};
  }
}

}  // namespace

CurveSpectrum lowest_of_curve(const VariationProducts& products, const FlatPreconditioner& flat, Workspace& ws,
                              const Matrix& start) {
  const Eigen::Index n = products.gradient().rows();
  const Eigen::Index m = products.gradient().cols();
  CurveSpectrum out{kNan, std::numeric_limits<double>::infinity(), kNan, 0, start};
  if (start.size() == 0) {
    const auto whitened = [&](const Vector& y) -> Vector {
      const Matrix image =
          flat.half_solve(products.hessian(flat.transposed_half_solve(Eigen::Map<const Matrix>(y.data(), n, m)), ws));
      return Eigen::Map<const Vector>(image.data(), image.size());
    };
    const LowestEigenpair lowest = lowest_eigenpair(whitened, n * m);
    out.relative = lowest.value;
    out.relative_error = lowest.error;
    if (std::isnan(lowest.value)) return out;
    out.mode = flat.transposed_half_solve(Eigen::Map<const Matrix>(lowest.vector.data(), n, m));
  }
  lower_quotient(products, flat, out, ws);
  return out;
}

}  // namespace pullback
