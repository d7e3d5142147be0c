#include "pullback/analysis/jacobian_survey.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pullback/base/statistics.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/solvers/certificate.h"

namespace pullback {

namespace {

constexpr Eigen::Index kBatch = 128;

// The values at each point where the metric is finite.
struct Samples {
  std::vector<double> kappa, sigma_max, sigma_min, magnification;
  std::vector<std::vector<double>> reach;
};

void collect(const Manifold& manifold, const ConstMatrixRef& points, Workspace& workspace, JacobianSurvey& survey,
             Samples& samples) {
  const Matrix sigma = singular_values(manifold, points, workspace);
  const Vector kappa = condition_number(sigma);
  const Vector log_volume = log_magnification(sigma);
  Matrix metric(points.rows(), points.rows() * points.cols());
  manifold.metric(points, metric, workspace);
  for (Eigen::Index k = 0; k < points.cols(); ++k) {
    if (!sigma.col(k).allFinite()) {
      ++survey.undefined;
      continue;
    }
    const double largest = sigma(0, k);
    const double smallest = sigma(sigma.rows() - 1, k);
    if (!(smallest > CertificateLimits().singular * largest)) ++survey.singular;
    samples.kappa.push_back(kappa(k));
    samples.sigma_max.push_back(largest);
    samples.sigma_min.push_back(smallest);
    samples.magnification.push_back(std::exp(log_volume(k)));
    for (Eigen::Index j = 0; j < points.rows(); ++j) {
      samples.reach[static_cast<std::size_t>(j)].push_back(std::sqrt(std::max(0.0, metric(j, points.rows() * k + j))));
    }
  }
}

}  // namespace

std::vector<double> quantiles(const std::vector<double>& values) {
  std::vector<double> at_levels;
  for (const double level : kQuantileLevels) at_levels.push_back(quantile(values, level));
  return at_levels;
}

JacobianSurvey survey(const Manifold& manifold, const ConstMatrixRef& points, const std::string& where) {
  JacobianSurvey survey;
  survey.where = where;
  survey.points = static_cast<int>(points.cols());
  Samples samples;
  samples.reach.resize(static_cast<std::size_t>(points.rows()));
  Workspace workspace;
  for (Eigen::Index first = 0; first < points.cols(); first += kBatch) {
    collect(manifold, points.middleCols(first, std::min(kBatch, points.cols() - first)), workspace, survey, samples);
  }
  survey.kappa = quantiles(samples.kappa);
  survey.sigma_max = quantiles(samples.sigma_max);
  survey.sigma_min = quantiles(samples.sigma_min);
  survey.magnification = quantiles(samples.magnification);
  for (auto& reach : samples.reach) survey.reach.push_back(quantile(std::move(reach), 0.5));
  return survey;
}

std::vector<int> collapsed_coordinates(const JacobianSurvey& survey) {
  const double strongest = *std::ranges::max_element(survey.reach);
  std::vector<int> collapsed;
  for (std::size_t j = 0; j < survey.reach.size(); ++j) {
    if (survey.reach[j] < kCollapsed * strongest) collapsed.push_back(static_cast<int>(j));
  }
  return collapsed;
}

}  // namespace pullback
