#include "pullback/cli/maps.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>

#include "pullback/cli/statistics.h"
#include "pullback/cli/strips.h"
#include "pullback/manifold/measure.h"

namespace pullback::cli {

namespace {

constexpr double kMargin = 0.06;        // of the rectangle's side
constexpr double kFlatTriangle = 0.25;  // a third point nearer to the line than this share of the segment says little

// Four significant digits after the point are below a pixel and a shade of colour.
constexpr double kScale = 1e4;

Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * kScale) / kScale;
}

Json rounded(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(rounded(value));
  return list;
}

// A field in bytes: see as_small_json().
Json small_field(const std::vector<double>& values) {
  constexpr double kTail = 0.005;
  constexpr double kShades = 254;
  std::vector<double> finite;
  std::ranges::copy_if(values, std::back_inserter(finite), [](double value) { return std::isfinite(value); });
  const double low = finite.empty() ? 0 : quantile(finite, kTail);
  const double high = finite.empty() ? 1 : std::max(quantile(finite, 1 - kTail), low + 1 / kScale);
  std::string bytes;
  for (const double value : values) {
    const double share = std::clamp((value - low) / (high - low), 0.0, 1.0);
    bytes.push_back(
        static_cast<char>(static_cast<unsigned char>(std::isfinite(value) ? 1 + std::lround(kShades * share) : 0)));
  }
  return {{"low", rounded(low)}, {"high", rounded(high)}, {"bytes", base64(bytes)}};
}

}  // namespace

void LatentPlane::enclose(const ConstMatrixRef& coordinates) {
  const Vector low = coordinates.rowwise().minCoeff();
  const Vector high = coordinates.rowwise().maxCoeff();
  const Vector middle = (low + high) / 2;
  const double extent = (high - low).maxCoeff();
  const double half = (0.5 + kMargin) * (extent > 0 ? extent : 1);
  x_low = middle(0) - half;
  x_high = middle(0) + half;
  y_low = middle(1) - half;
  y_high = middle(1) + half;
}

LatentPlane whole_plane() { return {Vector::Zero(2), Matrix::Identity(2, 2)}; }

LatentPlane plane_through(const ConstVectorRef& from, const ConstVectorRef& to, const ConstMatrixRef& candidates) {
  const double length = (to - from).norm();
  LatentPlane plane{from, Matrix(from.size(), 2)};
  plane.axes.col(0) = (to - from) / length;
  const auto offset = [&](const ConstVectorRef& point) -> Vector {
    const Vector delta = point - from;
    return delta - plane.axes.col(0) * plane.axes.col(0).dot(delta);
  };
  // Without a candidate: the coordinate axis that is most across.
  Eigen::Index across = 0;
  plane.axes.col(0).cwiseAbs().minCoeff(&across);
  Vector second = offset(from + Vector::Unit(from.size(), across));
  double nearest = std::numeric_limits<double>::infinity();
  for (Eigen::Index i = 0; i < candidates.cols(); ++i) {
    const double distance = (candidates.col(i) - (from + to) / 2).norm();
    const Vector candidate = offset(candidates.col(i));
    if (distance < nearest && candidate.norm() > kFlatTriangle * length) {
      nearest = distance;
      second = candidate;
    }
  }
  plane.axes.col(1) = second.normalized();
  return plane;
}

LatentPlane principal_plane(const ConstMatrixRef& points) {
  const Vector mean = points.rowwise().mean();
  const Matrix centred = points.colwise() - mean;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(centred * centred.transpose());
  return {mean, solver.eigenvectors().rightCols(2).rowwise().reverse()};
}

LatentPlane data_plane(const OpenedSpace& space, const DataRegion& region, double margin) {
  LatentPlane plane = space.dimension() == 2 ? whole_plane() : principal_plane(space.codes);
  const Matrix codes = plane.project(space.codes);
  const Vector around = margin * (region.factor() * plane.axes).colwise().norm().transpose();
  Matrix corners(2, 2);
  corners << codes.rowwise().minCoeff() - around, codes.rowwise().maxCoeff() + around;
  plane.enclose(corners);
  return plane;
}

Maps compute_maps(const Manifold& manifold, LatentPlane plane, int grid, const DataRegion* region) {
  Maps maps{std::move(plane), grid, {}, {}, {}};
  Workspace workspace;
  const Vector x = Vector::LinSpaced(grid, maps.plane.x_low, maps.plane.x_high);
  const Vector y = Vector::LinSpaced(grid, maps.plane.y_low, maps.plane.y_high);
  Matrix coordinates(2, grid);
  coordinates.row(0) = x.transpose();
  for (int row = 0; row < grid; ++row) {
    coordinates.row(1).setConstant(y(row));
    const Matrix sigma = singular_values(manifold, maps.plane.at(coordinates), workspace);
    const Vector magnification = log_magnification(sigma) / std::log(10.0);
    const Vector condition = condition_number(sigma).array().log10();
    maps.log_magnification.insert(maps.log_magnification.end(), magnification.begin(), magnification.end());
    maps.log_condition.insert(maps.log_condition.end(), condition.begin(), condition.end());
    if (region == nullptr) continue;
    const Vector distance = (region->distance(maps.plane.at(coordinates)) / region->radius()).array().log10();
    maps.log_distance.insert(maps.log_distance.end(), distance.begin(), distance.end());
  }
  return maps;
}

Json as_json(const Maps& maps) {
  return {{"x", {maps.plane.x_low, maps.plane.x_high}},
          {"y", {maps.plane.y_low, maps.plane.y_high}},
          {"grid", maps.grid},
          {"magnification", rounded(maps.log_magnification)},
          {"condition", rounded(maps.log_condition)},
          {"distance", rounded(maps.log_distance)}};
}

Json as_small_json(const Maps& maps) {
  return {{"x", {rounded(maps.plane.x_low), rounded(maps.plane.x_high)}},
          {"y", {rounded(maps.plane.y_low), rounded(maps.plane.y_high)}},
          {"grid", maps.grid},
          {"magnification", small_field(maps.log_magnification)},
          {"condition", small_field(maps.log_condition)},
          {"distance", small_field(maps.log_distance)}};
}

std::string small_points(const LatentPlane& plane, const ConstMatrixRef& coordinates) {
  constexpr double kLast = 255;
  const auto byte = [](double value, double low, double high) {
    return static_cast<char>(
        static_cast<unsigned char>(std::lround(std::clamp((value - low) / (high - low), 0.0, 1.0) * kLast)));
  };
  std::string bytes;
  for (Eigen::Index i = 0; i < coordinates.cols(); ++i) {
    bytes.push_back(byte(coordinates(0, i), plane.x_low, plane.x_high));
    bytes.push_back(byte(coordinates(1, i), plane.y_low, plane.y_high));
  }
  return base64(bytes);
}

Json points_json(const ConstMatrixRef& points) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < points.cols(); ++i) list.push_back({rounded(points(0, i)), rounded(points(1, i))});
  return list;
}

}  // namespace pullback::cli
