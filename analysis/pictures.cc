#include "pullback/analysis/pictures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <tuple>
#include <utility>

#include "pullback/analysis/comparison_summary.h"
#include "pullback/base/parse.h"
#include "pullback/manifold/curves/measure.h"

namespace pullback {

namespace {

constexpr Eigen::Index kSampledCodes = 200;  // enough to see which range the pixels have
constexpr int kEnclosedPoints = 65;          // of a curve

// Everything that the rectangle of a plane must hold.
Matrix content_of(const Study& study, const StudyPart& part, const std::vector<std::size_t>& shown,
                  const LatentPlane& plane) {
  constexpr double kFar = 1.5;  // from the middle of the ends, in distances of the ends
  const bool codes = part.space.dimension() == 2 && part.space.codes.cols() > 0;
  Matrix content = plane.project(codes ? part.space.codes : Matrix(part.space.dimension(), 0));
  const auto append = [&](const ConstMatrixRef& point) {
    content.conservativeResize(2, content.cols() + 1);
    content.rightCols(1) = plane.project(point);
  };
  for (const std::size_t i : shown) {
    const StudyPair& pair = part.pairs[i];
    append(pair.from);
    append(pair.to);
    for (std::size_t s = 0; s < study.solvers.size() && !codes; ++s) {
      const auto& result = study.result(part, i, s);
      if (!result || result->curve.empty()) continue;
      const Matrix points = result->curve.position(uniform_times(kEnclosedPoints));
      for (const auto& point : points.colwise()) {
        if ((point - (pair.from + pair.to) / 2).norm() <= kFar * (pair.to - pair.from).norm()) append(point);
      }
    }
  }
  return content;
}

// The range of the pixels: [0, 1] of a sigmoid, [−1, 1] of a tanh, otherwise what is met.
std::pair<double, double> pixel_range(const Generator& generator, const Matrix& codes) {
  const Matrix points = codes.cols() > 0 ? Matrix(codes.leftCols(std::min(codes.cols(), kSampledCodes)))
                                         : Matrix::Zero(generator.latent_dimension(), 1);
  const Matrix images = generator.value(points);
  const double low = images.minCoeff();
  const double high = images.maxCoeff();
  constexpr double kSlack = 1e-3;
  if (low >= -kSlack && high <= 1 + kSlack) return {0, 1};
  if (low >= -1 - kSlack && high <= 1 + kSlack) return {-1, 1};
  return {low, high};
}

}  // namespace

Matrix projected(const LatentPlane& plane, const Curve& curve, int count) {
  return curve.empty() ? Matrix(2, 0) : plane.project(curve.position(uniform_times(count)));
}

LatentPlane codes_plane(const ConstMatrixRef& codes, double margin) {
  LatentPlane plane = codes.rows() == 2 ? whole_plane() : principal_plane(codes);
  const Matrix inside = plane.project(codes);
  const Vector middle = 0.5 * (inside.rowwise().minCoeff() + inside.rowwise().maxCoeff());
  plane.enclose(((inside.colwise() - middle) * margin).colwise() + middle);
  return plane;
}

std::vector<std::size_t> shown_pairs(const Study& study, const StudyPart& part, const std::vector<double>& best,
                                     std::size_t most) {
  std::vector<std::pair<double, std::size_t>> spread;
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    double worst = 0;
    bool any = false;
    for (std::size_t s = 0; s < study.solvers.size(); ++s) {
      const auto& result = study.result(part, i, s);
      if (!result) continue;
      any = true;
      worst = std::max(worst, length_ratio(*result, best[i]));
    }
    if (any) spread.emplace_back(part.pairs[i].kind == "sevens" ? std::numeric_limits<double>::infinity() : worst, i);
  }
  std::ranges::stable_sort(spread, std::greater<>(), &std::pair<double, std::size_t>::first);
  std::vector<std::size_t> shown;
  for (const auto& [ratio, pair] : spread) {
    if (shown.size() < most) shown.push_back(pair);
  }
  return shown;
}

LatentPlane pair_plane(const Study& study, const StudyPart& part, std::size_t pair,
                       const std::vector<std::size_t>& shown) {
  LatentPlane plane = part.space.dimension() == 2
                          ? whole_plane()
                          : plane_through(part.pairs[pair].from, part.pairs[pair].to, part.space.codes);
  plane.enclose(content_of(study, part, shown, plane));
  return plane;
}

double straight_length(const OpenedSpace& space, const StudyPair& pair) {
  Workspace workspace;
  return measure(*space.manifold, Curve::straight(pair.from, pair.to), workspace).length;
}

std::optional<StripMaker> StripMaker::for_space(const OpenedSpace& space) {
  const auto image = space.metadata.find("image");
  const Generator* generator = space.manifold->generator();
  if (image == space.metadata.end() || generator == nullptr) return std::nullopt;
  const auto sides = split(image->second, ',');
  if (sides.size() != 2) return std::nullopt;
  const double height = parse_number(sides[0]).value_or(0);
  const double width = parse_number(sides[1]).value_or(0);
  if (!(height >= 1 && width >= 1 && height * width == generator->ambient_dimension())) return std::nullopt;
  return StripMaker(space, static_cast<int>(height), static_cast<int>(width));
}

StripMaker::StripMaker(const OpenedSpace& space, int height, int width)
    : manifold_(space.manifold.get()), height_(height), width_(width) {
  std::tie(black_, white_) = pixel_range(*manifold_->generator(), space.codes);
}

std::string StripMaker::strip(const Curve& curve, int count) const {
  if (curve.empty()) return "";
  Workspace workspace;
  const Vector times = constant_speed_times(*manifold_, curve, count - 1, workspace);
  if (!times.allFinite()) return "";
  const Matrix images = manifold_->generator()->value(curve.position(times));
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(images.size()));
  for (const double value : images.reshaped()) {
    const double grey = 255 * (value - black_) / (white_ - black_);
    bytes.push_back(
        static_cast<char>(static_cast<unsigned char>(std::isfinite(grey) ? std::clamp(grey + 0.5, 0.0, 255.0) : 0)));
  }
  return bytes;
}

}  // namespace pullback
