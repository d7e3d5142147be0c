// Fields over a plane of latent space, for pictures.
#pragma once

#include <vector>

#include "pullback/base/export.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/manifold/manifold.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// A rectangle in a plane of latent space: points origin + axes (x, y), axes orthonormal, n×2.
struct PULLBACK_EXPORT LatentPlane {
  Vector origin;
  Matrix axes;
  double x_low = 0, x_high = 0, y_low = 0, y_high = 0;

  // Coordinates in the plane of the foot of the perpendicular: 2×K.
  Matrix project(const ConstMatrixRef& points) const { return axes.transpose() * (points.colwise() - origin); }
  Matrix at(const ConstMatrixRef& coordinates) const { return (axes * coordinates).colwise() + origin; }

  // Makes the rectangle the square that just holds these points (2×K, at least one), with a margin.
  void enclose(const ConstMatrixRef& coordinates);
};

// The latent space itself, n = 2; the rectangle is empty.
PULLBACK_EXPORT LatentPlane whole_plane();

// The plane through two points and, of the candidates, the one nearest to their middle that is not on their line.
PULLBACK_EXPORT LatentPlane plane_through(const ConstVectorRef& from, const ConstVectorRef& to,
                                          const ConstMatrixRef& candidates);

// The plane through the mean of the points along their two directions of largest variance; n ≥ 2.
PULLBACK_EXPORT LatentPlane principal_plane(const ConstMatrixRef& points);

// The plane of pictures of a space with data: latent space itself in two dimensions, else principal_plane() of the
// codes; its square holds the codes and `margin` deviations of the data around them. n ≥ 2.
PULLBACK_EXPORT LatentPlane data_plane(const OpenedSpace& space, const DataRegion& region, double margin);

// log10 of magnification √det M and condition κ at grid×grid points of the rectangle, row by row from the lowest y;
// where there are data, also log10 of ρ/r, which is 0 on the border of their region.
struct PULLBACK_EXPORT Maps {
  LatentPlane plane;
  int grid = 0;
  std::vector<double> log_magnification;  // −∞ where J loses rank, NaN where there is no metric
  std::vector<double> log_condition;
  std::vector<double> log_distance;  // empty: no region
};

// `region`: that of the data, or null. Errors: StopRequested (base/stop.h). Cost: grid² metrics, in batches of a row.
// Thread safety: from any thread.
PULLBACK_EXPORT Maps compute_maps(const Manifold& manifold, LatentPlane plane, int grid,
                                  const DataRegion* region = nullptr);

}  // namespace pullback
