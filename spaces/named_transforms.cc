#include "pullback/spaces/named_transforms.h"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pullback/base/parse.h"
#include "pullback/base/random.h"
#include "pullback/base/statistics.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/metric_transforms.h"
#include "pullback/spaces/charts.h"

namespace pullback {

namespace {

constexpr const char* kTransformNames[] = {"isometric", "damp", "floor", "smooth", "kappa"};
constexpr char kValidTransforms[] = "isometric, damp=ε, floor=σ, smooth=r, kappa=K";

constexpr Eigen::Index kMostReported = 512;  // points over which a transform's change is measured
constexpr Eigen::Index kDrawnPoints = 256;   // where there are no codes
constexpr Interval kDrawnBox{0.2, 1.8};      // inside of polar and half-plane charts, as for `inspect`
constexpr double kTouched = 0.01;            // relative change of a length that counts
// Below this a floor would be lost to rounding in the metric, which has the square of it.
constexpr double kLeastFloor = 1e-6;

std::string_view name_of(std::string_view transform) { return transform.substr(0, transform.find('=')); }

bool is_transform(std::string_view text) {
  return std::ranges::find(kTransformNames, name_of(text)) != std::end(kTransformNames);
}

// Whether what follows an '@' may belong to a path: a folder comes after it, or it has an ending.
bool is_path(std::string_view text) {
  const auto dot = text.rfind('.');
  return text.find('/') != std::string_view::npos || (dot != std::string_view::npos && dot + 1 < text.size() &&
                                                      std::isalpha(static_cast<unsigned char>(text[dot + 1])) != 0);
}

double value_of(std::string_view transform, double lowest, bool inclusive) {
  const auto equals = transform.find('=');
  const auto value = equals == std::string_view::npos ? std::nullopt : parse_number(transform.substr(equals + 1));
  const std::string fault = value ? number_fault(transform.substr(equals + 1)) : "";
  if (!fault.empty())
    throw std::invalid_argument(fmt::format("transform \"{:.40}\": {} {}", transform, name_of(transform), fault));
  if (value && std::isfinite(*value) && (*value > lowest || (inclusive && *value == lowest))) return *value;
  throw std::invalid_argument(fmt::format("transform \"{:.40}\": expected {}=NUMBER, {} {}", transform,
                                          name_of(transform), inclusive ? "at least" : "above", lowest));
}

// The points that stand for the data: the codes, or drawn ones.
struct Reference {
  Matrix points;
  std::string where;

