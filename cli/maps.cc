#include "pullback/cli/maps.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/manifold/measure.h"

namespace pullback::cli {

namespace {

constexpr double kMargin = 0.06;        // of the rectangle's side
constexpr double kFlatTriangle = 0.25;  // a third point nearer to the line than this share of the segment says little

// Four significant digits after the point are below a pixel and a shade of colour.
Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  constexpr double kScale = 1e4;
  return std::round(value * kScale) / kScale;
}

Json rounded(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(rounded(value));
  return list;
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

Maps compute_maps(const Manifold& manifold, LatentPlane plane, int grid) {
  Maps maps{std::move(plane), grid, {}, {}};
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
  }
  return maps;
}

Json as_json(const Maps& maps) {
  return {{"x", {maps.plane.x_low, maps.plane.x_high}},
          {"y", {maps.plane.y_low, maps.plane.y_high}},
          {"grid", maps.grid},
          {"magnification", rounded(maps.log_magnification)},
          {"condition", rounded(maps.log_condition)}};
}

Json points_json(const ConstMatrixRef& points) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < points.cols(); ++i) list.push_back({rounded(points(0, i)), rounded(points(1, i))});
  return list;
}

}  // namespace pullback::cli
