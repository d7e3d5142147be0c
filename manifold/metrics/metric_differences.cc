// Derivatives of a metric of which only numbers are known.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/manifold/metrics/metric_field.h"

namespace pullback {
namespace {

using Eigen::Index;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The longest of a triple of steps to begin with, as a part of the direction (whose length is 1 in the metric). Short,
// so that nothing between the samples is missed: rounding is then 1e-12 of the metric in the first derivative and 1e-10
// in the second.
constexpr std::array<double, 2> kFirstStep{0.01, 0.04};
// An error of this part of the derivative, or of the metric, is small enough.
constexpr std::array<double, 2> kTolerance{1e-9, 1e-7};
// By what a refused step is made smaller or larger, and how often at most: from 0.01 down to the spacing of doubles.
constexpr double kStepChange = 6;
constexpr int kMostMoves = 20;

constexpr int kLevels = 3;
constexpr int kSamples = 2 * kLevels;
// Numbers of a metric at a time.
constexpr Index kBatchDoubles = 1 << 17;

double level_step(double h, int level) { return h / (1 << level); }

// The derivative along one direction at one point, sought by changing the step.
struct Search {
  Index point;
  Vector direction;
  double step;
  Vector derivative = {};  // the best so far
  double error = kInfinity;
  double contradiction =
      kInfinity;     // how far the estimates with the next shorter and longer step are from it, the less
  Vector last = {};  // the estimate before
  int moves = 0;
  int heading = 0;  // −1: steps have been made smaller, 1: larger
  bool settled = false;
};

// The spacing of doubles at x, in units of u.
double spacing_along(const ConstVectorRef& x, const Vector& u) {
  const Vector moving = (u.array() != 0).select(x, Vector::Zero(x.size()));
  const double size = u.stableNorm();
  return size > 0 ? kEpsilon * moving.stableNorm() / size : 0;
}

struct Estimate {
  Vector derivative;
  double error = kInfinity;
  bool rounded = false;  // rounding is most of the error
  bool finite = false;
};

// What entry 0 of `series` tends to, whose errors are powers of the halved step: `ratio` is by what the first one
// falls, `growth` how the next ones' ratios grow.
Estimate extrapolate(const std::array<Vector, kLevels>& series, double ratio, double growth, double rounding) {
  const Vector coarse = series[1] + (series[1] - series[0]) / (ratio - 1);
  const Vector fine = series[2] + (series[2] - series[1]) / (ratio - 1);
  Estimate out;
  out.derivative = fine + (fine - coarse) / (ratio * growth - 1);
  out.error = (out.derivative - fine).norm() + rounding;
  out.finite = out.derivative.allFinite();
  out.rounded = 2 * rounding > out.error;
  return out;
}

// Columns of `samples`: at h, −h, h/2, −h/2, h/4, −h/4. `spacing` is that of doubles at the point, in units of the
// direction.
Estimate estimate(const Matrix& samples, const Vector& centre, double h, int order, double spacing) {
  const auto plus = [&](int level) { return samples.col(2 * level); };
  const auto minus = [&](int level) { return samples.col(2 * level + 1); };
  const double shortest = level_step(h, kLevels - 1);
  const double slope = samples.allFinite() ? (plus(0) - minus(0)).norm() / (2 * h) : 0;
  const double noise =
      2 * (kEpsilon * centre.norm() + slope * spacing) / (order == 1 ? shortest : 0.25 * shortest * shortest);
  std::array<Vector, kLevels> series;
  if (samples.allFinite()) {
    for (int level = 0; level < kLevels; ++level) {
      const double step = level_step(h, level);
      series[level] = order == 1 ? Vector((plus(level) - minus(level)) / (2 * step))
                                 : Vector(((plus(level) - centre) + (minus(level) - centre)) / (step * step));
    }
    return extrapolate(series, 4, 4, noise);
  }
  for (const double side : {1.0, -1.0}) {
    const auto at = [&](int level) { return side > 0 ? plus(level) : minus(level); };
    if (!at(0).allFinite() || !at(1).allFinite() || !at(2).allFinite()) continue;
    for (int level = 0; level < kLevels; ++level) {
      series[level] = side * (at(level) - centre) / level_step(h, level);
    }
    if (order == 1) return extrapolate(series, 2, 2, noise);
    // Slopes over h, h/2 and h/4 differ by the second derivative times half of the difference of these steps.
    const Vector coarse = side * (series[0] - series[1]) / level_step(h, 2);
    const Vector fine = side * (series[1] - series[2]) / level_step(h, 3);
    Estimate out{2 * fine - coarse, (fine - coarse).norm() + 4 * noise, false, true};
    out.rounded = 8 * noise > out.error;
    return out;
  }
  return {};
}

// Keeps the best estimate, and decides on the next step: shorter, unless rounding is in the way. Longer steps than that
// would agree on the wrong slope of what they step over.
void take(const Estimate& now, const Vector& centre, double tolerance, Search& search) {
  if (now.finite) {
    const auto apart = [&](const Vector& other) {
      return other.size() > 0 ? (now.derivative - other).norm() : kInfinity;
    };
    if (now.error < search.error) {
      search.derivative = now.derivative;
      search.error = now.error;
      search.contradiction = apart(search.last);
    } else {
      search.contradiction = std::min(search.contradiction, apart(search.derivative));
    }
    search.last = now.derivative;
  }
  const double size = std::max(centre.norm(), search.derivative.size() > 0 ? search.derivative.norm() : 0);
  const int heading = now.finite && now.rounded ? 1 : -1;
  const bool good = search.error <= tolerance * size;
  search.settled = good || !centre.allFinite() || heading * search.heading < 0 || ++search.moves > kMostMoves;
  // An estimate that is not good may agree with itself by chance.
  if (search.settled && !good && std::isfinite(search.contradiction)) {
    search.error = std::max(search.error, search.contradiction);
  }
  search.heading = heading;
  if (!search.settled) search.step *= heading > 0 ? kStepChange : 1 / kStepChange;
}

class DifferencedField final : public MetricField {
 public:
  DifferencedField(int dimension, MetricFunction metric)
      : MetricField(dimension, Derivative::kFiniteDifference), metric_(std::move(metric)) {}

