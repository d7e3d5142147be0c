// The command `verify`.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "pullback/analysis/parallel.h"
#include "pullback/analysis/text.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/study_json.h"
#include "pullback/cli/transform_text.h"
#include "pullback/cli/verify_document.h"
#include "pullback/spaces/named_transforms.h"
#include "pullback/spaces/opener.h"

namespace pullback::cli {

namespace {

// What a result on a transformed space says of its curve in the plain metric and coordinates.
void verify_plain(const OpenedSpace& space, VerifyTask& task, double tolerance) {
  const GeodesicResult& result = task.outcome->result;
  if (space.transformation.transforms.empty() || !task.view.has("length_plain") || result.curve.empty()) return;
  if (task.view.at("length_plain").json().is_null()) return;  // there was no time for it
  const std::vector<JsonView> written = task.view.at("z_plain").list();
  if (written.size() < 2) task.view.at("z_plain").fail("at least 2 points");
  const PlainView plain = plain_view(space, result.curve, static_cast<int>(written.size()));
  std::vector<Finding>& findings = task.outcome->findings;
  compare_fields(task.view.at("length_plain").json(), number_json(plain.length), "length_plain", tolerance, findings);
  compare_fields(task.view.at("length_plain_error").json(), number_json(plain.length_error), "length_plain_error",
                 tolerance, findings);
  const double size = plain.points.cwiseAbs().maxCoeff();
  for (std::size_t k = 0; k < written.size(); ++k) {
    const Vector point = read_end(written[k], space.dimension());
    if ((point - plain.points.col(static_cast<Eigen::Index>(k))).cwiseAbs().maxCoeff() <= tolerance * size) continue;
    findings.push_back({fmt::format("z_plain[{}]", k), format_point(point),
                        format_point(plain.points.col(static_cast<Eigen::Index>(k)))});
    return;
  }
}

void verify_tasks(VerifyDocument& document, double tolerance, int threads) {
  Progress progress(static_cast<int>(document.tasks.size()));
  const WorkControl control = work_control(threads, progress);
  run_jobs(static_cast<int>(document.tasks.size()), control, [&](int i) {
    if (interrupted()) return;
    VerifyTask& task = document.tasks[static_cast<std::size_t>(i)];
    task.outcome = verify_result(*document.parts[task.part].space.manifold, task.view, task.from, task.to, tolerance,
                                 document.samples());
    std::ranges::copy(task.fields, std::back_inserter(task.outcome->findings));
    verify_plain(document.parts[task.part].space, task, tolerance);
    control.advance(task.solver);
  });
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

Report make_report(const VerifyDocument& document) {
  Report report;
  for (const VerifyTask& task : document.tasks) {
    const std::string head = fmt::format("{} ({}, {}): ", task.view.place(),
                                         quote(document.parts[task.part].space.name), quote(task.solver));
    if (!task.outcome) {
      ++report.unchecked;
      continue;
    }
    const std::vector<Finding>& findings = task.outcome->findings;
    ++(findings.empty() ? report.verified : report.failed);
    report.without_curve += findings.empty() && task.outcome->without_curve ? 1 : 0;
    report.text += lines_of(head, findings);
    report.results.push_back({{"result", task.view.place()},
                              {"generator", document.parts[task.part].space.name},
                              {"solver", task.solver},
                              {"verified", findings.empty()},
                              {"findings", findings_json(findings)}});
  }
  return report;
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
  VerifyDocument document = read_document(root, arguments);
  for (const VerifyPart& part : document.parts) roles.reads_generator(part.space.name);
  roles.check();
  if (!arguments.json.empty() && arguments.json != "-") require_writable(arguments.json);
  prepare_for_work(arguments.threads);

  verify_tasks(document, arguments.tolerance, arguments.threads);
  Report report = make_report(document);
  report.summary = check_document(document, root);
  if (document.comparison() && report.unchecked == 0) {
    for (std::size_t i = 0; i < document.parts.size(); ++i) {
      std::ranges::move(check_summary(document, i, root, arguments.tolerance), std::back_inserter(report.summary));
    }
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
