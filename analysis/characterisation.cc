#include "pullback/analysis/characterisation.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <stdexcept>

#include "pullback/base/random.h"
#include "pullback/base/stop.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/fields/volume_variation.h"
#include "pullback/spaces/model_data.h"

namespace pullback {

namespace {

constexpr int kTriesPerPoint = 100;          // a region that fills its surroundings has no points outside
constexpr double kSmallestDirection = 1e-9;  // of a deviation: two data that coincide give none

// About `count` of the data that are inside, evenly through them.
Matrix points_inside(const DataRegion& region, int count) {
  const auto inside = region.contains(region.data());
  const Eigen::Index held = inside.count();
  Matrix points(region.dimension(), std::min<Eigen::Index>(held, count));
  Eigen::Index seen = 0;
  Eigen::Index taken = 0;
  for (Eigen::Index k = 0; k < inside.size() && taken < points.cols(); ++k) {
    if (!inside(k)) continue;
    if (seen * points.cols() >= taken * held) points.col(taken++) = region.data().col(k);
    ++seen;
  }
  return points.leftCols(taken);
}

Matrix points_outside(const DataRegion& region, const CharacterisationOptions& options) {
  Random random(options.seed);
  const Matrix& data = region.data();
  Matrix points(region.dimension(), options.points);
  Eigen::Index taken = 0;
  for (int i = 0; i < kTriesPerPoint * options.points && taken < points.cols(); ++i) {
    throw_if_stopped();
    const Vector start = data.col(random.index(data.cols()));
    const Vector from = data.col(random.index(data.cols()));
    const Vector direction = data.col(random.index(data.cols())) - from;
    const double length = (region.standardised(from + direction) - region.standardised(from)).norm();
    const double distance = random.uniform(0, options.surround);
    if (!(length > kSmallestDirection)) continue;
    const Vector point = start + distance / length * direction;
    if (!region.contains(point)(0)) points.col(taken++) = point;
  }
  return points.leftCols(taken);
}

// Quantiles of what is not NaN; infinite values count.
std::vector<double> quantiles_of(const Vector& values) {
  std::vector<double> defined;
  std::ranges::copy_if(values, std::back_inserter(defined), [](double value) { return !std::isnan(value); });
  return quantiles(defined);
}

double rms(const Vector& values) {
  double sum = 0;
  int count = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value * value;
    ++count;
  }
  return count > 0 ? std::sqrt(sum / count) : std::numeric_limits<double>::quiet_NaN();
}

// Columns of the unit matrix, without the collapsed coordinates.
Matrix kept_axes(Eigen::Index dimension, const std::vector<int>& collapsed) {
  Matrix axes(dimension, dimension - static_cast<Eigen::Index>(collapsed.size()));
  Eigen::Index column = 0;
  for (Eigen::Index j = 0; j < dimension; ++j) {
    if (std::ranges::find(collapsed, j) == collapsed.end()) axes.col(column++) = Vector::Unit(dimension, j);
  }
  return axes;
}

// Steps of one deviation along the kept coordinates, E Sᵀ with SᵀS = EᵀΣE.
Matrix kept_steps(const DataRegion& region, const Matrix& axes) {
  const Matrix marginal = region.factor() * axes;  // marginalᵀ marginal = EᵀΣE
  const Eigen::HouseholderQR<Matrix> qr(marginal);
  const Matrix R = qr.matrixQR().topRows(axes.cols()).triangularView<Eigen::Upper>();
  return axes * R.transpose();
}

PlaceFigures figures_at(const Manifold& manifold, const Matrix& points, const Matrix& axes, const Matrix& steps,
                        const std::string& where) {
  PlaceFigures figures;
  figures.survey = survey(manifold, points, where);
  Workspace workspace;
  const Matrix scaled = singular_values_along(manifold, points, steps, workspace);
  figures.kept_kappa = quantiles_of(condition_number(singular_values_along(manifold, points, axes, workspace)));
  figures.scaled_kappa = quantiles_of(condition_number(scaled));
  figures.log10_magnification = quantiles_of(log_magnification(scaled) / std::log(10.0));
  const Vector variation = volume_variation(manifold, points, steps, workspace);
  figures.variation = quantiles_of(variation);
  figures.variation_rms = rms(variation);
  return figures;
}

}  // namespace

Characterisation characterise(const OpenedSpace& space, const CharacterisationOptions& options) {
  const auto region = region_of(space);
  if (!region) {
    throw std::invalid_argument(
        fmt::format("{} has no codes of data, by which inside and outside are told apart", space.name));
  }
  const Manifold& manifold = *space.manifold;
  const Matrix inside = points_inside(*region, options.points);
  Characterisation out;
  out.radius = region->radius();
  out.deviations = region->factor().colwise().norm();
  const JacobianSurvey first = survey(manifold, inside, "the data");
  out.reach = out.deviations.cwiseProduct(Eigen::Map<const Vector>(first.reach.data(), out.deviations.size()));
  const double strongest = out.reach.maxCoeff();
  if (strongest > 0) out.reach /= strongest;
  for (int j = 0; j < out.reach.size(); ++j) {
    if (out.reach(j) < kCollapsed) out.collapsed.push_back(j);
  }
  if (out.collapsed.size() == static_cast<std::size_t>(out.reach.size())) out.collapsed.clear();  // a constant map
  const Matrix axes = kept_axes(space.dimension(), out.collapsed);
  const Matrix steps = kept_steps(*region, axes);
  out.inside = figures_at(manifold, inside, axes, steps, "the data's region");
  out.outside = figures_at(manifold, points_outside(*region, options), axes, steps, "its surroundings");
  return out;
}

}  // namespace pullback
