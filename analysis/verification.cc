#include "pullback/analysis/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "pullback/analysis/comparison_summary.h"
#include "pullback/analysis/parallel.h"
#include "pullback/analysis/summary_fields.h"
#include "pullback/analysis/text.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/verdict.h"

namespace pullback {

namespace {

// What an unfinished certificate holds as a finished one would.
constexpr std::string_view kFirstStage[] = {"length", "energy", "metric_length", "endpoint_error", "speed_variation"};
// What the solver alone knows, or check_shorter() looks at.
constexpr std::string_view kUnmeasured[] = {"condition.regularisation", "shorter_known"};

// Below this fraction of its scale (the length, the energy, 1 for what has no unit) a difference is rounding.
constexpr double kRounding = 1e-12;
// How often the nodes are moved by a rounding error, and by how many times what comes of it a number may be off.
constexpr int kPerturbations = 3;
constexpr double kNoiseFactor = 10;
// A curve counts as shorter than another when it is so by this fraction, as in solvers/solver.cc with a margin for the
// polyline that is measured there.
constexpr double kShorterBy = 1e-5;
// By how much chosen pairs may differ between machines: a chart that moves codes rounds.
constexpr double kSamePair = 1e-9;

// What can be measured again.
FieldList measured_fields(const Certificate& certificate) {
  FieldList fields = fields_of(certificate);
  std::erase_if(fields,
                [](const auto& field) { return std::ranges::find(kUnmeasured, field.first) != std::end(kUnmeasured); });
  return fields;
}

double scale_of(const std::string& field, const Certificate& found) {
  for (const char* name :
       {"length", "metric_length", "length_error", "numerical_error", "disagreement", "refinement"}) {
    if (field == name) return found.length;
  }
  if (field == "energy") return found.energy;
  return field.starts_with("condition.") ? 0 : 1;
}

// A finite number, or nothing for what is not known and what is no number.
std::optional<double> finite_number(const FieldValue& value) {
  const double* number = std::get_if<double>(&value);
  return number != nullptr && std::isfinite(*number) ? std::optional(*number) : std::nullopt;
}

bool is_null(const FieldValue& value) {
  return std::holds_alternative<double>(value) && !finite_number(value).has_value();
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
  ResultCheck(const OpenedSpace& space, const StoredResult& stored, double tolerance)
      : space_(space), manifold_(*space.manifold), stored_(stored), tolerance_(tolerance) {
    out_.result.solver = stored.solver;
    out_.result.termination = stored.termination;
    out_.result.effort = stored.effort;
    out_.result.curve = stored.curve.value_or(Curve());
  }

  Verification run() {
    if (stored_.samples) check_samples();
    if (out_.result.curve.empty()) {
      out_.without_curve = true;
      check_empty();
    } else if (unfinished() && std::isnan(stored_.certificate.value.length)) {
      out_.without_curve = true;  // there was no time to measure it, and nothing is claimed of it
    } else {
      out_.result.certificate = measure(out_.result.curve);
      check_certificate();
      check_verdict();
      check_shorter();
    }
    if (stored_.plain && !out_.result.curve.empty()) check_plain();
    // Not measured, and needed to say which is the best length known.
    if (const auto& shorter = stored_.certificate.value.shorter_known) out_.result.certificate.shorter_known = shorter;
    return std::move(out_);
  }

 private:
  void find(std::string field, std::string written, std::string found) {
    out_.findings.push_back({std::move(field), std::move(written), std::move(found)});
  }

  // Whether the certificate may have been ended before it was complete: what is not known in it was not measured.
  bool unfinished() const {
    const Termination t = out_.result.termination;
    return t == Termination::kTimeLimit || t == Termination::kStopped || t == Termination::kNumericalFailure;
  }

  // Ended in the middle: numbers of its later stages are those of as many chords as there was time for.
  bool cut_short() const {
    const FieldValue* complete = written("complete");
    return unfinished() && complete != nullptr && *complete == FieldValue(false);
  }

  Certificate measure(const Curve& curve) {
    return measure_certificate(manifold_, curve, stored_.from, stored_.to, ws_, limits_for(stored_.accuracy));
  }

  const FieldValue* written(const std::string& field) const {
    const auto found = stored_.certificate.fields.find(field);
    return found != stored_.certificate.fields.end() ? &found->second : nullptr;
  }

  void check_samples() {
    const Vector& t = stored_.samples->times;
    const Matrix& z = stored_.samples->points;
    const Curve& curve = out_.result.curve;
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
    const FieldValue* length = written("length");
    if (stored_.curve && length != nullptr && !is_null(*length)) {
      find("length", shown(*length), "no curve to measure");
    }
  }

  // The certificates of the same curve moved by rounding; measured when they are first asked for.
  const std::vector<Certificate>& noisy() {
    for (int i = static_cast<int>(noisy_.size()); i < kPerturbations; ++i) {
      noisy_.push_back(measure(moved_by_rounding(out_.result.curve, static_cast<unsigned>(i + 1))));
    }
    return noisy_;
  }

  // How much the field changes when the curve is moved by rounding; infinite where it flips or comes and goes.
  double noise(std::size_t field, const FieldValue& found) {
    double most = 0;
    for (const Certificate& certificate : noisy()) {
      const FieldValue other = measured_fields(certificate)[field].second;
      const auto a = finite_number(found);
      const auto b = finite_number(other);
      if (a && b) {
        most = std::max(most, std::abs(*a - *b));
      } else if (!agree(other, found, 0)) {
        most = std::numeric_limits<double>::infinity();
      }
    }
    return most;
  }

  void check_certificate() {
    const FieldList fields = measured_fields(out_.result.certificate);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto& [name, found] = fields[i];
      const FieldValue* value = written(name);
      if (value == nullptr) {
        find("certificate." + name, "nothing", shown(found));
        continue;
      }
      if (is_null(*value) && unfinished()) continue;
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
      const Termination verdict =
          judge(c, claims ? Termination::kConverged : claim, "", limits_for(stored_.accuracy)).termination;
      return verdict == claim || (claim == Termination::kStationary && verdict == Termination::kConverged);
    };
    if (supported(out_.result.certificate) || std::ranges::any_of(noisy(), supported)) return;
    const Verdict verdict =
        judge(out_.result.certificate, Termination::kConverged, "the curve", limits_for(stored_.accuracy));
    find("termination", fmt::format("\"{}\"", to_string(claim)),
         fmt::format("{}: {}", to_string(verdict.termination), verdict.message));
  }

