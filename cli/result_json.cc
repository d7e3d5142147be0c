#include "pullback/cli/result_json.h"

#include <cmath>
#include <optional>
#include <string>

#include "pullback/analysis/text.h"
#include "pullback/solvers/certificate.h"

namespace pullback::cli {

namespace {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

Json as_json(const Condition& condition) {
  return {{"kappa_max", number(condition.kappa_max)},
          {"kappa_infinite", std::isinf(condition.kappa_max)},
          {"sigma_min", number(condition.sigma_min)},
          {"degenerate", condition.degenerate},
          {"degenerate_fraction", number(condition.degenerate_fraction)},
          {"regularisation", number(condition.regularisation)}};
}

}  // namespace

Json as_json(const ConstVectorRef& vector) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < vector.size(); ++i) list.push_back(number(vector(i)));
  return list;
}

Json as_json(const Certificate& certificate, Termination termination) {
  return {{"termination", to_string(termination)},
          {"length", number(certificate.length)},
          {"energy", number(certificate.energy)},
          {"length_error", number(certificate.length_error)},
          {"endpoint_error", number(certificate.endpoint_error)},
          {"speed_variation", number(certificate.speed_variation)},
          {"residual", number(certificate.residual)},
          {"second_variation", number(certificate.second_variation)},
          {"second_variation_error", number(certificate.second_variation_error)},
          {"max_turning_angle", number(certificate.max_turning_angle)},
          {"conjugate_point", number(certificate.conjugate_point)},
          {"condition", as_json(certificate.condition)},
          {"shorter_known", number(certificate.shorter_known)},
          {"metric_length", number(certificate.metric_length)},
          {"relative_excess", number(certificate.relative_excess)},
          {"numerical_error", number(certificate.numerical_error)},
          {"disagreement", number(certificate.disagreement)},
          {"refinement", number(certificate.refinement)},
          {"shortening", number(certificate.shortening)},
          {"derivatives",
           {{"first", name_of(certificate.first_derivative)},
            {"second", name_of(certificate.second_derivative)},
            {"error", number(certificate.derivative_error)}}},
          {"complete", certificate.complete}};
}

Json as_json(const Effort& effort) {
  EvaluationCounts counts = effort.evaluations;
  return {{"values", counts.values},
          {"jacobians", counts.jacobians},
          {"second_derivatives", counts.second_derivatives},
          {"products", counts.products},
          {"metrics", counts.metrics},
          {"iterations", effort.iterations},
          {"seconds", number(effort.seconds)},
          {"solver_seconds", number(effort.solver_seconds)},
          {"certificate_seconds", number(effort.certificate_seconds)},
          {"generator_seconds", number(counts.seconds)}};
}

namespace {

Json columns_json(const Matrix& points) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < points.cols(); ++i)
    list.push_back(pullback::cli::as_json(ConstVectorRef(points.col(i))));
  return list;
}

}  // namespace

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

Json as_json(const GeodesicResult& result, int samples) {
  Certificate certificate = result.certificate;
  if (result.curve.empty()) {
    certificate = unmeasured_certificate();
    certificate.shorter_known = result.certificate.shorter_known;
  }
  return {{"termination", to_string(result.termination)},
          {"message", result.message},
          {"length", number(certificate.length)},
          {"length_error", number(certificate.length_error)},
          {"energy", number(certificate.energy)},
          {"seconds", number(result.effort.seconds)},
          {"certificate", as_json(certificate, result.termination)},
          {"effort", as_json(result.effort)},
          {"curve", as_json(result.curve, samples)},
          {"nodes", nodes_json(result.curve)}};
}

std::string as_text(const Json& json) {
  // Strings that are not UTF-8 (a plugin's message) must not end the program.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pullback::cli
