// What a geodesic with its certificate costs, in batches of value and Jacobian at 64 points (U), and whether it is as
// short as it was.
//
//   auto_bench mnist-vae mnist-gan --pairs 50 --solver auto --solver newton --accuracy 1e-6 --accuracy 1e-4
//   auto_bench mnist-vae --pairs 300 --save before.csv        then, on another build, --compare before.csv
//   auto_bench mnist-vae --pairs 50 --first 1 --json FILE     every pair and solve, for bench/peers
//
// Pairs are those of the study's seed. Processor time of the one thread that solves, and U is timed after every solve,
// so that both come from the same minute of the same machine; medians over the pairs. --compare names every pair that
// is longer than in the file by 0.1 %, or is no longer converged.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "environment.h"
#include "pullback/analysis/study_pairs.h"
#include "pullback/base/statistics.h"
#include "pullback/spaces/opener.h"

namespace pullback::bench {
namespace {

using Json = nlohmann::json;

constexpr int kBatch = 64;
constexpr int kBatches = 8;  // timed after every solve
constexpr double kLonger = 1e-3;

struct Arguments {
  std::vector<std::string> generators;
  std::vector<std::string> solvers;
  std::vector<std::string> accuracies;
  int pairs = 30;
  int first = 0;  // pair to begin with
  std::uint64_t seed = 1;
  std::string save;
  std::string compare;
  std::string json;
};

Arguments parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      out.generators.push_back(word);
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(word + " lacks its value");
    const std::string value = argv[++i];
    if (word == "--solver")
      out.solvers.push_back(value);
    else if (word == "--accuracy")
      out.accuracies.push_back(value);
    else if (word == "--pairs")
      out.pairs = std::stoi(value);
    else if (word == "--first")
      out.first = std::stoi(value);
    else if (word == "--seed")
      out.seed = std::stoull(value);
    else if (word == "--save")
      out.save = value;
    else if (word == "--compare")
      out.compare = value;
    else if (word == "--json")
      out.json = value;
    else
      throw std::invalid_argument("unknown option " + word);
  }
  if (out.generators.empty()) out.generators = {"mnist-vae", "mnist-gan", "mnist-dae", "mnist-vae-8d"};
  if (out.solvers.empty()) out.solvers = {"auto", "newton"};
  if (out.accuracies.empty()) out.accuracies = {"1e-6"};
  return out;
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of_batch(const Generator& f, const Matrix& Z, Workspace& ws) {
  Matrix X(f.ambient_dimension(), Z.cols());
  Matrix J(f.ambient_dimension(), Z.rows() * Z.cols());
  std::vector<double> times;
  for (int i = 0; i < kBatches; ++i) {
    const double start = thread_seconds();
    f.value_and_jacobian(Z, X, J, ws);
    times.push_back(thread_seconds() - start);
  }
  return quantile(times, 0.5);
}

struct Kept {
  double length;
  bool converged;
};
using Lengths = std::map<std::string, Kept>;  // by generator, solver, accuracy and pair

Lengths read_lengths(const std::string& path) {
  Lengths out;
  if (path.empty()) return out;
  std::ifstream file(path);
  if (!file) throw std::invalid_argument("cannot read " + path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string generator, solver, accuracy, pair;
    Kept kept{};
    if (words >> generator >> solver >> accuracy >> pair >> kept.length >> kept.converged) {
      out[generator + ' ' + solver + ' ' + accuracy + ' ' + pair] = kept;
    }
  }
  return out;
}

Json list_of(const Vector& v) { return std::vector<double>(v.begin(), v.end()); }

// What --json writes. "pairs": by generator, their ends and the chord |f(to) − f(from)|, by which another program
// checks that it evaluates the same map. "runs": by generator, solver and accuracy, a solve for each pair, in processor
// seconds.
struct Record {
  Json environment = {{"processor", processor()},
                      {"compiler", compiler()},
                      {"blas", blas()},
                      {"instruction_set", active_instruction_set()},
                      {"OPENBLAS_CORETYPE", environment_variable("OPENBLAS_CORETYPE")}};
  Json pairs = Json::object();
  Json runs = Json::array();

  void add_pairs(const std::string& generator, const Generator* f, const std::vector<StudyPair>& chosen, int first) {
    Json& list = pairs[generator] = Json::array();
    for (auto i = static_cast<std::size_t>(first); i < chosen.size(); ++i) {
      const StudyPair& pair = chosen[i];
      list.push_back({{"pair", i},
                      {"name", pair.name},
                      {"kind", pair.kind},
                      {"from", list_of(pair.from)},
                      {"to", list_of(pair.to)}});
      if (f != nullptr) list.back()["chord"] = (f->value(pair.to) - f->value(pair.from)).norm();
    }
  }