  // Which shorter curves the solver met is not known here, but the straight line is, and so is the distance in ambient
  // space, which nothing can undercut.
  void check_shorter() {
    const std::optional<double>& shorter = stored_.certificate.value.shorter_known;
    if (!shorter && unfinished()) return;
    const double length = out_.result.certificate.length;
    const Measurement line = pullback::measure(manifold_, Curve::straight(stored_.from, stored_.to), ws_);
    if (!shorter) {
      if (line.length < length * (1 - kShorterBy) && out_.result.certificate.endpoint_error == 0) {
        find("certificate.shorter_known", "null", fmt::format("the straight line's length {:.10g}", line.length));
      }
      return;
    }
    double least = 0;
    if (manifold_.generator() != nullptr) {
      Matrix ends(manifold_.dimension(), 2);
      ends << stored_.from, stored_.to;
      least = chord_length(manifold_, ends, ws_);
    }
    if (*shorter > length || *shorter < least * (1 - kShorterBy)) {
      find("certificate.shorter_known", fmt::format("{:.10g}", *shorter),
           fmt::format("a length from {:.10g} to {:.10g} at most", least, length));
    }
  }

  // What the result says of its curve in the metric and the coordinates before the transforms.
  void check_plain() {
    const Matrix& points = stored_.plain->value.points;
    const PlainView plain = plain_view(space_, out_.result.curve, static_cast<int>(points.cols()));
    compare_fields(stored_.plain->fields, fields_of(plain), tolerance_, out_.findings);
    const double size = plain.points.cwiseAbs().maxCoeff();
    for (Eigen::Index k = 0; k < points.cols(); ++k) {
      if ((points.col(k) - plain.points.col(k)).cwiseAbs().maxCoeff() <= tolerance_ * size) continue;
      return find(fmt::format("z_plain[{}]", k), format_point(points.col(k)), format_point(plain.points.col(k)));
    }
  }

