#include "pullback/cli/findings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "pullback/base/statistics.h"

namespace pullback::cli {

namespace {

// Deviations beyond the border of the data's region from which a geodesic is said to run far away.
constexpr double kFar = 3;

std::string share(int count, int total) { return fmt::format("{} of {} points", count, total); }

}  // namespace

std::vector<std::string> findings(const JacobianSurvey& survey) {
  std::vector<std::string> sentences;
  if (survey.undefined > 0) {
    sentences.push_back(
        fmt::format("At {} of {} the metric is not finite.", share(survey.undefined, survey.points), survey.where));
  }
  if (survey.singular > 0) {
    sentences.push_back(
        fmt::format("At {} of {} the Jacobian is numerically singular: directions there have no length, and geodesics "
                    "through them are not determined.",
                    share(survey.singular, survey.points), survey.where));
  }
  const double strongest = *std::ranges::max_element(survey.reach);
  for (const int j : collapsed_coordinates(survey)) {
    sentences.push_back(
        fmt::format("Over {} latent coordinate {} is collapsed: it moves the output {:.2g} times as much as the "
                    "strongest coordinate does (median).",
                    survey.where, j + 1, survey.reach[static_cast<std::size_t>(j)] / strongest));
  }
  return sentences;
}

std::vector<std::string> findings(const Characterisation& c) {
  std::vector<std::string> sentences;
  if (!c.collapsed.empty()) {
    std::vector<int> numbers = c.collapsed;
    for (int& j : numbers) ++j;
    const std::size_t median = std::size(kQuantileLevels) / 2;
    sentences.push_back(fmt::format(
        "{} of {} latent coordinates are collapsed (number {}): a deviation along them moves the output less than {:g} "
        "of what the strongest does. With them κ(J) is {:.3g} in the median over the data, without them {:.3g}.",
        numbers.size(), c.reach.size(), fmt::join(numbers, ", "), kCollapsed, c.inside.survey.kappa[median],
        c.inside.kept_kappa[median]));
  }
  if (c.outside.survey.singular > 0) {
    sentences.push_back(fmt::format("At {} of {} points around the data the Jacobian is numerically singular.",
                                    c.outside.survey.singular, c.outside.survey.points));
  }
  return sentences;
}

std::vector<std::string> findings(const std::vector<GeodesicPlace>& places, const DataRegion& region) {
  std::vector<double> far;
  for (const GeodesicPlace& place : places) {
    if (place.geodesic.farthest > region.radius() + kFar) far.push_back(place.geodesic.farthest);
  }
  if (far.empty()) return {};
  return {
      fmt::format("{} of {} geodesics between codes run more than {:g} standard deviations away from all data, the "
                  "farthest {:.3g}: lengths out there are those of an extrapolation.",
                  far.size(), places.size(), kFar, quantile(far, 1))};
}

std::vector<std::string> derivative_findings(const Generator* generator) {
  constexpr double kNoisy = 1e-11;
  std::vector<std::string> sentences;
  if (generator == nullptr) return sentences;
  const GeneratorTraits& traits = generator->traits();
  if (traits.first != Derivative::kExact) {
    sentences.push_back("First and second derivatives are finite differences of values.");
  } else if (traits.second != Derivative::kExact) {
    sentences.push_back("Second derivatives are finite differences of exact first ones.");
  }
  if (traits.noise > kNoisy) {
    sentences.push_back(
        fmt::format("The values are rounded to {:.0e} of their size: lower precision than double.", traits.noise));
  }
  return sentences;
}

}  // namespace pullback::cli
