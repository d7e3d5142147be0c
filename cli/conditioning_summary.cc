#include "pullback/cli/conditioning_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "pullback/cli/seal.h"
#include "pullback/cli/statistics.h"
#include "pullback/cli/study_json.h"
#include "pullback/cli/study_summary.h"
#include "pullback/cli/text.h"

namespace pullback::cli {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Calls visit(job, run) for the finished runs of a panel.
template <class Visit>
void for_each_run(const ConditioningStudy& study, std::size_t panel, Visit visit) {
  for (std::size_t kappa = 0; kappa < study.settings.kappas.size(); ++kappa) {
    for (std::size_t pair = 0; pair < study.panels[panel].spaces[0].pairs.size(); ++pair) {
      for (std::size_t solver = 0; solver < study.settings.solvers.size(); ++solver) {
        const ConditioningJob job{panel, kappa, pair, solver};
        if (const auto& run = study.runs[index(study, job)]) visit(job, *run);
      }
    }
  }
}

Json quartiles(const std::vector<double>& values) {
  return {number_json(quantile(values, 0.25)), number_json(quantile(values, 0.5)), number_json(quantile(values, 0.75))};
}

Json interval_json(int successes, int trials) {
  const ShareInterval interval = wilson_interval(successes, trials);
  return {interval.low, interval.high};
}

Json cell_json(const ConditioningCell& cell, const std::string& solver, double kappa) {
  const int solved = cell.count(ClaimOutcome::kSolved);
  const int wrong = cell.count(ClaimOutcome::kFalse);
  return {{"solver", solver},
          {"kappa", kappa},
          {"runs", cell.runs},
          {"solved", solved},
          {"longer", cell.count(ClaimOutcome::kLonger)},
          {"false", wrong},
          {"unclaimed", cell.count(ClaimOutcome::kUnclaimed)},
          {"terminations", cell.terminations},
          {"solved_interval", interval_json(solved, cell.runs)},
          {"false_interval", interval_json(wrong, cell.runs)},
          {"seconds", quartiles(cell.seconds)},
          {"evaluations", quartiles(cell.evaluations)}};
}

Json cells_json(const ConditioningStudy& study, const std::vector<ConditioningCell>& cells, std::size_t first_kappa,
                std::size_t kappas) {
  const std::size_t solvers = study.settings.solvers.size();
  Json list = Json::array();
  for (std::size_t kappa = first_kappa; kappa < first_kappa + kappas; ++kappa) {
    for (std::size_t solver = 0; solver < solvers; ++solver) {
      list.push_back(
          cell_json(cells[kappa * solvers + solver], study.settings.solvers[solver], study.settings.kappas[kappa]));
    }
  }
  return list;
}

// A run as it stands in results.json: its JSON with what the whole study says of it.
std::string result_text(const ConditioningRun& run, double best, const Json& pair, std::size_t index) {
  Json verdict = {{"outcome", to_string(outcome_of(run, best))}, {"length_ratio", number_json(run.length / best)}};
  Json sealed = Json::parse(run.result);
  sealed["outcome"] = verdict["outcome"];
  sealed["from"] = pair["from"];
  sealed["to"] = pair["to"];
  verdict["seal"] = seal_of_result(sealed, index, sealed["solver"].get<std::string>());
  const std::string head = verdict.dump();
  return head.substr(0, head.size() - 1) + "," + run.result.substr(1);
}

// A map in one chart, without its results.
Json space_json(const ConditioningStudy& study, std::size_t number, std::size_t kappa,
                const std::vector<ConditioningCell>& cells, const std::vector<double>& best) {
  const ConditioningPanel& panel = study.panels[number];
  const ConditionedSpace& space = panel.spaces[kappa];
  Json pairs = Json::array();
  for (std::size_t i = 0; i < space.pairs.size(); ++i) {
    pairs.push_back({{"from", as_json(ConstVectorRef(space.pairs[i].from))},
                     {"to", as_json(ConstVectorRef(space.pairs[i].to))},
                     {"best_length", number_json(best[i])}});
  }
  return {{"name", space.space.name}, {"family", panel.family},    {"dimension", panel.dimension},
          {"kappa", space.kappa},     {"pairs", std::move(pairs)}, {"summary", cells_json(study, cells, kappa, 1)}};
}

std::string space_text(const ConditioningStudy& study, std::size_t number, std::size_t kappa, const Json& space,
                       const std::vector<double>& best) {
  std::string text = space.dump();
  text.back() = ',';
  text += "\"results\":[";
  std::size_t index = 0;
  for_each_run(study, number, [&](const ConditioningJob& job, const ConditioningRun& run) {
    if (job.kappa != kappa) return;
    text += (index == 0 ? "" : ",") + result_text(run, best[job.pair], space["pairs"][job.pair], index);
    ++index;
  });
  return text + "]}";
}

Json header_json(const ConditioningStudy& study, const Json& environment) {
  return {{"created", study.started},
          {"command", study.command},
          {"complete", study.complete},
          {"environment", environment},
          {"settings", as_json(study.settings)},
          {"threads", study.threads},
          {"overview", cells_json(study, all_cells(study), 0, study.settings.kappas.size())}};
}

std::string percent(int part, int whole) { return whole == 0 ? "-" : fmt::format("{:.0f} %", 100.0 * part / whole); }

}  // namespace

const char* to_string(ClaimOutcome outcome) {
  switch (outcome) {
    case ClaimOutcome::kSolved:
      return "solved";
    case ClaimOutcome::kLonger:
      return "longer";
    case ClaimOutcome::kFalse:
      return "false";
    case ClaimOutcome::kUnclaimed:
      return "unclaimed";
  }
  return "unknown";
}

