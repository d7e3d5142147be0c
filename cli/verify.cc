// The command `verify`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pullback/cli/commands.h"
#include "pullback/cli/decorators.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/parallel.h"
#include "pullback/cli/session.h"
#include "pullback/cli/study_json.h"
#include "pullback/cli/text.h"
#include "pullback/cli/verification.h"
#include "pullback/generators/error.h"

namespace pullback::cli {

namespace {

constexpr char kCompareSchema[] = "pullback-compare-1";
constexpr char kConditioningSchema[] = "pullback-conditioning-1";

// One result to verify.
struct Task {
  std::size_t part;
  JsonView view;
  Vector from;
  Vector to;
  std::string solver;
  std::optional<Verification> outcome;  // nothing: not yet, or interrupted
};

// The results on one generator.
struct Part {
  OpenedSpace space;
  std::optional<JsonView> view;  // of a study's part; nothing for `geodesic`
  std::vector<StudyPair> pairs;
};

struct Document {
  std::string schema;  // empty for `geodesic`
  std::vector<Part> parts;
  std::vector<Task> tasks;
};

// Opens what a file names, or what stands in for it: "--generator SPEC", or "--generator NAME=SPEC" where the file has
// several.
class Opener {
 public:
  explicit Opener(const VerifyArguments& arguments) : session_(arguments.plugins), given_(arguments.generators) {}

  OpenedSpace open(const std::string& name, bool only) {
    for (std::size_t i = 0; i < given_.size(); ++i) {
      if (given_[i].starts_with(name + "=")) return session_.open(given_[i].substr(name.size() + 1));
    }
    if (only && given_.size() == 1) return session_.open(given_[0]);
    if (only && given_.size() > 1) {
      throw std::invalid_argument("--generator was given more than once, but the file has one generator");
    }
    try {
      return session_.open(name);
    } catch (const std::invalid_argument& error) {  // the file is wrong, not the command line
      throw Error(fmt::format("generator {}: {}; --generator says what to open instead", quote(name), error.what()));
    }
  }