  void write(const std::string& path) const {
    if (path.empty()) return;
    std::ofstream file(path);
    file << Json{{"environment", environment}, {"pairs", pairs}, {"runs", runs}} << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
  }
};

struct Tally {
  std::vector<double> units, values, jacobians, seconds;
  int converged = 0;
  int longer = 0;
  int shorter = 0;
  int lost = 0;
  int gained = 0;
};

void compare(const std::string& key, const GeodesicResult& now, const Lengths& before, Tally& tally) {
  const auto found = before.find(key);
  if (found == before.end()) return;
  const bool converged = now.termination == Termination::kConverged;
  const double ratio = now.certificate.length / found->second.length;
  const bool longer = !(ratio <= 1 + kLonger);
  const bool lost = found->second.converged && !converged;
  if (longer) ++tally.longer;
  if (ratio < 1 - kLonger) ++tally.shorter;
  if (lost) ++tally.lost;
  if (!found->second.converged && converged) ++tally.gained;
  if (longer || lost) {
    fmt::print("  {}: {:.6g} times as long; {}: {}\n", key, ratio, to_string(now.termination), now.message);
  }
}

void print_row(const std::string& head, const Tally& tally, std::size_t pairs, bool compared) {
  fmt::print("{} {:7.1f} {:7.1f} {:8.0f} {:8.0f} {:9.2f} {:5}/{}", head, quantile(tally.units, 0.5),
             quantile(tally.units, 0.9), quantile(tally.values, 0.5), quantile(tally.jacobians, 0.5),
             1e3 * quantile(tally.seconds, 0.5), tally.converged, pairs);
  if (compared) {
    fmt::print("  longer {}, shorter {}, lost {}, gained {}", tally.longer, tally.shorter, tally.lost, tally.gained);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void run(const Arguments& arguments, const std::string& generator, const Lengths& before, std::ofstream& saved,
         Record& record) {
  Opener opener({});
  const OpenedSpace space = opener.open(generator);
  const std::vector<StudyPair> pairs = choose_pairs(space, arguments.pairs, arguments.seed, {0.2, 1.8});
  record.add_pairs(generator, space.manifold->generator(), pairs, arguments.first);
  for (const std::string& chain : arguments.solvers) {
    const auto solver = opener.solvers().make(chain);
    for (const std::string& accuracy : arguments.accuracies) {
      Tally tally;
      Workspace ws;
      Json solves = Json::array();
      for (auto i = static_cast<std::size_t>(arguments.first); i < pairs.size(); ++i) {
        const GeodesicProblem problem{space.manifold, pairs[i].from, pairs[i].to, {}, space.codes};
        SolveControl control;
        control.accuracy = std::stod(accuracy);
        const double start = thread_seconds();
        const GeodesicResult result = solver->solve(problem, control);
        const double taken = thread_seconds() - start;
        const Generator* f = space.manifold->generator();
        Json unit;  // null where there is none
        if (f != nullptr && result.curve.finite()) {
          const double seconds = seconds_of_batch(*f, result.curve.position(uniform_times(kBatch)), ws);
          tally.units.push_back(taken / seconds);
          unit = seconds;
        }
        solves.push_back({{"pair", i},
                          {"seconds", taken},
                          {"unit_seconds", unit},
                          {"length", result.certificate.length},
                          {"length_error", result.certificate.length_error},
                          {"termination", to_string(result.termination)}});
        EvaluationCounts counts = result.effort.evaluations;
        counts += result.effort.certificate_evaluations;
        tally.values.push_back(static_cast<double>(counts.values));
        tally.jacobians.push_back(static_cast<double>(counts.jacobians + counts.second_derivatives));
        tally.seconds.push_back(taken);
        const bool converged = result.termination == Termination::kConverged;
        if (converged) ++tally.converged;
        const std::string key = fmt::format("{} {} {} {}", generator, chain, accuracy, i);
        if (saved.is_open()) saved << fmt::format("{} {:.12g} {:d}\n", key, result.certificate.length, converged);
        compare(key, result, before, tally);
      }
      print_row(fmt::format("{:14} {:10} {:6}", generator, chain, accuracy), tally, solves.size(), !before.empty());
      record.runs.push_back(
          {{"generator", generator}, {"solver", chain}, {"accuracy", std::stod(accuracy)}, {"solves", solves}});
      record.write(arguments.json);
    }
  }
}

int run(int argc, char** argv) {
  try {
    const Arguments arguments = parse(argc, argv);
    const Lengths before = read_lengths(arguments.compare);
    std::ofstream saved;
    if (!arguments.save.empty()) saved.open(arguments.save);
    fmt::print("{}, {}\n{:14} {:10} {:6} {:>7} {:>7} {:>8} {:>8} {:>9} converged\n", processor(), blas(), "generator",
               "solver", "acc.", "U", "U 90 %", "values", "J and H", "ms");
    Record record;
    for (const std::string& generator : arguments.generators) run(arguments, generator, before, saved, record);
  } catch (const std::exception& error) {
    fmt::print(stderr, "auto_bench: {}\n", error.what());
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace pullback::bench

int main(int argc, char** argv) { return pullback::bench::run(argc, argv); }
