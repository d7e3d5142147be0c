#include "pullback/cli/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "pullback/analysis/text.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/verdict.h"

namespace pullback::cli {

namespace {

// What an unfinished certificate holds as a finished one would.
constexpr std::string_view kFirstStage[] = {"length", "energy", "metric_length", "endpoint_error", "speed_variation"};

// Below this fraction of its scale (the length, the energy, 1 for what has no unit) a difference is rounding.
constexpr double kRounding = 1e-12;
// How often the nodes are moved by a rounding error, and by how many times what comes of it a number may be off.
constexpr int kPerturbations = 3;
constexpr double kNoiseFactor = 10;
// A curve counts as shorter than another when it is so by this fraction, as in solvers/solver.cc with a margin for the
// polyline that is measured there.
constexpr double kShorterBy = 1e-5;

// The numbers of a certificate under their names, "condition.kappa_max", as JSON writes them.
using Fields = std::vector<std::pair<std::string, Json>>;

void flatten(const Json& json, const std::string& prefix, Fields& out) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) {
      flatten(value, name, out);
    } else {
      out.emplace_back(name, value);
    }
  }
}

// What can be measured again.
Fields measured_fields(const Certificate& certificate) {
  Fields all;
  flatten(as_json(certificate, Termination::kConverged), "", all);
  std::erase_if(all, [](const auto& field) {
    return field.first == "termination" || field.first == "condition.regularisation" || field.first == "shorter_known";
  });
  return all;
}

double scale_of(const std::string& field, const Certificate& found) {
  for (const char* name :
       {"length", "metric_length", "length_error", "numerical_error", "disagreement", "refinement"}) {
    if (field == name) return found.length;
  }
  if (field == "energy") return found.energy;
  return field.starts_with("condition.") ? 0 : 1;
}

// A finite number, or nothing for null and what is no number.
std::optional<double> finite_number(const Json& json) {
  if (!json.is_number()) return std::nullopt;
  return json.get<double>();
}

bool agree(const Json& written, const Json& found, double allowed) {
  const auto a = finite_number(written);
  const auto b = finite_number(found);
  return a && b ? std::abs(*a - *b) <= allowed : written == found;
}

std::string shown(const Json& json) {
  const auto number = finite_number(json);
  return number ? fmt::format("{:.10g}", *number) : quote(json);
}

// The curve's own nodes; empty where none were written.
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

// Every number moved by a unit in the last place or not at all; the ends stay.
void jitter(Matrix& values, unsigned& state, bool keep_ends) {
  for (Eigen::Index k = keep_ends ? 1 : 0; k < values.cols() - (keep_ends ? 1 : 0); ++k) {
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
      state = 1664525 * state + 1013904223;  // Numerical Recipes' generator: all that is asked of it is to vary
      values(i, k) *= 1 + (static_cast<double>(state >> 30) - 1.5) / 1.5 * std::numeric_limits<double>::epsilon();
    }
  }
}

Curve moved_by_rounding(const Curve& curve, unsigned seed) {
  Matrix z = curve.positions();
  Matrix v = curve.velocities();
  Matrix a = curve.accelerations();
  jitter(z, seed, true);
  jitter(v, seed, false);
  jitter(a, seed, false);
  return curve.quintic() ? Curve(curve.times(), z, v, a) : Curve(curve.times(), z, v);
}

class ResultCheck {
 public:
  ResultCheck(const Manifold& manifold, const JsonView& view, const ConstVectorRef& from, const ConstVectorRef& to,
              double tolerance)
      : manifold_(manifold), view_(view), from_(from), to_(to), tolerance_(tolerance) {}

  Verification run(bool needs_samples) {
    read_termination();
    if (view_.has("nodes")) out_.result.curve = read_nodes(view_.at("nodes"), manifold_.dimension());
    check_duplicates();
    if (needs_samples || view_.has("curve")) check_samples();
    if (out_.result.curve.empty()) {
      out_.without_curve = true;
      check_empty();
    } else if (unfinished() && view_.at("certificate").at("length").json().is_null()) {
      out_.without_curve = true;  // there was no time to measure it, and nothing is claimed of it
    } else {
      out_.result.certificate = measure(out_.result.curve);
      check_certificate();
      check_verdict();
      check_shorter();
    }
    return std::move(out_);
  }

 private:
  void find(std::string field, std::string written, std::string found) {
    out_.findings.push_back({std::move(field), std::move(written), std::move(found)});
  }

  // Whether the certificate may have been ended before it was complete: what is null in it was not measured.
  bool unfinished() const {
    const Termination t = out_.result.termination;
    return t == Termination::kTimeLimit || t == Termination::kStopped || t == Termination::kNumericalFailure;
  }

