#include "tests/hunt/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>

namespace pullback::hunt {
namespace {

constexpr std::array<double, 3> kBarRatios{1, 3, 10};

std::string line(const std::string& name, const Cell& c) {
  return fmt::format(
      "{:<22} {:>7} {:>7} {:>6} {:>7} | {:>6} {:>5} {:>5} | {:>5} {:>5} {:>5} | {:>8.1f} {:>8.1f} {:>7.1f}\n", name,
      c.solves, c.claims, c.false_claims, c.honest(), c.bars_claimed[0], c.bars_claimed[1], c.bars_claimed[2],
      c.bars_open[0], c.bars_open[1], c.bars_open[2], 1e3 * c.solve_work / std::max(1L, c.solves),
      1e3 * c.judge_work / std::max(1L, c.solves), c.longest);
}

std::string heading(const char* what) {
  return fmt::format(
      "{:<22} {:>7} {:>7} {:>6} {:>7} | {:>18} | {:>17} | {:>8} {:>8} {:>7}\n{:<22} {:>7} {:>7} {:>6} {:>7} | {:>6} "
      "{:>5} "
      "{:>5} | {:>5} {:>5} {:>5} | {:>8} {:>8} {:>7}\n",
      "", "", "", "", "", "bars of claims", "bars of others", "solve", "judge", "longest", what, "solves", "claims",
      "false", "honest", ">1x", ">3x", ">10x", ">1x", ">3x", ">10x", "ms", "ms", "s");
}

nlohmann::json cell_json(const Cell& c) {
  return {{"solves", c.solves},
          {"claims", c.claims},
          {"false", c.false_claims},
          {"false_shorter_known", c.false_shorter},
          {"honest", c.honest()},
          {"bars_of_claims", c.bars_claimed},
          {"bars_of_others", c.bars_open},
          {"unmeasured", c.unmeasured},
          {"worst_bar", c.worst_bar},
          {"solve_seconds", c.solve_work},
          {"judge_seconds", c.judge_work},
          {"longest_seconds", c.longest},
          {"terminations", c.terminations},
          {"problems", c.problems}};
}

}  // namespace

void Cell::add(const Trial& trial) {
  const Verdict& v = trial.verdict;
  problems[trial.problem] = v.claimed && v.falsehood == Falsehood::kNone;
  ++solves;
  ++terminations[trial.termination];
  claims += v.claimed ? 1 : 0;
  false_claims += v.claimed && v.falsehood != Falsehood::kNone ? 1 : 0;
  false_shorter += v.falsehood == Falsehood::kShorterKnown ? 1 : 0;
  unmeasured += v.claimed && !v.measured ? 1 : 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (v.bar_ratio > kBarRatios[i]) ++(v.claimed ? bars_claimed : bars_open)[i];
  }
  worst_bar = std::max(worst_bar, v.bar_ratio);
  solve_work += trial.solve_work;
  judge_work += trial.judge_work;
  longest = std::max(longest, trial.seconds);
}

void Cell::add(const Cell& other) {
  solves += other.solves;
  claims += other.claims;
  false_claims += other.false_claims;
  false_shorter += other.false_shorter;
  unmeasured += other.unmeasured;
  for (int i = 0; i < 3; ++i) {
    bars_claimed[i] += other.bars_claimed[i];
    bars_open[i] += other.bars_open[i];
  }
  worst_bar = std::max(worst_bar, other.worst_bar);
  solve_work += other.solve_work;
  judge_work += other.judge_work;
  longest = std::max(longest, other.longest);
  for (const auto& [name, count] : other.terminations) terminations[name] += count;
}

void Tally::add(const Trial& trial) {
  cells_[trial.family][trial.solver].add(trial);
  if (trial.verdict.falsehood != Falsehood::kNone || trial.verdict.bar_ratio > 3) findings_.push_back(trial);
}

Cell Tally::total() const {
  Cell out;
  for (const auto& [family, row] : cells_) {
    for (const auto& [solver, cell] : row) out.add(cell);
  }
  return out;
}

std::string repeat_command(std::uint64_t seed, const Trial& trial) {
  return fmt::format("pullback_hunt --seed {} --family {} --problem {} --solver '{}'", seed, trial.family,
                     trial.problem, trial.solver);
}

