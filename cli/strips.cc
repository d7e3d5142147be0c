#include "pullback/cli/strips.h"
#include "pullback/base/parse.h"

#include <algorithm>
#include <cmath>

#include "pullback/cli/arguments.h"

namespace pullback::cli {

namespace {

constexpr Eigen::Index kSampledCodes = 200;  // enough to see which range the pixels have

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
  return base64(bytes);
}

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned triple = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      triple = triple << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) text.push_back(j <= count ? kDigits[triple >> (18 - 6 * j) & 63U] : '=');
  }
  return text;
}

}  // namespace pullback::cli
