#include "pullback/spaces/model_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "pullback/base/error.h"

namespace pullback {

namespace {

constexpr double kLeftToPrior = 0.1;  // deviation of codes below which a VAE's encoder says nothing: KL < 0.01 nats

Vector stated_deviations(const std::string& name, const std::string& text, Eigen::Index dimension) {
  const auto list = nlohmann::json::parse(text, nullptr, false);
  const auto positive = [](const nlohmann::json& entry) { return entry.is_number() && entry.get<double>() > 0; };
  if (!list.is_array() || static_cast<Eigen::Index>(list.size()) != dimension || !std::ranges::all_of(list, positive)) {
    throw Error(
        fmt::format("{}: \"code_deviation\" is {:.60}, expected a list of {} positive numbers", name, text, dimension));
  }
  Vector deviations(dimension);
  for (Eigen::Index j = 0; j < dimension; ++j) deviations(j) = list[static_cast<std::size_t>(j)].get<double>();
  return deviations;
}

}  // namespace

Matrix posterior_blur(const std::string& name, const Matrix& codes,
                      const std::map<std::string, std::string>& metadata) {
  const Eigen::Index n = codes.rows();
  if (codes.cols() < 2) return Matrix(n, 0);
  const Vector variance = (codes.colwise() - codes.rowwise().mean()).array().square().rowwise().mean();
  const auto stated = metadata.find("code_deviation");
  const auto kind = metadata.find("kind");
  Vector deviations = variance.cwiseSqrt();
  if (stated != metadata.end()) {
    deviations = stated_deviations(name, stated->second, n);
  } else if (kind != metadata.end() && kind->second == "vae") {
    deviations = (deviations.array() < kLeftToPrior).select(1.0, deviations);
  }
  const Vector blur = (deviations.array().square() - variance.array()).max(0).sqrt();
  if (blur.isZero(0)) return Matrix(n, 0);
  return blur.asDiagonal();
}

std::optional<DataRegion> region_of(const OpenedSpace& space) {
  if (space.codes.cols() < 2) return std::nullopt;
  return DataRegion(space.codes, space.blur);
}

}  // namespace pullback