  const OpenedSpace& space_;
  const Manifold& manifold_;
  const StoredResult& stored_;
  const double tolerance_;
  Workspace ws_;
  std::vector<Certificate> noisy_;
  Verification out_;
};

void require_dimension(const OpenedSpace& space, const StoredResult& stored) {
  const auto require = [&](const char* what, Eigen::Index rows) {
    if (rows == space.dimension()) return;
    throw std::invalid_argument(fmt::format("verify: expected {} of dimension {}, that of {}; got {}", what,
                                            space.dimension(), space.name, rows));
  };
  require("ends", stored.from.size());
  require("ends", stored.to.size());
  if (stored.curve && !stored.curve->empty()) require("a curve", stored.curve->dimension());
  if (stored.samples) require("samples", stored.samples->points.rows());
  if (stored.samples && stored.samples->times.size() != stored.samples->points.cols()) {
    throw std::invalid_argument("verify: expected as many samples of a curve as times");
  }
  if (stored.plain) require("points", stored.plain->value.points.rows());
}

// The part with the results in the places where they belong.
StudyPart placed_results(const Study& study, const StudyPart& part, const std::vector<ResultPlace>& places,
                         const std::vector<GeodesicResult>& measured) {
  StudyPart placed{part.space, part.pairs, {}};
  placed.results.resize(part.pairs.size() * study.solvers.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto [pair, solver] = places[i];
    if (solver < study.solvers.size()) placed.results[pair * study.solvers.size() + solver] = measured[i];
  }
  return placed;
}

}  // namespace

StoredResult as_stored(const ConstVectorRef& from, const ConstVectorRef& to, const GeodesicResult& result) {
  StoredResult out;
  out.from = from;
  out.to = to;
  out.solver = result.solver;
  out.termination = result.termination;
  out.curve = result.curve;
  out.certificate = reported_certificate(result);
  out.effort = result.effort;
  return out;
}

Verification verify(const OpenedSpace& space, const StoredResult& stored, const VerificationOptions& options) {
  require_dimension(space, stored);
  return ResultCheck(space, stored, options.tolerance).run();
}

Verifications verify(const std::vector<StoredPart>& parts, const VerificationOptions& options,
                     const WorkControl& control) {
  Verifications out;
  std::vector<std::pair<std::size_t, std::size_t>> jobs;
  for (const StoredPart& part : parts) {
    for (std::size_t i = 0; i < part.results.size(); ++i) jobs.emplace_back(out.size(), i);
    out.emplace_back(part.results.size());
  }
  run_jobs(static_cast<int>(jobs.size()), control, [&](int job) {
    if (control.stopped()) return;
    const auto [part, result] = jobs[static_cast<std::size_t>(job)];
    const StoredResult& stored = parts[part].results[result];
    out[part][result] = verify(parts[part].space, stored, options);
    control.advance(stored.solver);
  });
  return out;
}

std::vector<Finding> verify_pairs(const Study& study, const StudyPart& part) {
  std::vector<StudyPair> chosen;
  try {
    chosen = choose_pairs(part.space, study.pairs, study.seed, study.box, study.outside);
  } catch (const std::invalid_argument& error) {
    return {{"pairs", "pairs", error.what()}};
  }
  if (chosen.size() != part.pairs.size()) {
    return {{"pairs", fmt::format("{} pairs", part.pairs.size()), fmt::format("{} by the settings", chosen.size())}};
  }
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const StudyPair& written = part.pairs[i];
    const double size = std::max(chosen[i].from.norm(), chosen[i].to.norm());
    const double off = std::max((chosen[i].from - written.from).norm(), (chosen[i].to - written.to).norm());
    if (off <= kSamePair * size) continue;
    findings.push_back({fmt::format("pairs[{}]", i), format_point(written.from) + " to " + format_point(written.to),
                        format_point(chosen[i].from) + " to " + format_point(chosen[i].to) +
                            ", which the settings' seed, box and shares choose"});
  }
  return findings;
}

std::vector<Finding> verify_summary(const Study& study, const StudyPart& part, const std::vector<ResultPlace>& places,
                                    const std::vector<GeodesicResult>& measured, const FieldMap& written,
                                    double tolerance) {
  const StudyPart placed = placed_results(study, part, places, measured);
  const std::vector<double> best = best_lengths(study, placed);
  FieldLister found;
  for (std::size_t i = 0; i < best.size(); ++i) found(fmt::format("pairs[{}].best_length", i), best[i]);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double length = best[places[i].pair];
    found(fmt::format("results[{}].solved", i), is_solved(measured[i], length));
    found(fmt::format("results[{}].length_ratio", i), length_ratio(measured[i], length));
  }
  found("summary", summarise(study, placed));
  std::vector<Finding> findings;
  compare_fields(written, found.fields, tolerance, findings);
  return findings;
}

}  // namespace pullback
