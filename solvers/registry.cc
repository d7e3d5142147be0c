#include "pullback/solvers/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "pullback/generators/error.h"
#include "pullback/solvers/chain.h"

namespace pullback {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool is_name(const std::string& name) {
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
  });
}

// The stages of a chain: split at every '+' that is not part of a number.
std::vector<std::string_view> split_stages(std::string_view chain) {
  std::vector<std::string_view> stages;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= chain.size(); ++i) {
    const bool ends = i == chain.size() || (chain[i] == '+' && !(i + 1 < chain.size() && is_digit(chain[i + 1])));
    if (!ends) continue;
    stages.push_back(chain.substr(begin, i - begin));
    begin = i + 1;
  }
  return stages;
}

// "a=1,b=2" as name → value.
OptionValues parse_values(const std::string& solver, std::string_view text) {
  OptionValues values;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      throw std::invalid_argument(fmt::format("solver '{}': expected NAME=VALUE after ':', got '{}'", solver, item));
    }
    const auto [position, inserted] = values.emplace(item.substr(0, equals), item.substr(equals + 1));
    if (!inserted) {
      throw std::invalid_argument(fmt::format("solver '{}': option '{}' is given twice", solver, position->first));
    }
    if (comma == std::string_view::npos) return values;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

void SolverRegistry::add(SolverEntry entry) {
  if (!is_name(entry.name)) {
    throw std::invalid_argument(fmt::format(
        "'{}' is not a solver's name: expected a letter followed by letters, digits, '-' and '_'", entry.name));
  }
  if (!entry.make && entry.unavailable.empty()) {
    throw std::invalid_argument(
        fmt::format("solver '{}' has neither a function that makes it nor a reason why not", entry.name));
  }
  entry.origin = origin_;
  std::string name = entry.name;
  const auto [position, inserted] = entries_.emplace(std::move(name), std::move(entry));
  if (!inserted) {
    throw std::invalid_argument(
        fmt::format("a solver named '{}' is registered already ({})", position->first, position->second.origin));
  }
}

void SolverRegistry::add_unavailable(std::string name, std::string description, std::string reason) {
  SolverEntry entry;
  entry.name = std::move(name);
  entry.description = std::move(description);
  entry.unavailable = std::move(reason);
  add(std::move(entry));
}

const SolverEntry& SolverRegistry::find(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    std::vector<std::string> names;
    for (const auto& [known, entry] : entries_) {
      if (entry.make) names.push_back(known);
    }
    throw std::invalid_argument(fmt::format("unknown solver '{}'; known are {}", name,
                                            names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  if (!found->second.make) {
    throw std::invalid_argument(fmt::format("solver '{}' is unavailable: {}", name, found->second.unavailable));
  }
  return found->second;
}

std::unique_ptr<GeodesicSolver> SolverRegistry::make(std::string_view chain) const {
  std::vector<std::unique_ptr<GeodesicSolver>> stages;
  for (const std::string_view stage : split_stages(chain)) {
    const std::size_t colon = stage.find(':');
    if (stage.substr(0, colon).empty()) {
      throw std::invalid_argument(
          fmt::format("solver chain '{}' has an empty stage; expected NAME[:OPTION=VALUE,…][+NAME…]", chain));
    }
    const SolverEntry& entry = find(stage.substr(0, colon));
    OptionValues values;
    if (colon != std::string_view::npos) values = parse_values(entry.name, stage.substr(colon + 1));
    stages.push_back(entry.make(values));
    if (stages.back() == nullptr) throw Error(fmt::format("solver '{}' ({}) made nothing", entry.name, entry.origin));
  }
  if (stages.size() == 1) return std::move(stages.front());
  return std::make_unique<ChainSolver>(std::vector<std::unique_ptr<const GeodesicSolver>>(
      std::make_move_iterator(stages.begin()), std::make_move_iterator(stages.end())));
}

}  // namespace pullback
