#include "mixing.h"

#include <algorithm>
#include <cmath>

namespace interpolation_data {
namespace {

using Eigen::Index;

double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

Index choose(std::size_t count, std::mt19937_64& random) { return static_cast<Index>(random() % count); }

}  // namespace

const char* to_string(Mixing mixing) {
  switch (mixing) {
    case Mixing::kNone:
      return "not mixed";
    case Mixing::kDecoded:
      return "decoded, not mixed";
    case Mixing::kInputs:
      return "inputs, straight";
    case Mixing::kCodes:
      return "codes, straight";
    case Mixing::kGeodesics:
      return "codes, geodesics";
  }
  return "";
}

double random_weight(double alpha, std::mt19937_64& random) {
  while (true) {
    const double x = std::pow(uniform(random), 1 / alpha);
    const double y = std::pow(uniform(random), 1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

pullback::Vector point_on_path(const pullback::Matrix& path, double t) {
  const double position = std::clamp(t, 0.0, 1.0) * static_cast<double>(path.cols() - 1);
  const Index before = std::min(static_cast<Index>(position), path.cols() - 2);
  const double share = position - static_cast<double>(before);
  return (1 - share) * path.col(before) + share * path.col(before + 1);
}

MixedBatch draw_batch(Mixing mixing, const Digits& digits, const std::vector<Pair>& pairs,
                      const pullback::Generator& decoder, int size, double alpha, int classes, std::mt19937_64& random,
                      pullback::Workspace& workspace) {
  const int mixed = size / 2;
  MixedBatch batch{Images(digits.images.rows(), size), Targets::Zero(classes, size)};
  pullback::Matrix codes(digits.codes.rows(), mixed);
  const auto label = [&](Index digit) { return digits.labels[static_cast<std::size_t>(digit)]; };
  for (Index k = 0; k < size; ++k) {
    const Index digit = choose(digits.labels.size(), random);
    const Pair& pair = pairs[static_cast<std::size_t>(choose(pairs.size(), random))];
    double t = random_weight(alpha, random);
    if (k >= mixed || mixing == Mixing::kNone) {
      batch.images.col(k) = digits.images.col(digit);
      batch.targets(label(digit), k) = 1;
      continue;
    }
    if (mixing == Mixing::kDecoded) t = std::round(t);
    const auto s = static_cast<float>(t);
    batch.targets(label(pair.a), k) += 1 - s;
    batch.targets(label(pair.b), k) += s;
    if (mixing == Mixing::kInputs) {
      batch.images.col(k) = (1 - s) * digits.images.col(pair.a) + s * digits.images.col(pair.b);
    } else if (mixing == Mixing::kGeodesics) {
      codes.col(k) = point_on_path(pair.path, t);
    } else {
      codes.col(k) = (1 - t) * digits.codes.col(pair.a) + t * digits.codes.col(pair.b);
    }
  }
  if (mixing == Mixing::kNone || mixing == Mixing::kInputs) return batch;
  pullback::Matrix decoded(decoder.ambient_dimension(), mixed);
  decoder.value(codes, decoded, workspace);
  batch.images.leftCols(mixed) = decoded.cast<float>();
  return batch;
}

}  // namespace interpolation_data