  // Ended in the middle: numbers of its later stages are those of as many chords as there was time for.
  bool cut_short() const {
    const Json* complete = written("complete");
    return unfinished() && complete != nullptr && *complete == Json(false);
  }

  Certificate measure(const Curve& curve) { return measure_certificate(manifold_, curve, from_, to_, ws_); }

  const Json* written(const std::string& field) const {
    const Json* json = &view_.at("certificate").json();
    for (std::size_t at = 0; at != std::string::npos && json != nullptr;) {
      const std::size_t dot = field.find('.', at);
      const std::string key = field.substr(at, dot == std::string::npos ? dot : dot - at);
      json = json->is_object() && json->contains(key) ? &(*json)[key] : nullptr;
      at = dot == std::string::npos ? dot : dot + 1;
    }
    return json;
  }

  void read_termination() {
    const std::string name = view_.at("termination").text();
    for (int i = 0; i <= static_cast<int>(Termination::kStopped); ++i) {
      if (name != to_string(static_cast<Termination>(i))) continue;
      out_.result.termination = static_cast<Termination>(i);
      return;
    }
    find("termination", quote(view_.at("termination").json()), "no such termination");
  }

  // What stands beside the certificate must be what stands in it.
  void check_duplicates() {
    for (const char* key : {"termination", "length", "length_error", "energy"}) {
      const Json& outer = view_.at(key).json();
      const Json& inner = view_.at("certificate").at(key).json();
      if (outer != inner) find(key, shown(outer), "in its certificate " + shown(inner));
    }
  }

  void check_samples() {
    const Vector t = view_.at("curve").at("t").vector();
    const Matrix z = view_.at("curve").at("z").columns(manifold_.dimension());
    const Curve& curve = out_.result.curve;
    if (t.size() != z.cols()) view_.at("curve").fail(fmt::format("as many points as times, {}", t.size()));
    if (curve.empty() || t.size() < 2) {
      if (t.size() != 0 || !curve.empty()) {
        find("curve", fmt::format("{} samples", t.size()), fmt::format("{} nodes", curve.times().size()));
      }
      return;
    }
    const Vector uniform = uniform_times(static_cast<int>(t.size()));
    if (!((t - uniform).cwiseAbs().maxCoeff() <= kRounding)) find("curve.t", "times", "not uniform from 0 to 1");
    const Matrix expected = curve.position(uniform);
    const double allowed = kRounding * (curve.positions().cwiseAbs().maxCoeff() + expected.cwiseAbs().maxCoeff());
    for (Eigen::Index k = 0; k < z.cols(); ++k) {
      if ((z.col(k) - expected.col(k)).cwiseAbs().maxCoeff() <= allowed) continue;
      if (!z.col(k).allFinite() && !expected.col(k).allFinite()) continue;
      return find(fmt::format("curve.z[{}]", k), format_point(z.col(k)),
                  fmt::format("{} on the curve through the nodes", format_point(expected.col(k))));
    }
  }

  void check_empty() {
    if (out_.result.termination == Termination::kConverged || out_.result.termination == Termination::kStationary) {
      find("nodes", "none", fmt::format("no curve to measure, so not \"{}\"", to_string(out_.result.termination)));
    }
    const Json& length = view_.at("length").json();
    if (view_.has("nodes") && !length.is_null()) find("length", shown(length), "no curve to measure");
  }

  // The certificates of the same curve moved by rounding; measured when they are first asked for.
  const std::vector<Certificate>& noisy() {
    for (int i = static_cast<int>(noisy_.size()); i < kPerturbations; ++i) {
      noisy_.push_back(measure(moved_by_rounding(out_.result.curve, static_cast<unsigned>(i + 1))));
    }
    return noisy_;
  }

  // How much the field changes when the curve is moved by rounding; infinite where it flips or comes and goes.
  double noise(std::size_t field, const Json& found) {
    double most = 0;
    for (const Certificate& certificate : noisy()) {
      const Json other = measured_fields(certificate)[field].second;
      const auto a = finite_number(found);
      const auto b = finite_number(other);
      if (a && b) {
        most = std::max(most, std::abs(*a - *b));
      } else if (found != other) {
        most = std::numeric_limits<double>::infinity();
      }
    }
    return most;
  }

