#include "pullback/generators/adaptive_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace pullback::internal {
namespace {

using Eigen::Index;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kStepFactor = 30;
constexpr int kMostShorter = 6;
constexpr int kMostLonger = 2;
// An estimate with a smaller relative error needs no other step.
constexpr double kGood = 1e-6;
// Not 2: where h is near a period of the function, 2h would be as near to another, and agree with it on a wrong slope.
constexpr double kRatio = 1.7;
constexpr std::array<double, 5> kOffsets = {1, -1, kRatio, -kRatio, 0};

// The exponents balance the truncation of a formula, h⁴ or h², against rounding, noise/h or noise/h².
double first_step(const DifferenceOptions& options) {
  const bool first = options.order == DifferenceOrder::kFirst;
  const double exponent = options.smooth ? (first ? 1.0 / 5 : 1.0 / 6) : (first ? 1.0 / 3 : 1.0 / 4);
  return std::pow(std::max(options.noise, kEpsilon), exponent);
}

struct Estimate {
  double truncation = kInfinity;  // absolute, as the formulas of two steps tell
  double rounding = kInfinity;
  double size = 0;
  double negligible = 0;

  double error() const { return truncation + rounding; }
  double relative_error() const { return error() / std::max(size, negligible); }
};

// Estimates that tell at least the first digit are compared by relative error, since steps of many wave lengths give
// small ones; of others, which are zero for all that is known, the smallest is as good as any.
bool better(const Estimate& a, const Estimate& b) {
  constexpr double kTelling = 0.1;
  const bool a_tells = a.relative_error() < kTelling;
  const bool b_tells = b.relative_error() < kTelling;
  if (a_tells != b_tells) return a_tells;
  return a_tells ? a.relative_error() < b.relative_error() : a.error() < b.error();
}

// The search for the step of one column.
struct Search {
  double step = 0;
  double unit = 0;    // 1 + |z| in the parameter t
  double centre = 0;  // |z| likewise: what the rounding of z + tv is relative to
  Estimate best;
  int moves = 0;  // below 0: shorter, above: longer
  bool done = false;
};

// Whether the samples may follow the function: formulas for two steps also agree by accident where a step is many wave
// lengths long, but then what is odd and what is even in the samples of some component are as large as one another.
bool may_be_resolved(const ConstMatrixRef& samples, bool first) {
  constexpr double kSmall = 0.1;
  constexpr double kOfValues = 0.01;  // for where the leading part is zero, as at an extremum
  const auto s = samples.array();
  const Eigen::ArrayXd odd = (s.col(2) - s.col(3)).abs();
  const Eigen::ArrayXd even = (s.col(0) + s.col(1) - s.col(2) - s.col(3)).abs();
  // First: the even part against the odd one. Second: slopes over both steps against one another.
  const Eigen::ArrayXd left = first ? even : (kRatio * (s.col(0) - s.col(1)) - (s.col(2) - s.col(3))).abs();
  const Eigen::ArrayXd right = first ? odd : odd + even;
  return (left <= kSmall * right || left <= kOfValues * s.abs().rowwise().maxCoeff()).all();
}

class Differences {
 public:
  Differences(const DifferenceOptions& options, MatrixRef D) : options_(options), D_(D) {}

  // From the samples at kOffsets around column k.
  Estimate take(const ConstMatrixRef& samples, const Search& search, Eigen::Ref<Vector> derivative) const {
    const bool first = options_.order == DifferenceOrder::kFirst;
    const double h = search.step;
    Estimate estimate;
    Vector other;
    if (first) {
      derivative = (samples.col(0) - samples.col(1)) / (2 * h);
      other = (samples.col(2) - samples.col(3)) / (2 * kRatio * h);
    } else {
      derivative = (samples.col(0) + samples.col(1) - 2 * samples.col(4)) / (h * h);
      other = (samples.col(2) + samples.col(3) - 2 * samples.col(4)) / (kRatio * kRatio * h * h);
    }
    const double apart = (derivative - other).lpNorm<Eigen::Infinity>();
    const double slope = (samples.col(2) - samples.col(3)).lpNorm<Eigen::Infinity>() / (2 * kRatio * h);
    const double largest = samples.lpNorm<Eigen::Infinity>();
    derivative += (derivative - other) / (kRatio * kRatio - 1);
    if (!derivative.allFinite() || !std::isfinite(apart)) return estimate;
    estimate.size = derivative.lpNorm<Eigen::Infinity>();
    estimate.truncation = estimate.size > 0 ? apart * std::min(1.0, apart / estimate.size) : apart;
    if (!may_be_resolved(samples, first)) estimate.truncation = std::max(apart, estimate.size);
    const double off = std::max(options_.noise, kEpsilon) * largest + kEpsilon * search.centre * slope;
    estimate.rounding = first ? 1.5 * off / h : 4 * off / (h * h);
    estimate.negligible = options_.negligible * (first ? largest : slope) / search.unit;
    return estimate;
  }

