#include "pullback/cli/conditioning_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "pullback/analysis/studies/study_fields.h"
#include "pullback/analysis/text.h"
#include "pullback/base/statistics.h"
#include "pullback/cli/seal.h"

namespace pullback::cli {

namespace {

Json cell_json(const ConditioningCell& cell, const std::string& solver, double kappa) {
  Json json = {{"solver", solver}, {"kappa", kappa}};
  json.update(fields_json(cell));
  return json;
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
std::string result_text(const ConditioningRun& run, const std::string& text, double best, const Json& pair,
                        std::size_t index) {
  Json verdict = {{"outcome", to_string(outcome_of(run, best))}, {"length_ratio", number_json(run.length / best)}};
  Json sealed = Json::parse(text);
  sealed["outcome"] = verdict["outcome"];
  sealed["from"] = pair["from"];
  sealed["to"] = pair["to"];
  verdict["seal"] = seal_of_result(sealed, index, sealed["solver"].get<std::string>());
  const std::string head = verdict.dump();
  return head.substr(0, head.size() - 1) + "," + text.substr(1);
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

std::string space_text(const JournaledStudy& journaled, std::size_t number, std::size_t kappa, const Json& space,
                       const std::vector<double>& best) {
  std::string text = space.dump();
  text.back() = ',';
  text += "\"results\":[";
  std::size_t count = 0;
  for_each_run(journaled.study, number, [&](const ConditioningJob& job, const ConditioningRun& run) {
    if (job.kappa != kappa) return;
    const std::string& result = journaled.texts[run_index(journaled.study, job)];
    text += (count == 0 ? "" : ",") + result_text(run, result, best[job.pair], space["pairs"][job.pair], count);
    ++count;
  });
  return text + "]}";
}

Json header_json(const ConditioningStudy& study, const CallRecord& record) {
  return {{"created", record.started},
          {"command", record.command},
          {"complete", study.complete},
          {"environment", record.environment},
          {"settings", fields_json(study.settings)},
          {"threads", record.threads},
          {"overview", cells_json(study, all_cells(study), 0, study.settings.kappas.size())}};
}

std::string percent(int part, int whole) { return whole == 0 ? "-" : fmt::format("{:.0f} %", 100.0 * part / whole); }

}  // namespace

std::string conditioning_results(const JournaledStudy& journaled, const CallRecord& record) {
  const ConditioningStudy& study = journaled.study;
  // The results are put together as text: with all their nodes they are large, and each is JSON already.
  Json header = {{"schema", "pullback-conditioning-1"}};
  header.update(header_json(study, record));
  std::string text = as_text(header);
  text.resize(text.rfind('}'));
  text += ",\"generators\":[";
  for (std::size_t panel = 0; panel < study.panels.size(); ++panel) {
    const std::vector<double> best = best_lengths(study, panel);
    const std::vector<ConditioningCell> cells = panel_cells(study, panel);
    for (std::size_t kappa = 0; kappa < study.settings.kappas.size(); ++kappa) {
      Json space = space_json(study, panel, kappa, cells, best);
      text += (panel + kappa > 0 ? ",\n" : "\n") + space_text(journaled, panel, kappa, space, best);
      header["generators"].push_back(std::move(space));
    }
  }
  return text + fmt::format("],\"seal\":\"{}\"}}\n", seal_of_document(header, false));
}

Json conditioning_report(const ConditioningStudy& study, const CallRecord& record) {
  Json json = {{"kind", "conditioning"}};
  json.update(header_json(study, record));
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