 private:
  Session session_;
  std::vector<std::string> given_;
};

Vector read_end(const JsonView& view, int dimension) {
  Vector point = view.vector();
  if (point.size() != dimension || !point.allFinite()) view.fail(fmt::format("{} finite coordinates", dimension));
  return point;
}

Document read_geodesic(const JsonView& root, Opener& opener) {
  Document document;
  document.parts.push_back({opener.open(root.at("generator").text(), true), {}, {}});
  const int dimension = document.parts[0].space.dimension();
  const std::string solver = root.at("solver").text();
  for (const JsonView& view : root.at("results").list()) {
    document.tasks.push_back(
        {0, view, read_end(view.at("from"), dimension), read_end(view.at("to"), dimension), solver, {}});
  }
  return document;
}

Document read_study(const JsonView& root, Opener& opener) {
  Document document;
  document.schema = root.at("schema").text();
  if (document.schema != kCompareSchema && document.schema != kConditioningSchema) {
    root.at("schema").fail(fmt::format("\"{}\" or \"{}\"", kCompareSchema, kConditioningSchema));
  }
  const std::vector<JsonView> parts = root.at("generators").list();
  for (const JsonView& view : parts) {
    Part part{opener.open(view.at("name").text(), parts.size() == 1), view, {}};
    const int dimension = part.space.dimension();
    for (const JsonView& pair : view.at("pairs").list()) {
      part.pairs.push_back({"", "", read_end(pair.at("from"), dimension), read_end(pair.at("to"), dimension), {}, {}});
    }
    for (const JsonView& result : view.at("results").list()) {
      const auto pair = static_cast<std::size_t>(result.at("pair").index(part.pairs.size()));
      document.tasks.push_back(
          {document.parts.size(), result, part.pairs[pair].from, part.pairs[pair].to, result.at("solver").text(), {}});
    }
    document.parts.push_back(std::move(part));
  }
  return document;
}

// What a result on a decorated space says of its curve in the plain metric and coordinates.
void verify_plain(const OpenedSpace& space, Task& task, double tolerance) {
  const GeodesicResult& result = task.outcome->result;
  if (space.decoration.steps.empty() || !task.view.has("length_plain") || result.curve.empty()) return;
  if (task.view.at("length_plain").json().is_null()) return;  // there was no time for it
  const std::vector<JsonView> written = task.view.at("z_plain").list();
  if (written.size() < 2) task.view.at("z_plain").fail("at least 2 points");
  const PlainView plain = plain_view(space, result.curve, static_cast<int>(written.size()));
  std::vector<Finding>& findings = task.outcome->findings;
  compare_fields(task.view.at("length_plain").json(), number_json(plain.length), "length_plain", tolerance, findings);
  const double size = plain.points.cwiseAbs().maxCoeff();
  for (std::size_t k = 0; k < written.size(); ++k) {
    const Vector point = read_end(written[k], space.dimension());
    if ((point - plain.points.col(static_cast<Eigen::Index>(k))).cwiseAbs().maxCoeff() <= tolerance * size) continue;
    findings.push_back({fmt::format("z_plain[{}]", k), format_point(point),
                        format_point(plain.points.col(static_cast<Eigen::Index>(k)))});
    return;
  }
}

void verify_tasks(Document& document, double tolerance, int threads) {
  // A study keeps the nodes of what it claims and no samples.
  const bool needs_samples = document.schema != kConditioningSchema;
  Progress progress(static_cast<int>(document.tasks.size()));
  run_jobs(static_cast<int>(document.tasks.size()), threads, [&](int i) {
    if (interrupted()) return;
    Task& task = document.tasks[static_cast<std::size_t>(i)];
    task.outcome = verify_result(*document.parts[task.part].space.manifold, task.view, task.from, task.to, tolerance,
                                 needs_samples);
    verify_plain(document.parts[task.part].space, task, tolerance);
    progress.advance(task.solver);
  });
}

// A comparison's own numbers, which follow from its results: best lengths, who solved what, and the summary. They are
// found again as they were found, from the results as measured now.
std::vector<Finding> verify_summary(const Document& document, std::size_t number, const JsonView& root,
                                    double tolerance) {
  const Part& part = document.parts[number];
  Study study;
  for (const JsonView& solver : root.at("settings").at("solvers").list()) study.solvers.push_back(solver.text());
  StudyPart made{part.space, part.pairs, {}};
  made.results.resize(part.pairs.size() * study.solvers.size());
  const std::size_t solvers = study.solvers.size();
  for (const Task& task : document.tasks) {
    if (task.part != number) continue;
    const auto solver = static_cast<std::size_t>(std::ranges::find(study.solvers, task.solver) - study.solvers.begin());
    if (solver == solvers) task.view.at("solver").fail("a solver of the settings");
    made.results[static_cast<std::size_t>(task.view.at("pair").index(part.pairs.size())) * solvers + solver] =
        task.outcome->result;
  }
  std::vector<Finding> findings;
  const std::vector<double> best = best_lengths(study, made);
  const std::vector<JsonView> pairs = part.view->at("pairs").list();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    compare_fields(pairs[i].at("best_length").json(), number_json(best[i]), pairs[i].place() + ".best_length",
                   tolerance, findings);
  }
  for (const Task& task : document.tasks) {
    if (task.part != number) continue;
    const double length = best[static_cast<std::size_t>(task.view.at("pair").index(part.pairs.size()))];
    const GeodesicResult& result = task.outcome->result;
    compare_fields(task.view.at("solved").json(), is_solved(result, length), task.view.place() + ".solved", tolerance,
                   findings);
    compare_fields(task.view.at("length_ratio").json(), number_json(length_ratio(result, length)),
                   task.view.place() + ".length_ratio", tolerance, findings);
  }
  compare_fields(part.view->at("summary").json(), summary_json(summarise(study, made)), part.view->place() + ".summary",
                 tolerance, findings);
  return findings;
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

Report make_report(const Document& document) {
  Report report;
  for (const Task& task : document.tasks) {
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
  const Json json = read_json(arguments.results);
  const JsonView root(json, arguments.results);
  Opener opener(arguments);
  Document document = root.has("schema") ? read_study(root, opener) : read_geodesic(root, opener);
  if (!arguments.json.empty() && arguments.json != "-") require_writable(arguments.json);
  const int threads = thread_count(arguments.threads);
  if (threads > 1) use_one_blas_thread();
  finish_on_interrupt();

  verify_tasks(document, arguments.tolerance, threads);
  Report report = make_report(document);
  if (document.schema == kCompareSchema && report.unchecked == 0) {
    for (std::size_t i = 0; i < document.parts.size(); ++i) {
      std::ranges::move(verify_summary(document, i, root, arguments.tolerance), std::back_inserter(report.summary));
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
    write_output(arguments.json, as_text({{"file", arguments.results},
                                          {"verified", report.verified},
                                          {"failed", report.failed},
                                          {"unchecked", report.unchecked},
                                          {"results", report.results},
                                          {"summary", findings_json(report.summary)}}));
  }
  if (arguments.json != "-") write_standard_output(report.text);
  return report.failed + report.unchecked == 0 && report.summary.empty() ? kDone : kNotConverged;
}

}  // namespace pullback::cli
