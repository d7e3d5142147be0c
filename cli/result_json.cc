#include "pullback/cli/result_json.h"

#include <fmt/format.h>

#include <stdexcept>

namespace pullback::cli {

Json as_json(const ConstVectorRef& vector) {
  Json list = Json::array();
  for (const double x : vector) list.push_back(number_json(x));
  return list;
}

Json columns_json(const ConstMatrixRef& points) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < points.cols(); ++i) list.push_back(as_json(ConstVectorRef(points.col(i))));
  return list;
}

Json as_json(const Curve& curve, int samples) {
  if (curve.empty()) return {{"t", Json::array()}, {"z", Json::array()}};
  const Vector times = uniform_times(samples);
  return {{"t", as_json(ConstVectorRef(times))}, {"z", columns_json(curve.position(times))}};
}

Json nodes_json(const Curve& curve) {
  return {{"t", as_json(ConstVectorRef(curve.times()))},
          {"z", columns_json(curve.positions())},
          {"velocity", columns_json(curve.velocities())},
          {"acceleration", curve.quintic() ? columns_json(curve.accelerations()) : Json(nullptr)}};
}

Curve read_nodes(const JsonView& nodes, int dimension) {
  const Vector times = nodes.at("t").vector();
  if (times.size() == 0) return {};
  const Matrix positions = nodes.at("z").columns(dimension);
  const Matrix velocities = nodes.at("velocity").columns(dimension);
  try {
    if (nodes.at("acceleration").json().is_null()) return {times, positions, velocities};
    return {times, positions, velocities, nodes.at("acceleration").columns(dimension)};
  } catch (const std::invalid_argument& error) {
    nodes.fail(fmt::format("nodes of a curve ({})", error.what()));
  }
}

Json as_json(const GeodesicResult& result, int samples) {
  Json json = fields_json(result);
  json["curve"] = as_json(result.curve, samples);
  json["nodes"] = nodes_json(result.curve);
  return json;
}

std::string as_text(const Json& json) {
  // Strings that are not UTF-8 (a plugin's message) must not end the program.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pullback::cli
