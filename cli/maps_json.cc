#include "pullback/cli/maps_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "pullback/analysis/summary_fields.h"
#include "pullback/base/statistics.h"
#include "pullback/cli/base64.h"
#include "pullback/cli/fields_json.h"

namespace pullback::cli {

namespace {

// Four significant digits after the point are below a pixel and a shade of colour.
constexpr double kScale = 1e4;

Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * kScale) / kScale;
}

// A field in bytes: see as_small_json().
Json small_field(const std::vector<double>& values) {
  constexpr double kTail = 0.005;
  constexpr double kShades = 254;
  std::vector<double> finite;
  std::ranges::copy_if(values, std::back_inserter(finite), [](double value) { return std::isfinite(value); });
  const double low = finite.empty() ? 0 : quantile(finite, kTail);
  const double high = finite.empty() ? 1 : std::max(quantile(finite, 1 - kTail), low + 1 / kScale);
  std::string bytes;
  for (const double value : values) {
    const double share = std::clamp((value - low) / (high - low), 0.0, 1.0);
    bytes.push_back(
        static_cast<char>(static_cast<unsigned char>(std::isfinite(value) ? 1 + std::lround(kShades * share) : 0)));
  }
  return {{"low", rounded(low)}, {"high", rounded(high)}, {"bytes", base64(bytes)}};
}

// Fields over the plane in bytes, all else as numbers.
struct SmallMapWriter {
  void operator()(const char* name, const std::vector<double>& field) { json[name] = small_field(field); }
  void operator()(const char* name, const std::array<double, 2>& side) {
    json[name] = {rounded(side[0]), rounded(side[1])};
  }
  void operator()(const char* name, int number) { json[name] = number; }

  Json json = Json::object();
};

}  // namespace

Json as_json(const Maps& maps) {
  Json json = fields_json(maps, rounded);
  json["x"] = {maps.plane.x_low, maps.plane.x_high};
  json["y"] = {maps.plane.y_low, maps.plane.y_high};
  return json;
}

Json as_small_json(const Maps& maps) {
  SmallMapWriter writer;
  visit_fields(maps, writer);
  return std::move(writer.json);
}

std::string small_points(const LatentPlane& plane, const ConstMatrixRef& coordinates) {
  constexpr double kLast = 255;
  const auto byte = [](double value, double low, double high) {
    return static_cast<char>(
        static_cast<unsigned char>(std::lround(std::clamp((value - low) / (high - low), 0.0, 1.0) * kLast)));
  };
  std::string bytes;
  for (Eigen::Index i = 0; i < coordinates.cols(); ++i) {
    bytes.push_back(byte(coordinates(0, i), plane.x_low, plane.x_high));
    bytes.push_back(byte(coordinates(1, i), plane.y_low, plane.y_high));
  }
  return base64(bytes);
}

Json points_json(const ConstMatrixRef& points) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < points.cols(); ++i) list.push_back({rounded(points(0, i)), rounded(points(1, i))});
  return list;
}

}  // namespace pullback::cli