std::vector<double> best_lengths(const ConditioningStudy& study, std::size_t panel) {
  std::vector<double> best(study.panels[panel].spaces[0].pairs.size(), std::numeric_limits<double>::infinity());
  for_each_run(study, panel, [&](const ConditioningJob& job, const ConditioningRun& run) {
    best[job.pair] = std::min(best[job.pair], run.best_known);
  });
  for (double& length : best) {
    if (std::isinf(length)) length = kNan;
  }
  return best;
}

ClaimOutcome outcome_of(const ConditioningRun& run, double best) {
  if (run.termination != Termination::kConverged) return ClaimOutcome::kUnclaimed;
  const bool same_length = std::abs(run.length / run.base_length - 1) <= kSolvedTolerance;
  if (!run.base_converged || !same_length) return ClaimOutcome::kFalse;
  return run.length <= best * (1 + kSolvedTolerance) ? ClaimOutcome::kSolved : ClaimOutcome::kLonger;
}

void ConditioningCell::add(const ConditioningRun& run, double best) {
  ++runs;
  ++outcomes[outcome_of(run, best)];
  ++terminations[run.termination_name];
  seconds.push_back(run.seconds);
  evaluations.push_back(run.evaluations);
}

std::vector<ConditioningCell> panel_cells(const ConditioningStudy& study, std::size_t panel) {
  const std::vector<double> best = best_lengths(study, panel);
  std::vector<ConditioningCell> cells(study.settings.kappas.size() * study.settings.solvers.size());
  for_each_run(study, panel, [&](const ConditioningJob& job, const ConditioningRun& run) {
    cells[job.kappa * study.settings.solvers.size() + job.solver].add(run, best[job.pair]);
  });
  return cells;
}

std::vector<ConditioningCell> all_cells(const ConditioningStudy& study) {
  std::vector<ConditioningCell> cells(study.settings.kappas.size() * study.settings.solvers.size());
  for (std::size_t panel = 0; panel < study.panels.size(); ++panel) {
    const std::vector<double> best = best_lengths(study, panel);
    for_each_run(study, panel, [&](const ConditioningJob& job, const ConditioningRun& run) {
      cells[job.kappa * study.settings.solvers.size() + job.solver].add(run, best[job.pair]);
    });
  }
  return cells;
}

std::string conditioning_results(const ConditioningStudy& study, const Json& environment) {
  // The results are put together as text: with all their nodes they are large, and each is JSON already.
  Json header = {{"schema", "pullback-conditioning-1"}};
  header.update(header_json(study, environment));
  std::string text = as_text(header);
  text.resize(text.rfind('}'));
  text += ",\"generators\":[";
  for (std::size_t panel = 0; panel < study.panels.size(); ++panel) {
    const std::vector<double> best = best_lengths(study, panel);
    const std::vector<ConditioningCell> cells = panel_cells(study, panel);
    for (std::size_t kappa = 0; kappa < study.settings.kappas.size(); ++kappa) {
      Json space = space_json(study, panel, kappa, cells, best);
      text += (panel + kappa > 0 ? ",\n" : "\n") + space_text(study, panel, kappa, space, best);
      header["generators"].push_back(std::move(space));
    }
  }
  return text + fmt::format("],\"seal\":\"{}\"}}\n", seal_of_document(header, false));
}

Json conditioning_report(const ConditioningStudy& study, const Json& environment) {
  Json json = {{"kind", "conditioning"}};
  json.update(header_json(study, environment));
  json["panels"] = Json::array();
  for (std::size_t panel = 0; panel < study.panels.size(); ++panel) {
    const ConditioningPanel& p = study.panels[panel];
    json["panels"].push_back(
        {{"family", p.family},
         {"title", p.title},
         {"dimension", p.dimension},
         {"pairs", p.spaces[0].pairs.size()},
         {"cells", cells_json(study, panel_cells(study, panel), 0, study.settings.kappas.size())}});
  }
  return json;
}

std::string conditioning_table(const ConditioningStudy& study) {
  const std::vector<ConditioningCell> cells = all_cells(study);
  const std::size_t solvers = study.settings.solvers.size();
  std::vector<std::string> header = {"solved at κ ="};
  for (const double kappa : study.settings.kappas) header.push_back(fmt::format("{:g}", kappa));
  for (const char* more : {"longer", "false", "median time", "runs"}) header.emplace_back(more);
  Table table(header);
  for (std::size_t s = 0; s < solvers; ++s) {
    std::vector<std::string> row = {study.settings.solvers[s]};
    int longer = 0;
    int wrong = 0;
    int runs = 0;
    std::vector<double> seconds;
    for (std::size_t kappa = 0; kappa < study.settings.kappas.size(); ++kappa) {
      const ConditioningCell& cell = cells[kappa * solvers + s];
      row.push_back(percent(cell.count(ClaimOutcome::kSolved), cell.runs));
      longer += cell.count(ClaimOutcome::kLonger);
      wrong += cell.count(ClaimOutcome::kFalse);
      runs += cell.runs;
      seconds.insert(seconds.end(), cell.seconds.begin(), cell.seconds.end());
    }
    row.insert(row.end(), {percent(longer, runs), percent(wrong, runs), format_seconds(quantile(seconds, 0.5)),
                           fmt::format("{}", runs)});
    table.add(row);
  }
  return table.str({0});
}

}  // namespace pullback::cli