  void check_certificate() {
    const Fields fields = measured_fields(out_.result.certificate);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto& [name, found] = fields[i];
      const Json* value = written(name);
      if (value == nullptr) {
        find("certificate." + name, "nothing", shown(found));
        continue;
      }
      if (value->is_null() && unfinished()) continue;
      if (cut_short() && std::ranges::find(kFirstStage, name) == std::end(kFirstStage)) continue;
      const double size = std::abs(finite_number(found).value_or(0));
      const double allowed = tolerance_ * size + kRounding * scale_of(name, out_.result.certificate);
      if (agree(*value, found, allowed)) continue;
      const double rounding = noise(i, found);
      if (std::isinf(rounding) || agree(*value, found, allowed + kNoiseFactor * rounding)) continue;
      find("certificate." + name, shown(*value), shown(found));
    }
  }

  void check_verdict() {
    const Termination claim = out_.result.termination;
    const bool claims = claim == Termination::kConverged || claim == Termination::kStationary;
    const auto supported = [&](const Certificate& c) {
      const Termination verdict = judge(c, claims ? Termination::kConverged : claim, "").termination;
      return verdict == claim || (claim == Termination::kStationary && verdict == Termination::kConverged);
    };
    if (supported(out_.result.certificate) || std::ranges::any_of(noisy(), supported)) return;
    const Verdict verdict = judge(out_.result.certificate, Termination::kConverged, "the curve");
    find("termination", fmt::format("\"{}\"", to_string(claim)),
         fmt::format("{}: {}", to_string(verdict.termination), verdict.message));
  }

  // Which shorter curves the solver met is not known here, but the straight line is, and so is the distance in ambient
  // space, which nothing can undercut.
  void check_shorter() {
    const double shorter = view_.at("certificate").at("shorter_known").number();
    if (std::isnan(shorter) && unfinished()) return;
    const double length = out_.result.certificate.length;
    const Measurement line = pullback::measure(manifold_, Curve::straight(from_, to_), ws_);
    if (std::isnan(shorter)) {
      if (line.length < length * (1 - kShorterBy) && out_.result.certificate.endpoint_error == 0) {
        find("certificate.shorter_known", "null", fmt::format("the straight line's length {:.10g}", line.length));
      }
      return;
    }
    double least = 0;
    if (manifold_.generator() != nullptr) {
      Vector chord(1);
      Matrix ends(manifold_.dimension(), 2);
      ends << from_, to_;
      manifold_.chords(ends, chord, ws_);
      least = chord(0);
    }
    if (shorter > length || shorter < least * (1 - kShorterBy)) {
      find("certificate.shorter_known", fmt::format("{:.10g}", shorter),
           fmt::format("a length from {:.10g} to {:.10g} at most", least, length));
    }
  }

  const Manifold& manifold_;
  const JsonView& view_;
  const Vector from_;
  const Vector to_;
  const double tolerance_;
  Workspace ws_;
  std::vector<Certificate> noisy_;
  Verification out_;
};

Effort read_effort(const JsonView& view) {
  Effort effort;
  effort.seconds = view.number_or_zero("seconds");
  const auto count = [&](const char* key) { return std::llround(view.number_or_zero(key)); };
  effort.evaluations.values = count("values");
  effort.evaluations.jacobians = count("jacobians");
  effort.evaluations.second_derivatives = count("second_derivatives");
  effort.evaluations.products = count("products");
  effort.evaluations.metrics = count("metrics");
  return effort;
}

}  // namespace

Verification verify_result(const Manifold& manifold, const JsonView& result, const ConstVectorRef& from,
                           const ConstVectorRef& to, double tolerance, bool needs_samples) {
  Verification out = ResultCheck(manifold, result, from, to, tolerance).run(needs_samples);
  out.result.effort = read_effort(result.at("effort"));
  const double shorter = result.at("certificate").at("shorter_known").number();
  if (!std::isnan(shorter)) out.result.certificate.shorter_known = shorter;
  return out;
}

void compare_fields(const Json& written, const Json& expected, const std::string& field, double tolerance,
                    std::vector<Finding>& findings) {
  if (expected.is_object() && written.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      const std::string name = field + "." + key;
      if (!written.contains(key)) {
        findings.push_back({name, "nothing", shown(value)});
      } else {
        compare_fields(written[key], value, name, tolerance, findings);
      }
    }
    return;
  }
  if (expected.is_array() && written.is_array() && expected.size() == written.size()) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      compare_fields(written[i], expected[i], fmt::format("{}[{}]", field, i), tolerance, findings);
    }
    return;
  }
  const double size = std::abs(finite_number(expected).value_or(0));
  if (!agree(written, expected, tolerance * size)) findings.push_back({field, shown(written), shown(expected)});
}

}  // namespace pullback::cli
