#include "pullback/analysis/inspection.h"

#include <random>

namespace pullback {

Matrix uniform_box(int dimension, Interval interval) {
  Matrix box(dimension, 2);
  box.col(0).setConstant(interval.low);
  box.col(1).setConstant(interval.high);
  return box;
}

Matrix inspected_box(const OpenedSpace& space, const std::optional<DataRegion>& region, Interval otherwise) {
  if (space.codes.cols() == 0) return uniform_box(space.dimension(), otherwise);
  Matrix box(space.dimension(), 2);
  box.col(0) = space.codes.rowwise().minCoeff();
  box.col(1) = space.codes.rowwise().maxCoeff();
  if (region) {
    const Vector margin = kInspectedMargin * region->factor().colwise().norm();
    box.col(0) -= margin;
    box.col(1) += margin;
  }
  return box;
}

Matrix box_points(const ConstMatrixRef& box, int grid) {
  const Eigen::Index n = box.rows();
  if (n == 1) return Vector::LinSpaced(grid, box(0, 0), box(0, 1)).transpose();
  Matrix points(n, static_cast<Eigen::Index>(grid) * grid);
  if (n == 2) {
    const Vector x = Vector::LinSpaced(grid, box(0, 0), box(0, 1));
    const Vector y = Vector::LinSpaced(grid, box(1, 0), box(1, 1));
    for (Eigen::Index i = 0; i < points.cols(); ++i) points.col(i) << x(i % grid), y(i / grid);
    return points;
  }
  std::mt19937_64 random(1);
  constexpr double kUnit = 0x1p-53;
  for (Eigen::Index i = 0; i < points.cols(); ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      points(j, i) = box(j, 0) + (box(j, 1) - box(j, 0)) * static_cast<double>(random() >> 11) * kUnit;
    }
  }
  return points;
}

LatentPlane inspected_plane(const OpenedSpace& space, const std::optional<DataRegion>& region,
                            const ConstMatrixRef& box) {
  const Eigen::Index n = box.rows();
  if (n > 2 && region) return data_plane(space, *region, kInspectedMargin);
  LatentPlane plane{Vector::Zero(n), Matrix::Identity(n, 2)};
  if (n > 2) plane.origin.tail(n - 2) = box.rowwise().mean().tail(n - 2);
  plane.x_low = box(0, 0);
  plane.x_high = box(0, 1);
  plane.y_low = box(1, 0);
  plane.y_high = box(1, 1);
  return plane;
}

}  // namespace pullback
