// How a Jacobian is conditioned over many points.
#pragma once

#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// The levels at which quantiles are given: from the smallest to the largest value.
inline constexpr double kQuantileLevels[] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};

// At those levels; infinite values are the largest, NaN must not be among them. All NaN of nothing.
PULLBACK_EXPORT std::vector<double> quantiles(const std::vector<double>& values);

// Quantiles over a set of points; infinite values count as the largest, points where the metric is not finite are left
// out and counted.
struct PULLBACK_EXPORT JacobianSurvey {
  std::string where;  // "the box", "the codes"
  int points = 0;
  int undefined = 0;          // points at which the metric is not finite
  int singular = 0;           // points at which J is numerically singular
  std::vector<double> kappa;  // one value for each level
  std::vector<double> sigma_max;
  std::vector<double> sigma_min;
  std::vector<double> magnification;
  // For each latent coordinate the median of ‖∂f/∂z_j‖.
  std::vector<double> reach;
};

// `points`: n×K, K ≥ 1. `where` names them for people.
// Errors: StopRequested (base/stop.h). Cost: two metrics for each point. Thread safety: from any thread.
PULLBACK_EXPORT JacobianSurvey survey(const Manifold& manifold, const ConstMatrixRef& points, const std::string& where);

// A coordinate is collapsed when it moves the output less than this share of what the strongest coordinate does.
inline constexpr double kCollapsed = 1e-2;

// Collapsed coordinates, from 0, by the survey's `reach`.
PULLBACK_EXPORT std::vector<int> collapsed_coordinates(const JacobianSurvey& survey);

}  // namespace pullback
