#include "pullback/analysis/studies/uncertainty.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "pullback/analysis/parallel.h"
#include "pullback/base/random.h"
#include "pullback/base/statistics.h"
#include "pullback/spaces/model_data.h"

namespace pullback {

namespace {

namespace fs = std::filesystem;

constexpr char kShort[] = "gp-short";
constexpr double kShortLength = 0.2;
constexpr Interval kUnusedBox{-1, 1};  // models here have codes

UncertainMetric open_metric(Opener& opener, std::string name, const fs::path& path, std::vector<std::string> notes,
                            std::size_t pairs) {
  UncertainMetric metric{std::move(name), path.string(), opener.open(path.string()), std::move(notes), {}};
  metric.results.resize(pairs);
  return metric;
}

// Pairs of codes that are both among those farthest out, where a metric that collapses outside of the data invites a
// way round: the middle of the data is wide, and nothing is to be learnt from paths that have no reason to leave it.
void add_rim_pairs(const OpenedSpace& space, const DataRegion& region, const UncertaintyStudy& study,
                   std::vector<StudyPair>& pairs) {
  constexpr double kRim = 0.1;  // share of the codes
  const Vector out = region.standardised(space.codes).colwise().norm().transpose();
  std::vector<Eigen::Index> order(static_cast<std::size_t>(space.codes.cols()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](Eigen::Index a, Eigen::Index b) { return out(a) > out(b); });
  const auto rim = std::max<Eigen::Index>(2, std::lround(kRim * static_cast<double>(order.size())));
  Random random(study.seed);
  for (int i = 0; i < study.pairs; ++i) {
    const Eigen::Index from = random.index(rim);
    const Eigen::Index to = (from + 1 + random.index(rim - 1)) % rim;
    pairs.push_back({fmt::format("rim {}", i + 1),
                     "rim",
                     space.codes.col(order[static_cast<std::size_t>(from)]),
                     space.codes.col(order[static_cast<std::size_t>(to)]),
                     {},
                     {}});
  }
}

UncertaintyPanel draw_panel(const UncertaintyStudy& study, const OpenedSpace& plain, const std::string& name) {
  std::vector<StudyPair> pairs = choose_pairs(plain, study.pairs, study.seed, kUnusedBox);
  UncertaintyPanel panel{name, region_of(plain).value(), std::move(pairs), {}, {}};
  add_rim_pairs(plain, panel.region, study, panel.pairs);
  for (const StudyPair& pair : panel.pairs) {
    panel.straight.push_back(locate(panel.region, Curve::straight(pair.from, pair.to)).share_inside);
  }
  return panel;
}

struct UncertaintyJob {
  UncertaintyPanel* panel;
  UncertainMetric* metric;
  std::size_t pair;
};

}  // namespace

UncertaintySummary summarise(const UncertaintyPanel& panel, const UncertainMetric& metric) {
  UncertaintySummary out;
  std::vector<double> farthest;
  std::vector<double> arc;
  std::vector<double> seconds;
  out.lowest_share = std::nan("");
  for (std::size_t i = 0; i < metric.results.size(); ++i) {
    if (!metric.results[i]) continue;
    const auto& [result, where] = *metric.results[i];
    seconds.push_back(result.effort.seconds);
    if (result.curve.empty()) continue;
    ++out.curves;
    out.converged += result.termination == Termination::kConverged ? 1 : 0;
    out.leaving += where.share_inside < kKeeping ? 1 : 0;
    out.mean_share += where.share_inside;
    out.lowest_share = std::fmin(out.lowest_share, where.share_inside);
    farthest.push_back(where.farthest / panel.region.radius());
    const Matrix ends = panel.region.standardised(
        (Matrix(panel.pairs[i].from.size(), 2) << panel.pairs[i].from, panel.pairs[i].to).finished());
    arc.push_back(where.arc / (ends.col(1) - ends.col(0)).norm());
  }
  out.mean_share = out.curves > 0 ? out.mean_share / out.curves : std::nan("");
  out.farthest = quantile(farthest, 0.5);
  out.arc = quantile(arc, 0.5);
  out.seconds = quantile(seconds, 0.5);
  return out;
}

std::vector<std::string> uncertainty_methods() { return {"rbf", "ensemble", "gp", kShort}; }

UncertaintySettings method_settings(const std::string& method, std::uint64_t seed) {
  UncertaintySettings settings;
  settings.method = method == kShort ? UncertaintyMethod::kGaussianProcess : parse_uncertainty_method(method);
  settings.length = method == kShort ? kShortLength : 0;
  settings.seed = seed;
  return settings;
}

void add_panel(UncertaintyStudy& study, Opener& opener, const UncertainModel& model,
               const std::vector<std::string>& methods, const fs::path& folder,
               const std::function<bool()>& should_stop) {
  UncertaintyPanel panel = draw_panel(study, opener.open(model.path.string()), model.name);
  panel.metrics.push_back(open_metric(opener, "plain", model.path, {}, panel.pairs.size()));
  for (const std::string& method : methods) {
    if (should_stop && should_stop()) break;
    const UncertaintySettings settings = method_settings(method, study.seed);
    const FittedModel fitted = fit_uncertainty(model.path, model.model, model.observed, settings);
    const fs::path path = folder / fmt::format("{}-{}.safetensors", model.name, method);
    write_safetensors(path, fitted.content);
    panel.metrics.push_back(open_metric(opener, method, path, fitted.notes, panel.pairs.size()));
  }
  study.panels.push_back(std::move(panel));
}

std::size_t solve_count(const UncertaintyStudy& study) {
  std::size_t count = 0;
  for (const UncertaintyPanel& panel : study.panels) count += panel.pairs.size() * panel.metrics.size();
  return count;
}

void run_uncertainty_study(UncertaintyStudy& study, const GeodesicSolver& solver, const WorkControl& control) {
  std::vector<UncertaintyJob> jobs;
  for (UncertaintyPanel& panel : study.panels) {
    for (std::size_t pair = 0; pair < panel.pairs.size(); ++pair) {
      for (UncertainMetric& metric : panel.metrics) jobs.push_back({&panel, &metric, pair});
    }
  }
  SolveControl solve;
  solve.time_limit = study.time_limit;
  solve.should_stop = control.should_stop;
  run_jobs(static_cast<int>(jobs.size()), control, [&](int i) {
    if (control.stopped()) return;
    const UncertaintyJob& job = jobs[static_cast<std::size_t>(i)];
    const StudyPair& pair = job.panel->pairs[job.pair];
    const OpenedSpace& space = job.metric->space;
    LocatedResult found{solver.solve({space.manifold, pair.from, pair.to, {}, space.codes}, solve), {}};
    if (found.result.termination == Termination::kStopped) return;
    if (!found.result.curve.empty()) found.where = locate(job.panel->region, found.result.curve);
    job.metric->results[job.pair] = std::move(found);
    control.advance(job.panel->name + "  " + job.metric->name);
  });
  study.complete = !control.stopped();
}

}  // namespace pullback