  // Keeps the best estimate and chooses the next step.
  void use(const ConstMatrixRef& samples, Index k, Search& search) {
    Vector derivative(D_.rows());
    const Estimate estimate = take(samples, search, derivative);
    if (search.moves == 0 || better(estimate, search.best)) {
      D_.col(k) = derivative;
      search.best = estimate;
    }
    const bool shorter = estimate.truncation == kInfinity || estimate.truncation > estimate.rounding;
    const bool turned = shorter ? search.moves > 0 : search.moves < 0;
    search.moves += shorter ? -1 : 1;
    search.done =
        estimate.relative_error() <= kGood || turned || search.moves < -kMostShorter || search.moves > kMostLonger;
    search.step *= shorter ? 1 / kStepFactor : kStepFactor;
  }

 private:
  const DifferenceOptions& options_;
  MatrixRef D_;
};

std::vector<Search> first_searches(const ConstMatrixRef& Z, const ConstMatrixRef& V, const DifferenceOptions& options) {
  std::vector<Search> searches(static_cast<std::size_t>(Z.cols()));
  for (Index k = 0; k < Z.cols(); ++k) {
    Search& search = searches[static_cast<std::size_t>(k)];
    const double speed = V.col(k).stableNorm();
    search.done = speed == 0 || !std::isfinite(speed) || !Z.col(k).allFinite();
    search.centre = Z.col(k).stableNorm() / speed;
    search.unit = 1 / speed + search.centre;
    search.step = first_step(options) * search.unit;
  }
  return searches;
}

}  // namespace

void adaptive_difference(const DifferencedFunction& g, const ConstMatrixRef& Z, const ConstMatrixRef& V,
                         const DifferenceOptions& options, MatrixRef D, Workspace& ws) {
  const Index used = options.order == DifferenceOrder::kFirst ? 4 : 5;
  std::vector<Search> searches = first_searches(Z, V, options);
  Differences differences(options, D);
  for (Index k = 0; k < Z.cols(); ++k) {  // what needs no search
    D.col(k).setConstant(Z.col(k).allFinite() && V.col(k).allFinite() ? 0 : std::numeric_limits<double>::quiet_NaN());
  }
  std::vector<Index> owners;
  while (true) {
    owners.clear();
    for (Index k = 0; k < Z.cols(); ++k) {
      if (!searches[static_cast<std::size_t>(k)].done) owners.insert(owners.end(), static_cast<std::size_t>(used), k);
    }
    if (owners.empty()) return;
    Workspace::Frame frame(ws);
    const auto count = static_cast<Index>(owners.size());
    auto points = frame.matrix(Z.rows(), count);
    auto samples = frame.matrix(D.rows(), count);
    for (Index c = 0; c < count; ++c) {
      const Index k = owners[static_cast<std::size_t>(c)];
      const double offset = kOffsets[static_cast<std::size_t>(c % used)];
      points.col(c) = Z.col(k) + offset * searches[static_cast<std::size_t>(k)].step * V.col(k);
    }
    g(points, owners, samples);
    for (Index c = 0; c < count; c += used) {
      const Index k = owners[static_cast<std::size_t>(c)];
      differences.use(samples.middleCols(c, used), k, searches[static_cast<std::size_t>(k)]);
    }
  }
}

}  // namespace pullback::internal
