#include "pullback/spaces/charts.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "pullback/base/parse.h"
#include "pullback/base/random.h"

namespace pullback {

namespace {

constexpr ChartKind kKinds[] = {ChartKind::kRotated, ChartKind::kSqueezed, ChartKind::kSheared};

// Uniformly distributed: the Q of a Gaussian matrix with the signs of R's diagonal.
Matrix random_rotation(int dimension, Random& random) {
  const Eigen::HouseholderQR<Matrix> qr(random.normal_matrix(dimension, dimension));
  Matrix q = qr.householderQ();
  for (int i = 0; i < dimension; ++i) {
    if (qr.matrixQR()(i, i) < 0) q.col(i) *= -1;
  }
  return q;
}

Vector spread(int dimension, double kappa) {
  Vector s(dimension);
  for (int i = 0; i < dimension; ++i) s(i) = std::pow(kappa, -static_cast<double>(i) / std::max(1, dimension - 1));
  return s;
}

// Blocks (1/√κ) [1 a; 0 1] with a = √κ − 1/√κ, whose singular values are 1 and 1/κ.
Chart shear(int dimension, double kappa) {
  const double root = std::sqrt(kappa);
  const double a = root - 1 / root;
  Chart chart{Matrix::Identity(dimension, dimension), Matrix::Identity(dimension, dimension)};
  for (int i = 0; i + 1 < dimension; i += 2) {
    chart.matrix.block<2, 2>(i, i) << 1 / root, a / root, 0, 1 / root;
    chart.inverse.block<2, 2>(i, i) << root, -a * root, 0, root;
  }
  return chart;
}

[[noreturn]] void refuse(std::string_view part) {
  throw std::invalid_argument(fmt::format(
      "chart \"{:.40}\": expected kappa=K with K from 1, chart=rotated, squeezed or sheared, or seed=S", part));
}

}  // namespace

const char* to_string(ChartKind kind) {
  switch (kind) {
    case ChartKind::kRotated:
      return "rotated";
    case ChartKind::kSqueezed:
      return "squeezed";
    case ChartKind::kSheared:
      return "sheared";
  }
  return "unknown";
}

Chart make_chart(ChartKind kind, int dimension, double kappa, std::uint64_t seed) {
  if (!(kappa >= 1) || !std::isfinite(kappa)) {
    throw std::invalid_argument(fmt::format("a chart's kappa must be a finite number from 1, got {}", kappa));
  }
  if (dimension < 2 && kappa != 1) throw std::invalid_argument("a chart of one coordinate has kappa=1");
  if (kind == ChartKind::kSheared) return shear(dimension, kappa);
  Random random(seed);
  const Matrix U = random_rotation(dimension, random);
  const Matrix V =
      kind == ChartKind::kRotated ? random_rotation(dimension, random) : Matrix(Matrix::Identity(dimension, dimension));
  const Vector s = spread(dimension, kappa);
  return {U * s.asDiagonal() * V.transpose(), V * s.cwiseInverse().asDiagonal() * U.transpose()};
}

Chart parse_chart(int dimension, std::string_view chart) {
  constexpr double kMostSeed = 9e15;  // what a double counts exactly
  ChartKind kind = ChartKind::kRotated;
  double kappa = 1;
  double seed = 1;
  for (const std::string_view part : split(chart, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) refuse(part);
    const std::string_view key = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    const auto number = number_fault(value).empty() ? parse_number(value) : std::nullopt;
    if (key == "kappa" && number && *number >= 1 && std::isfinite(*number)) {
      kappa = *number;
    } else if (key == "seed" && number && *number >= 0 && *number <= kMostSeed && *number == std::floor(*number)) {
      seed = *number;
    } else if (key == "chart" && std::ranges::any_of(kKinds, [&](ChartKind k) { return value == to_string(k); })) {
      kind = *std::ranges::find_if(kKinds, [&](ChartKind k) { return value == to_string(k); });
    } else {
      refuse(part);
    }
  }
  return make_chart(kind, dimension, kappa, static_cast<std::uint64_t>(seed));
}

}  // namespace pullback
