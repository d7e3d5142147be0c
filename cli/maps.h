// Fields over a plane of latent space, for pictures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pullback/cli/result_json.h"
#include "pullback/cli/session.h"
#include "pullback/manifold/data_region.h"
#include "pullback/manifold/manifold.h"

namespace pullback::cli {

// A rectangle in a plane of latent space: points origin + axes (x, y), axes orthonormal, n×2.
struct LatentPlane {
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
LatentPlane whole_plane();

// The plane through two points and, of the candidates, the one nearest to their middle that is not on their line.
LatentPlane plane_through(const ConstVectorRef& from, const ConstVectorRef& to, const ConstMatrixRef& candidates);

// The plane through the mean of the points along their two directions of largest variance; n ≥ 2.
LatentPlane principal_plane(const ConstMatrixRef& points);

// The plane of pictures of a space with data: latent space itself in two dimensions, else principal_plane() of the
// codes; its square holds the codes and `margin` deviations of the data around them. n ≥ 2.
LatentPlane data_plane(const OpenedSpace& space, const DataRegion& region, double margin);

// log10 of magnification √det M and condition κ at grid×grid points of the rectangle, row by row from the lowest y;
// where there are data, also log10 of ρ/r, which is 0 on the border of their region.
struct Maps {
  LatentPlane plane;
  int grid = 0;
  std::vector<double> log_magnification;  // −∞ where J loses rank, NaN where there is no metric
  std::vector<double> log_condition;
  std::vector<double> log_distance;  // empty: no region
};

Maps compute_maps(const Manifold& manifold, LatentPlane plane, int grid, const DataRegion* region = nullptr);

// {"x": [lo, hi], "y": [lo, hi], "grid", "magnification": […], "condition": […], "distance": […]}, null where not
// finite.
Json as_json(const Maps& maps);

// The same for a file that holds many: each field as {"low", "high", "bytes"}, base64 of one byte a point, 0 where not
// finite, otherwise 1 to 255 for values from low to high, which are the 0.5 % and 99.5 % quantiles.
Json as_small_json(const Maps& maps);

// Points (2×K) in a rectangle as base64 of two bytes each, 0 to 255 from side to side.
std::string small_points(const LatentPlane& plane, const ConstMatrixRef& coordinates);

// Points (2×K) as [[x, y], …] with as many digits as a picture shows.
Json points_json(const ConstMatrixRef& points);

}  // namespace pullback::cli
