// What a hunt found.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tests/hunt/judge.h"

namespace pullback::hunt {

// One solve, judged.
struct Trial {
  std::string family;
  std::uint64_t problem = 0;
  std::string solver;
  std::string termination;
  std::string message;
  double reported = 0;
  double reported_error = 0;
  double seconds = 0;     // of the solve, by the clock on the wall
  double solve_work = 0;  // seconds of the processor
  double judge_work = 0;
  Verdict verdict;
};

// Counts over the solves of one solver on one family.
struct Cell {
  long solves = 0;
  long claims = 0;
  long false_claims = 0;
  long false_shorter = 0;            // shorter curves said to be known that are not, claimed to have converged or not
  long bars_claimed[3] = {0, 0, 0};  // error bars of claims more than 1, 3, 10 times too small
  long bars_open[3] = {0, 0, 0};     // of curves that are not claimed to have converged
  long unmeasured = 0;               // claims whose length the judge could not measure to 1e-9
  double worst_bar = 0;
  double solve_work = 0;
  double judge_work = 0;
  double longest = 0;  // solve, by the clock on the wall
  std::map<std::string, long> terminations;
  std::map<std::uint64_t, bool> problems;  // those solved, and whether the claim was honest

  long honest() const { return claims - false_claims; }
  void add(const Trial& trial);
  void add(const Cell& other);
};

class Tally {
 public:
  std::uint64_t seed = 0;
  double seconds = 0;
  double time_limit = 0;

  void add(const Trial& trial);

  const std::map<std::string, std::map<std::string, Cell>>& cells() const { return cells_; }
  // Trials with a false claim or an error bar more than three times too small.
  const std::vector<Trial>& findings() const { return findings_; }
  Cell total() const;

  // The findings with the command that repeats each, a table of families by solvers, and sums.
  std::string text() const;
  nlohmann::json json() const;

 private:
  std::map<std::string, std::map<std::string, Cell>> cells_;
  std::vector<Trial> findings_;
};

// The command that solves and judges this one again.
std::string repeat_command(std::uint64_t seed, const Trial& trial);

// Families with fewer honest claims than in `before`, the JSON of another hunt, on the problems that both solved;
// empty: none. Throws std::invalid_argument where the seeds differ.
std::string fewer_claims(const Tally& now, const nlohmann::json& before);

}  // namespace pullback::hunt
