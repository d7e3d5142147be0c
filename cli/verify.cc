// The command `verify`.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "pullback/analysis/verification.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/result_json.h"
#include "pullback/cli/verify_document.h"

namespace pullback::cli {

namespace {

// What was found of each task; nothing of those that an interrupt left.
std::vector<std::optional<Verification>> verify_tasks(const VerifyDocument& document, double tolerance, int threads) {
  Progress progress(static_cast<int>(document.tasks.size()));
  Verifications found = verify(document.stored, {.tolerance = tolerance}, work_control(threads, progress));
  std::vector<std::optional<Verification>> all;
  for (auto& part : found) std::ranges::move(part, std::back_inserter(all));
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i]) continue;
    const VerifyTask& task = document.tasks[i];
    std::vector<Finding>& findings = all[i]->findings;
    findings.insert(findings.begin(), task.contradictions.begin(), task.contradictions.end());
    findings.insert(findings.end(), task.fields.begin(), task.fields.end());
  }
  return all;
}

Json findings_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"field", finding.field}, {"written", finding.written}, {"found", finding.found}});
  }
  return list;
}

std::string lines_of(const std::string& head, const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{}{}: written {}, found {}\n", head, finding.field, finding.written, finding.found);
  }
  return text;
}

struct Report {
  int verified = 0;
  int failed = 0;
  int unchecked = 0;      // interrupted
  int without_curve = 0;  // of those verified
  Json results = Json::array();
  std::vector<Finding> summary;
  std::string text;
};

Report make_report(const VerifyDocument& document, const std::vector<std::optional<Verification>>& outcomes) {
  Report report;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const VerifyTask& task = document.tasks[i];
    const std::string& generator = document.stored[task.part].space.name;
    if (!outcomes[i]) {
      ++report.unchecked;
      continue;
    }
    const std::vector<Finding>& findings = outcomes[i]->findings;
    ++(findings.empty() ? report.verified : report.failed);
    report.without_curve += findings.empty() && outcomes[i]->without_curve ? 1 : 0;
    report.text +=
        lines_of(fmt::format("{} ({}, {}): ", task.view.place(), quote(generator), quote(task.solver)), findings);
    report.results.push_back({{"result", task.view.place()},
                              {"generator", generator},
                              {"solver", task.solver},
                              {"verified", findings.empty()},
                              {"findings", findings_json(findings)}});
  }
  return report;
}

std::vector<GeodesicResult> measured_results(const std::vector<std::optional<Verification>>& outcomes) {
  std::vector<GeodesicResult> results;
  for (const auto& outcome : outcomes) results.push_back(outcome->result);
  return results;
}

}  // namespace

int run_verify(const VerifyArguments& arguments) {
  FileRoles roles;
  roles.reads(arguments.results, "RESULTS");
  roles.reads(arguments.plugins, "--plugin");
  roles.writes(arguments.json, "--json");
  roles.check();
  const Json json = read_json(arguments.results);
  const JsonView root(json, arguments.results);
  const VerifyDocument document = read_document(root, arguments);
  for (const StoredPart& part : document.stored) roles.reads_generator(part.space.name);
  roles.check();
  if (!arguments.json.empty() && arguments.json != "-") require_writable(arguments.json);
  prepare_for_work(arguments.threads);

  const auto outcomes = verify_tasks(document, arguments.tolerance, arguments.threads);
  Report report = make_report(document, outcomes);
  report.summary = check_document(document, root);
  if (document.comparison() && report.unchecked == 0) {
    std::ranges::move(check_summaries(document, measured_results(outcomes), root, arguments.tolerance),
                      std::back_inserter(report.summary));
  }
  report.text += lines_of("", report.summary);
  report.text += fmt::format("{} of {} results verified", report.verified, document.tasks.size());
  if (report.failed > 0) report.text += fmt::format(", {} not", report.failed);
  if (report.without_curve > 0) {
    report.text += fmt::format(", {} of them without a curve and without a claim", report.without_curve);
  }
  if (!report.summary.empty()) report.text += fmt::format(", {} numbers of the summary wrong", report.summary.size());
  report.text += report.unchecked > 0 ? fmt::format(", interrupted before {}\n", report.unchecked) : "\n";
  if (!arguments.json.empty()) {
    write_outputs({{arguments.json, as_text({{"file", arguments.results},
                                             {"verified", report.verified},
                                             {"failed", report.failed},
                                             {"unchecked", report.unchecked},
                                             {"results", report.results},
                                             {"summary", findings_json(report.summary)}})}});
  }
  if (arguments.json != "-") write_standard_output(report.text);
  return report.failed + report.unchecked == 0 && report.summary.empty() ? kDone : kNotConverged;
}

}  // namespace pullback::cli
