// By how much solves take longer than their time limit: every solver, and some chains, on 30 problems in up to 128
// dimensions and 7 slow generators, with limits of 0.2, 1 and 5 seconds. `make overrun` runs it; it takes an hour.
//
//   overrun [--limits 0.2,1] [--solvers newton,graph+energy] [--problems TEXT]… [--all]
//
// A limit of 0 stands for none; a minute is then what is allowed. --problems keeps those whose name has the text in it;
// --all prints every run and not only those that took too long. The exit status is 1 when one did.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "problems.h"
#include "pullback/plugins/builtin.h"

namespace pullback::overrun {
namespace {

// What solver.h promises, and what is allowed where there is no limit.
constexpr double kStretch = 1.2;
constexpr double kGrace = 0.3;
constexpr double kMinute = 60;

struct Request {
  std::vector<std::string> limits{"0.2", "1", "5"};
  std::vector<std::string> solvers;
  std::vector<std::string> problems;
  bool all = false;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    out.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

Request read(int argc, char** argv) {
  Request out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view key = argv[i];
    if (key == "--all") {
      out.all = true;
    } else if (i + 1 == argc) {
      fmt::print(stderr, "overrun: {}: expected --limits, --solvers or --problems with a value, or --all\n", key);
      std::exit(2);
    } else if (key == "--limits") {
      out.limits = split(argv[++i]);
    } else if (key == "--solvers") {
      out.solvers = split(argv[++i]);
    } else {
      out.problems.emplace_back(argv[++i]);
    }
  }
  return out;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Worst {
  double excess = -1e9;  // seconds beyond what is allowed
  double ratio = 0;      // of the time to the limit
  std::string where = "nothing";
};

class Runs {
 public:
  explicit Runs(Request request) : request_(std::move(request)) {
    PluginRegistrar registrar{solvers_, generators_};
    register_builtin_plugins(registrar);
    generators_.set_model_directory(PULLBACK_MODELS);
    if (!request_.solvers.empty()) return;
    for (const auto& [name, entry] : solvers_.entries()) {
      if (entry.make) request_.solvers.push_back(name);
    }
    for (const char* chain : {"graph+energy", "graph+newton", "energy+shooting", "whitened(newton)"}) {
      request_.solvers.emplace_back(chain);
    }
  }

  int run() {
    std::vector<Named> problems = fast_problems(generators_);
    for (Named& problem : slow_problems()) problems.push_back(std::move(problem));
    std::erase_if(problems, [&](const Named& problem) { return !wanted(problem); });
    bool kept = true;
    for (const std::string& limit : request_.limits) {
      Worst worst;
      for (const Named& problem : problems) {
        for (const std::string& solver : request_.solvers) solve(problem, solver, std::atof(limit.c_str()), worst);
      }
      fmt::print("limit {} s: {} solves, the largest excess {:+.3f} s, {:.2f} times the limit ({})\n", limit,
                 problems.size() * request_.solvers.size(), worst.excess, worst.ratio, worst.where);
      std::fflush(stdout);
      kept = kept && worst.excess <= 0;
    }
    return kept ? 0 : 1;
  }

 private:
  bool wanted(const Named& problem) const {
    return request_.problems.empty() ||
           std::any_of(request_.problems.begin(), request_.problems.end(),
                       [&](const std::string& text) { return problem.name.find(text) != std::string::npos; });
  }

  void solve(const Named& problem, const std::string& solver, double limit, Worst& worst) const {
    SolveControl control;
    control.time_limit = limit > 0 ? limit : 2 * kMinute;
    const double start = now();
    const GeodesicResult result = solvers_.make(solver)->solve(problem.problem, control);
    const double seconds = now() - start;
    const double allowed = limit > 0 ? kStretch * limit + kGrace : kMinute;
    if (seconds - allowed > worst.excess) {
      worst = {seconds - allowed, limit > 0 ? seconds / limit : 0, problem.name + ", " + solver};
    }
    if (!request_.all && seconds <= allowed) return;
    fmt::print("{:>8.3f} s  {:28} {:18} {:18} length {:.9g}  {:.160}\n", seconds, problem.name, solver,
               to_string(result.termination), result.certificate.length, result.message);
    std::fflush(stdout);
  }

  Request request_;
  SolverRegistry solvers_;
  GeneratorRegistry generators_;
};

}  // namespace
}  // namespace pullback::overrun

int main(int argc, char** argv) { return pullback::overrun::Runs(pullback::overrun::read(argc, argv)).run(); }
