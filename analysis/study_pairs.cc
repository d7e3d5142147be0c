#include "pullback/analysis/study_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "pullback/base/random.h"
#include "pullback/manifold/curves/measure.h"

namespace pullback {

namespace {

constexpr int kSeven = 7;

StudyPair pair_of_codes(const OpenedSpace& space, Eigen::Index a, Eigen::Index b) {
  StudyPair pair{"", "codes", space.codes.col(a), space.codes.col(b), {}, {}};
  if (!space.labels.empty()) {
    pair.from_label = space.labels[static_cast<std::size_t>(a)];
    pair.to_label = space.labels[static_cast<std::size_t>(b)];
    pair.kind = pair.from_label == pair.to_label ? "within" : "across";
  }
  return pair;
}

// Two sevens that differ much: the farthest apart of the nine tenths that lie nearest to their mean.
std::optional<StudyPair> two_sevens(const OpenedSpace& space) {
  std::vector<Eigen::Index> sevens;
  for (std::size_t i = 0; i < space.labels.size(); ++i) {
    if (space.labels[i] == kSeven) sevens.push_back(static_cast<Eigen::Index>(i));
  }
  if (sevens.size() < 2) return std::nullopt;
  Vector mean = Vector::Zero(space.codes.rows());
  for (const auto i : sevens) mean += space.codes.col(i) / static_cast<double>(sevens.size());
  std::ranges::sort(sevens, {}, [&](Eigen::Index i) { return (space.codes.col(i) - mean).norm(); });
  sevens.resize(std::max<std::size_t>(2, sevens.size() * 9 / 10));
  std::pair<Eigen::Index, Eigen::Index> best{sevens[0], sevens[1]};
  double farthest = 0;
  for (const auto i : sevens) {
    for (const auto j : sevens) {
      const double distance = (space.codes.col(i) - space.codes.col(j)).norm();
      if (distance > farthest) {
        farthest = distance;
        best = {i, j};
      }
    }
  }
  StudyPair pair = pair_of_codes(space, best.first, best.second);
  pair.name = "two sevens";
  pair.kind = "sevens";
  return pair;
}

// A pair of distinct codes, of one class or of two as asked where there are labels.
std::optional<StudyPair> draw_codes(const OpenedSpace& space, bool across, Random& random) {
  constexpr int kTries = 10'000;  // a class of one in a thousand is still met
  for (int i = 0; i < kTries; ++i) {
    StudyPair pair = pair_of_codes(space, random.index(space.codes.cols()), random.index(space.codes.cols()));
    if (pair.from == pair.to) continue;
    if (space.labels.empty() || (pair.from_label != pair.to_label) == across) return pair;
  }
  return std::nullopt;
}

// A point of the box from `low` to `high` at which the metric is finite and regular; nothing where there seems to be
// none.
std::optional<Vector> draw_regular(const OpenedSpace& space, const Vector& low, const Vector& high, Random& random,
                                   Workspace& workspace) {
  constexpr int kTries = 1'000;
  for (int i = 0; i < kTries; ++i) {
    Vector point(space.dimension());
    for (Eigen::Index k = 0; k < point.size(); ++k) point(k) = random.uniform(low(k), high(k));
    const double kappa = condition_number(singular_values(*space.manifold, point, workspace))(0);
    if (std::isfinite(kappa)) return point;
  }
  return std::nullopt;
}

StudyPair pair_in_box(const OpenedSpace& space, Interval box, Random& random, Workspace& workspace) {
  const Vector low = Vector::Constant(space.dimension(), box.low);
  const Vector high = Vector::Constant(space.dimension(), box.high);
  const auto from = draw_regular(space, low, high, random, workspace);
  const auto to = draw_regular(space, low, high, random, workspace);
  if (from && to) return {"", "box", *from, *to, {}, {}};
  throw std::invalid_argument(fmt::format("the box {},{}: {} has a regular metric nowhere in it, choose another",
                                          box.low, box.high, space.name));
}

// Ends drawn from the box that just holds the codes.
StudyPair pair_outside(const OpenedSpace& space, Random& random, Workspace& workspace) {
  const Vector low = space.codes.rowwise().minCoeff();
  const Vector high = space.codes.rowwise().maxCoeff();
  const auto from = draw_regular(space, low, high, random, workspace);
  const auto to = draw_regular(space, low, high, random, workspace);
  if (from && to) return {"", "outside", *from, *to, {}, {}};
  throw std::invalid_argument(
      fmt::format("pairs outside of the data: {} has a regular metric nowhere in the box of its codes", space.name));
}

void name_pair(StudyPair& pair, std::size_t number) {
  if (!pair.name.empty()) return;
  pair.name = pair.from_label && pair.to_label ? fmt::format("{}: {} to {}", number, *pair.from_label, *pair.to_label)
                                               : fmt::format("{}", number);
}

}  // namespace

std::vector<StudyPair> choose_pairs(const OpenedSpace& space, int count, std::uint64_t seed, Interval box,
                                    double outside) {
  Random random(seed);
  Workspace workspace;
  std::vector<StudyPair> pairs;
  if (auto sevens = two_sevens(space)) pairs.push_back(std::move(*sevens));
  const std::size_t first = pairs.size();
  for (int i = 0; i < count; ++i) {
    std::optional<StudyPair> pair;
    if (space.codes.cols() >= 2) {
      const bool next = std::floor((i + 1) * outside) > std::floor(i * outside);
      pair = next ? pair_outside(space, random, workspace) : draw_codes(space, i % 2 == 0, random);
    }
    if (!pair) pair = pair_in_box(space, box, random, workspace);
    pairs.push_back(std::move(*pair));
    name_pair(pairs.back(), pairs.size() - first);
  }
  return pairs;
}

}  // namespace pullback