  void metric(const ConstMatrixRef& X, MatrixRef M, Workspace& ws) const override {
    const Eigen::Index n = X.rows();
    for (Workspace::Parts parts(ws, Workspace::Kind::kMetric, this, X.cols()); parts.next();) {
      metric_(X.middleCols(parts.first(), parts.size()), M.middleCols(n * parts.first(), n * parts.size()), ws);
    }
  }

  Vector first(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& Y, MatrixRef F, MatrixRef B,
               Workspace& ws) const override;
  void second(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& y, MatrixRef C,
              Workspace& ws) const override;

 private:
  // What of M at a point is differentiated, as a vector.
  using View = std::function<Vector(Index point, const Matrix& M)>;

  void differentiate(const ConstMatrixRef& X, const Matrix& centres, int order, const View& view,
                     std::vector<Search>& searches, Workspace& ws) const;
  void step(const ConstMatrixRef& X, const Matrix& centres, int order, const View& view,
            const std::vector<Search*>& searches, Workspace& ws) const;
  // The view at every point, as columns.
  Matrix views(const ConstMatrixRef& X, const View& view, Workspace& ws) const;

  MetricFunction metric_;
};

Matrix DifferencedField::views(const ConstMatrixRef& X, const View& view, Workspace& ws) const {
  const Index n = dimension();
  const Index batch = std::max<Index>(1, kBatchDoubles / (n * n));
  Matrix out;
  for (Index k = 0; k < X.cols(); k += batch) {
    const Index count = std::min(batch, X.cols() - k);
    Workspace::Frame frame(ws);
    auto M = frame.matrix(n, n * count);
    metric(X.middleCols(k, count), M, ws);
    for (Index i = 0; i < count; ++i) {
      const Vector seen = view(k + i, M.middleCols(n * i, n));
      if (out.size() == 0) out.resize(seen.size(), X.cols());
      out.col(k + i) = seen;
    }
  }
  return out;
}

// One triple of steps for each of the searches, whose next steps it decides on.
void DifferencedField::step(const ConstMatrixRef& X, const Matrix& centres, int order, const View& view,
                            const std::vector<Search*>& searches, Workspace& ws) const {
  Matrix points(X.rows(), kSamples * static_cast<Index>(searches.size()));
  for (std::size_t s = 0; s < searches.size(); ++s) {
    for (int sample = 0; sample < kSamples; ++sample) {
      const double h = level_step(searches[s]->step, sample / 2);
      points.col(kSamples * static_cast<Index>(s) + sample) =
          X.col(searches[s]->point) + (sample % 2 == 0 ? h : -h) * searches[s]->direction;
    }
  }
  const Matrix samples = views(
      points,
      [&](Index i, const Matrix& M) { return view(searches[static_cast<std::size_t>(i / kSamples)]->point, M); }, ws);
  for (std::size_t s = 0; s < searches.size(); ++s) {
    Search& search = *searches[s];
    const Vector centre = centres.col(search.point);
    const Estimate now = estimate(samples.middleCols(kSamples * static_cast<Index>(s), kSamples), centre, search.step,
                                  order, spacing_along(X.col(search.point), search.direction));
    take(now, centre, kTolerance[static_cast<std::size_t>(order - 1)], search);
  }
}

// The first search finds the step from which all others start: neighbours on a curve change on the same scale.
void DifferencedField::differentiate(const ConstMatrixRef& X, const Matrix& centres, int order, const View& view,
                                     std::vector<Search>& searches, Workspace& ws) const {
  for (std::size_t i = 0; i < searches.size(); ++i) {
    Search& pilot = searches[i];
    while (!pilot.settled) step(X, centres, order, view, {&pilot}, ws);
    if (pilot.derivative.size() == 0) continue;  // not finite there
    for (std::size_t j = i + 1; j < searches.size(); ++j) searches[j].step = pilot.step;
    break;
  }
  const std::size_t batch = 64;
  std::vector<Search*> open;
  for (Search& search : searches) {
    if (!search.settled) open.push_back(&search);
  }
  while (!open.empty()) {
    const std::vector<Search*> now(open.end() - static_cast<std::ptrdiff_t>(std::min(batch, open.size())), open.end());
    open.resize(open.size() - now.size());
    step(X, centres, order, view, now, ws);
    std::ranges::copy_if(now, std::back_inserter(open), [](const Search* search) { return !search->settled; });
  }
  for (Search& search : searches) {
    if (search.derivative.size() > 0) continue;
    search.derivative = Vector::Constant(centres.rows(), std::numeric_limits<double>::quiet_NaN());
    search.error = std::numeric_limits<double>::quiet_NaN();
  }
}

Vector DifferencedField::first(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& Y, MatrixRef F,
                               MatrixRef B, Workspace& ws) const {
  const Index K = X.cols();
  const Index m = U.cols() / std::max<Index>(K, 1);
  const Index r = F.rows();
  const View view = [&](Index k, const Matrix& M) -> Vector {
    const Matrix vectors = Y.middleCols(r * k, r);
    const Matrix form = vectors.transpose() * (M * vectors);
    const Matrix symmetric = 0.5 * (form + form.transpose());
    return symmetric.reshaped();
  };
  const Matrix centres = views(X, view, ws);
  std::vector<Search> searches;
  for (Index k = 0; k < K; ++k) {
    F.middleCols(r * k, r) = centres.col(k).reshaped(r, r);
    for (Index l = 0; l < m; ++l) searches.push_back({k, U.col(m * k + l), kFirstStep[0]});
  }
  differentiate(X, centres, 1, view, searches, ws);
  Vector error = Vector::Zero(K);
  for (Index i = 0; i < static_cast<Index>(searches.size()); ++i) {
    const Search& search = searches[static_cast<std::size_t>(i)];
    B.middleCols(r * i, r) = search.derivative.reshaped(r, r);
    error(search.point) =
        search.error > error(search.point) || std::isnan(search.error) ? search.error : error(search.point);
  }
  return error;
}

// By polarisation: second differences along u_a and u_a + u_b.
void DifferencedField::second(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& y, MatrixRef C,
                              Workspace& ws) const {
  const Index K = X.cols();
  const Index m = C.rows();
  const View view = [&](Index k, const Matrix& M) -> Vector { return Vector::Constant(1, y.col(k).dot(M * y.col(k))); };
  const Matrix centres = views(X, view, ws);
  std::vector<Search> searches;
  for (Index k = 0; k < K; ++k) {
    for (Index a = 0; a < m; ++a) {
      for (Index b = 0; b <= a; ++b) {
        Vector direction = U.col(m * k + a);
        if (b != a) direction += U.col(m * k + b);
        searches.push_back({k, std::move(direction), kFirstStep[1]});
      }
    }
  }
  differentiate(X, centres, 2, view, searches, ws);
  std::size_t next = 0;
  for (Index k = 0; k < K; ++k) {
    auto block = C.middleCols(m * k, m);
    for (Index a = 0; a < m; ++a) {
      for (Index b = 0; b <= a; ++b) block(a, b) = searches[next++].derivative(0);
    }
    for (Index a = 0; a < m; ++a) {
      for (Index b = 0; b < a; ++b) block(b, a) = block(a, b) = 0.5 * (block(a, b) - block(a, a) - block(b, b));
    }
  }
}

}  // namespace

std::shared_ptr<const MetricField> metric_of_numbers(int dimension, MetricFunction metric) {
  if (!metric) throw std::invalid_argument("metric_of_numbers: the metric is null");
  return std::make_shared<DifferencedField>(dimension, std::move(metric));
}

}  // namespace pullback