std::string Tally::text() const {
  std::vector<Trial> sorted = findings_;
  std::ranges::sort(sorted, {}, [](const Trial& t) { return std::tie(t.family, t.problem, t.solver); });
  std::string out;
  for (const Trial& t : sorted) {
    const bool false_claim = t.verdict.falsehood != Falsehood::kNone;
    out += fmt::format("{}  # {} {}\n", repeat_command(seed, t),
                       false_claim ? fmt::format("FALSE {}: {}", to_string(t.verdict.falsehood), t.verdict.why)
                                   : fmt::format("BAR {:.3g} times too small: {:.15g} ± {:.2g}, the curve has {:.15Lg}",
                                                 t.verdict.bar_ratio, t.reported, t.reported_error, t.verdict.length),
                       t.verdict.claimed ? "" : "(" + t.termination + ")");
  }
  std::map<std::string, Cell> by_solver;
  out += '\n' + heading("family");
  for (const auto& [family, row] : cells_) {
    Cell sum;
    for (const auto& [solver, cell] : row) {
      sum.add(cell);
      by_solver[solver].add(cell);
    }
    out += line(family, sum);
  }
  out += '\n' + heading("solver");
  for (const auto& [solver, cell] : by_solver) out += line(solver, cell);
  out += '\n' + fmt::format("{:<22}", "claims/false/bars>3x");
  for (const auto& [solver, cell] : by_solver) out += fmt::format(" {:>14.14}", solver);
  out += '\n';
  for (const auto& [family, row] : cells_) {
    out += fmt::format("{:<22}", family);
    for (const auto& [solver, sum] : by_solver) {
      const auto found = row.find(solver);
      if (found == row.end()) {
        out += fmt::format(" {:>14}", "-");
        continue;
      }
      const Cell& c = found->second;
      out += fmt::format(" {:>14}", fmt::format("{}:{}/{}/{}", c.solves, c.claims, c.false_claims, c.bars_claimed[1]));
    }
    out += '\n';
  }
  const Cell sum = total();
  out += '\n' + line("all", sum);
  std::string ends;
  for (const auto& [name, count] : sum.terminations)
    ends += fmt::format("{}{} {}", ends.empty() ? "" : ", ", count, name);
  out += fmt::format(
      "seed {}: {} solves in {:.0f} s ({:.1f} a second): {} claims, {} false, {} honest; {} shorter curves that are "
      "not; error bars more than 3 times too small: {} of claims, {} of others\n{}\n",
      seed, sum.solves, seconds, static_cast<double>(sum.solves) / std::max(seconds, 1e-9), sum.claims,
      sum.false_claims, sum.honest(), sum.false_shorter, sum.bars_claimed[1], sum.bars_open[1], ends);
  return out;
}

nlohmann::json Tally::json() const {
  nlohmann::json out{{"seed", seed}, {"seconds", seconds}, {"time_limit", time_limit}};
  for (const auto& [family, row] : cells_) {
    for (const auto& [solver, cell] : row) out["families"][family][solver] = cell_json(cell);
  }
  out["total"] = cell_json(total());
  out["findings"] = nlohmann::json::array();
  for (const Trial& t : findings_) {
    out["findings"].push_back({{"family", t.family},
                               {"problem", t.problem},
                               {"solver", t.solver},
                               {"termination", t.termination},
                               {"message", t.message},
                               {"length", t.reported},
                               {"length_error", t.reported_error},
                               {"kind", to_string(t.verdict.falsehood)},
                               {"why", t.verdict.why},
                               {"curve_length", static_cast<double>(t.verdict.length)},
                               {"bar_ratio", t.verdict.bar_ratio},
                               {"repeat", repeat_command(seed, t)}});
  }
  return out;
}

std::string fewer_claims(const Tally& now, const nlohmann::json& before) {
  if (before.at("seed").get<std::uint64_t>() != now.seed) {
    throw std::invalid_argument(fmt::format("the hunts to compare must have the same seed, got {} and {}", now.seed,
                                            before.at("seed").get<std::uint64_t>()));
  }
  std::string out;
  for (const auto& [family, row] : now.cells()) {
    long was = 0;
    long is = 0;
    for (const auto& [solver, cell] : row) {
      if (!before.at("families").contains(family) || !before.at("families").at(family).contains(solver)) continue;
      const auto old = before.at("families").at(family).at(solver).at("problems").get<std::map<std::uint64_t, bool>>();
      for (const auto& [problem, honest] : cell.problems) {
        const auto found = old.find(problem);
        if (found == old.end()) continue;
        was += found->second ? 1 : 0;
        is += honest ? 1 : 0;
      }
    }
    if (is < was) out += fmt::format("{}: {} honest claims, {} before\n", family, is, was);
  }
  return out;
}

}  // namespace pullback::hunt
