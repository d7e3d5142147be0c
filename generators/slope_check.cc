#include "pullback/generators/slope_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <utility>

#include "pullback/generators/extrapolated_difference.h"

namespace pullback::internal {
namespace {

using Eigen::Index;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kUncertaintyFactor = 10;  // a difference's disagreement is an estimate of its error, not a bound
constexpr double kDecisive = 0.01;         // a reference less certain than this, relative, decides nothing

// The longest step, relative to 1 + |z|, and the factor to the next that is tried.
constexpr double kLongest = 0.1;
constexpr double kShorter = 0.01;
constexpr int kTries = 4;

// Numbers in one evaluation, which bounds the memory.
constexpr Index kNumbersAtOnce = 20'000'000;

struct Question {
  Index column = 0;
  bool contradicted = false;  // by the step before
};

DerivativeVerdict verdict_of(const SlopeReference& reference, const Eigen::Ref<const Vector>& got) {
  if (reference.undecided) return DerivativeVerdict::kUndecided;
  const bool agrees = ((got - reference.expected).array().abs() <= reference.allowed.array()).all();
  return agrees ? DerivativeVerdict::kAgrees : DerivativeVerdict::kWrong;
}

// The samples of each question's differences, one question after the other.
Matrix sample_around(const DifferencedFunction& g, const Matrix& Z, const Matrix& V,
                     std::span<const Question> questions, double step, Index rows) {
  Matrix points(Z.rows(), kDifferenceSamples * static_cast<Index>(questions.size()));
  std::vector<Index> owners;
  for (const Question& question : questions) {
    const auto z = Z.col(question.column);
    points.middleCols(static_cast<Index>(owners.size()), kDifferenceSamples) =
        z.replicate(1, kDifferenceSamples) + V.col(question.column) * difference_offsets(step * (1 + z.norm()));
    owners.insert(owners.end(), kDifferenceSamples, question.column);
  }
  Matrix samples(rows, points.cols());
  g(points, owners, samples);
  return samples;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

SlopeReference slope_reference(const Matrix& samples, double h, double size, double relative, double negligible,
                               double noise) {
  const Difference difference = extrapolated_difference(samples, h, size, noise);
  // What a change of the function by itself over 1 + |z| amounts to: a derivative far below it is as good as 0.
  const double natural = samples.col(0).lpNorm<Eigen::Infinity>() / (1 + size);
  const double largest = difference.derivative.lpNorm<Eigen::Infinity>();
  SlopeReference reference;
  reference.expected = difference.derivative;
  reference.scale = std::max({largest, negligible * natural, std::numeric_limits<double>::min()});
  reference.allowed = kUncertaintyFactor * difference.uncertainty;
  reference.allowed.array() += relative * largest;
  reference.kink = difference.kink;
  reference.undecided = difference.kink || !(reference.allowed.maxCoeff() <= kDecisive * reference.scale);
  if (relative > negligible) reference.allowed.array() += negligible * natural;
  return reference;
}

std::vector<DerivativeVerdict> judge_slopes(const DifferencedFunction& g, const Matrix& Z, const Matrix& V,
                                            const Matrix& got, double tolerance, double noise) {
  const double negligible = std::max(std::sqrt(kEpsilon), 10 * noise);
  std::vector<DerivativeVerdict> verdicts(static_cast<std::size_t>(Z.cols()), DerivativeVerdict::kUndecided);
  std::vector<Question> open;
  for (Index m = 0; m < Z.cols(); ++m) open.push_back({m, false});
  const auto most = static_cast<std::size_t>(std::max<Index>(1, kNumbersAtOnce / (kDifferenceSamples * got.rows())));
  double step = kLongest;
  for (int t = 0; t < kTries && !open.empty(); ++t, step *= kShorter) {
    std::vector<Question> still_open;
    for (std::size_t first = 0; first < open.size(); first += most) {
      const std::span part = std::span(open).subspan(first, std::min(most, open.size() - first));
      const Matrix samples = sample_around(g, Z, V, part, step, got.rows());
      for (std::size_t i = 0; i < part.size(); ++i) {
        const auto [m, contradicted] = part[i];
        const double size = Z.col(m).norm();
        const auto own = samples.middleCols(kDifferenceSamples * static_cast<Index>(i), kDifferenceSamples);
        const DerivativeVerdict now =
            verdict_of(slope_reference(own, step * (1 + size), size, tolerance, negligible, noise), got.col(m));
        // A contradiction stands unless the next shorter step agrees.
        const bool settled = now == DerivativeVerdict::kAgrees || contradicted;
        verdicts[static_cast<std::size_t>(m)] =
            settled && now != DerivativeVerdict::kAgrees ? DerivativeVerdict::kWrong : now;
        if (!settled) still_open.push_back({m, now == DerivativeVerdict::kWrong});
      }
    }
    open = std::move(still_open);
  }
  return verdicts;
}

void SlopeTally::add(DerivativeVerdict verdict) {
  if (verdict == DerivativeVerdict::kAgrees) ++agreed;
  if (verdict == DerivativeVerdict::kUndecided) ++undecided;
  if (verdict == DerivativeVerdict::kWrong) ++wrong;
}

SlopeTally tally(const std::vector<DerivativeVerdict>& verdicts) {
  SlopeTally all;
  for (const DerivativeVerdict verdict : verdicts) all.add(verdict);
  return all;
}

double value_noise(const DifferencedFunction& g, const Matrix& Z, const Matrix& V, Index rows) {
  constexpr int kSamples = 7;
  constexpr double kStep = 1e-6;
  const Vector binomials = (Vector(kSamples) << 1, -6, 15, -20, 15, -6, 1).finished() / std::sqrt(924.0);
  Matrix points(Z.rows(), kSamples * Z.cols());
  std::vector<Index> owners;
  for (Index m = 0; m < Z.cols(); ++m) {
    const double step = kStep * (1 + Z.col(m).norm());
    for (int s = 0; s < kSamples; ++s) {
      points.col(kSamples * m + s) = Z.col(m) + (s - kSamples / 2) * step * V.col(m);
      owners.push_back(m);
    }
  }
  Matrix samples(rows, points.cols());
  g(points, owners, samples);
  std::vector<double> noises;
  for (Index m = 0; m < Z.cols(); ++m) {
    const auto block = samples.middleCols(kSamples * m, kSamples);
    const double largest = block.cwiseAbs().maxCoeff();
    if (block.allFinite() && largest > 0) noises.push_back((block * binomials).cwiseAbs().maxCoeff() / largest);
  }
  return std::max(kEpsilon, median(std::move(noises)));
}

Matrix random_directions(Index rows, Index count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  const Matrix M = Matrix::NullaryExpr(rows, count, [&] { return normal(random); });
  return M.colwise().normalized();
}

SlopeProbes slope_probes(int dimension, int ambient, const ConstMatrixRef& given) {
  constexpr Index kEach = 4;  // from each distribution, and of the points given
  // Each question costs 25 evaluations: fewer directions where one is large.
  const Index directions = static_cast<double>(dimension) * ambient > 1e5 || dimension == 1 ? 1 : 2;
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> box(0.2, 1.8);
  Matrix points(dimension, 3 * kEach + std::min(kEach, given.cols()));
  for (Index k = 0; k < points.cols(); ++k) {
    for (Index i = 0; i < dimension; ++i) {
      points(i, k) = k < kEach ? normal(random) : k < 2 * kEach ? 4 * normal(random) : box(random);
    }
    if (k >= 3 * kEach) points.col(k) = given.col((k - 3 * kEach) * given.cols() / (points.cols() - 3 * kEach));
  }
  return {points.replicate(1, directions), random_directions(dimension, directions * points.cols(), 4)};
}

}  // namespace pullback::internal
