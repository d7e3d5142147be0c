#include "pullback/analysis/maps.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <cmath>
#include <limits>
#include <utility>

#include "pullback/manifold/curves/measure.h"

namespace pullback {

namespace {

constexpr double kMargin = 0.06;        // of the rectangle's side
constexpr double kFlatTriangle = 0.25;  // a third point nearer to the line than this share of the segment says little

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

}  // namespace pullback