  // Not more of them than a report needs, evenly chosen.
  Matrix reported() const {
    const Eigen::Index count = std::min(kMostReported, points.cols());
    Matrix out(points.rows(), count);
    for (Eigen::Index k = 0; k < count; ++k) out.col(k) = points.col(k * points.cols() / count);
    return out;
  }
};

Reference reference_of(const OpenedSpace& space) {
  if (space.codes.cols() > 0) return {space.codes, "the codes"};
  Random random(1);
  Matrix points(space.dimension(), kDrawnPoints);
  for (Eigen::Index k = 0; k < points.size(); ++k) {
    points.data()[k] = random.uniform(kDrawnBox.low, kDrawnBox.high);
  }
  return {std::move(points), fmt::format("the box [{}, {}]", kDrawnBox.low, kDrawnBox.high)};
}

// Point by point, since the Jacobians of a smoothed map at many points at once are large.
Matrix singular_values_at(const Manifold& manifold, const Matrix& points, Workspace& workspace) {
  Matrix out(points.rows(), points.cols());
  for (Eigen::Index k = 0; k < points.cols(); ++k) out.col(k) = singular_values(manifold, points.col(k), workspace);
  return out;
}

std::vector<double> finite_or_infinite(const Vector& values) {
  std::vector<double> out;
  for (const double value : values) {
    if (!std::isnan(value)) out.push_back(value);
  }
  return out;
}

std::vector<double> kappa_quantiles(const Matrix& sigma) {
  const std::vector<double> kappa = finite_or_infinite(condition_number(sigma));
  return {quantile(kappa, 0.05), quantile(kappa, 0.5), quantile(kappa, 0.95)};
}

// A symmetric root of the points' covariance.
Matrix covariance_root(const Reference& reference) {
  const Matrix centred = reference.points.colwise() - reference.points.rowwise().mean();
  const Matrix covariance = centred * centred.transpose() / static_cast<double>(reference.points.cols());
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(covariance);
  return eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
         eigen.eigenvectors().transpose();
}

// One chart for the manifold, the codes and the reference.
void change_chart(OpenedSpace& space, Reference& reference, const Chart& chart, AppliedTransform& applied) {
  applied.chart = chart.matrix;
  space.manifold = in_linear_chart(space.manifold, chart.matrix);
  if (space.codes.size() > 0) space.codes = (chart.inverse * space.codes).eval();
  if (space.blur.size() > 0) space.blur = (chart.inverse * space.blur).eval();
  reference.points = (chart.inverse * reference.points).eval();
  space.transformation.chart = (space.transformation.chart * chart.matrix).eval();
  space.metadata.erase("code_deviation");  // that of other coordinates
}

Chart isometric_chart(const OpenedSpace& space, const Reference& reference, Workspace& workspace) {
  const Matrix A = isometrising_chart(*space.manifold, reference.points, workspace);
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(A);
  return {A, eigen.eigenvectors() * eigen.eigenvalues().cwiseInverse().asDiagonal() * eigen.eigenvectors().transpose()};
}

// Median of the largest singular value.
double scale_of(const OpenedSpace& space, const Matrix& sigma) {
  const std::vector<double> largest = finite_or_infinite(sigma.row(0).transpose());
  const double scale = quantile(largest, 0.5);
  if (scale > 0 && std::isfinite(scale)) return scale;
  throw std::invalid_argument(fmt::format("{}: floor has no scale, for the metric is {}", space.name,
                                          scale == 0 ? "zero at most points" : "not finite"));
}

void apply(std::string_view transform, OpenedSpace& space, Reference& reference, const Matrix& sigma,
           AppliedTransform& applied, Workspace& workspace) {
  const std::string_view name = name_of(transform);
  if (name == "isometric") {
    if (transform != name)
      throw std::invalid_argument(fmt::format("transform \"{:.40}\": isometric takes no value", transform));
    change_chart(space, reference, isometric_chart(space, reference, workspace), applied);
  } else if (name == "kappa") {
    if (space.transformation.plain->generator() == nullptr) {
      throw std::invalid_argument(fmt::format("{} is a metric without a map, which takes no chart", space.name));
    }
    change_chart(space, reference, parse_chart(space.dimension(), transform), applied);
  } else if (name == "damp") {
    space.manifold = damped(space.manifold, value_of(transform, 0, true));
  } else if (name == "floor") {
    applied.raised_to = value_of(transform, kLeastFloor, true) * scale_of(space, sigma);
    space.manifold = floored(space.manifold, applied.raised_to);
  } else {
    const Matrix L = value_of(transform, 0, false) * covariance_root(reference);
    applied.deviation = L.rowwise().norm();
    space.manifold = smoothed(space.manifold, L);
  }
}

// By how much lengths changed, both metrics seen in the new chart.
void measure_change(const std::shared_ptr<const Manifold>& before, const OpenedSpace& space, const Matrix& points,
                    AppliedTransform& applied, Workspace& workspace) {
  if (applied.chart.size() > 0) {  // no length changes
    applied.points = static_cast<int>(points.cols());
    return;
  }
  const LengthFactors factors = length_factors(*before, *space.manifold, points, workspace);
  int touched = 0;
  for (Eigen::Index k = 0; k < points.cols(); ++k) {
    if (std::isnan(factors.smallest(k))) continue;
    ++applied.points;
    applied.least_factor = std::min(applied.least_factor, factors.smallest(k));
    applied.largest_factor = std::max(applied.largest_factor, factors.largest(k));
    if (factors.smallest(k) < 1 - kTouched || factors.largest(k) > 1 + kTouched) ++touched;
  }
  applied.touched = applied.points > 0 ? static_cast<double>(touched) / applied.points : 0;
}

}  // namespace

TransformedName split_transforms(std::string_view specification) {
  TransformedName out{std::string(specification), {}};
  std::error_code error;
  if (std::filesystem::is_regular_file(out.base, error)) return out;
  for (auto at = out.base.rfind('@'); at != std::string::npos; at = out.base.rfind('@')) {
    const std::string last = out.base.substr(at + 1);
    if (!is_transform(last)) {
      if (is_path(last) || std::filesystem::exists(out.base, error)) break;
      throw std::invalid_argument(fmt::format("{:.80}: unknown transform \"{:.40}\"; valid transforms: {}",
                                              specification, last, kValidTransforms));
    }
    out.transforms.insert(out.transforms.begin(), last);
    out.base.resize(at);
    if (std::filesystem::is_regular_file(out.base, error)) break;
  }
  return out;
}

OpenedSpace apply_transforms(OpenedSpace space, const std::vector<std::string>& transforms) {
  Reference reference = reference_of(space);
  Workspace workspace;
  const int n = space.dimension();
  if (!space.transformation.plain) {
    space.transformation.plain = space.manifold;
    space.transformation.chart = Matrix::Identity(n, n);
  }
  Matrix sigma = singular_values_at(*space.manifold, reference.reported(), workspace);
  for (const std::string& transform : transforms) {
    AppliedTransform applied;
    applied.text = transform;
    applied.where = reference.where;
    applied.kappa_before = kappa_quantiles(sigma);
    const std::shared_ptr<const Manifold> before = space.manifold;
    apply(transform, space, reference, sigma, applied, workspace);
    const Matrix points = reference.reported();
    sigma = singular_values_at(*space.manifold, points, workspace);
    applied.kappa_after = kappa_quantiles(sigma);
    measure_change(before, space, points, applied, workspace);
    space.name += '@' + transform;
    space.transformation.transforms.push_back(std::move(applied));
  }
  return space;
}

PlainView plain_view(const OpenedSpace& space, const Curve& curve, int samples) {
  const Transformation& transformation = space.transformation;
  const Curve plain = curve.transformed(transformation.chart, Vector::Zero(transformation.chart.rows()));
  Workspace workspace;
  const Measurement measured = measure(*transformation.plain, plain, workspace);
  return {measured.length, measured.length_error, plain.position(uniform_times(samples))};
}

}  // namespace pullback
