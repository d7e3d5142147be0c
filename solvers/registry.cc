#include "pullback/solvers/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>

#include "pullback/base/error.h"
#include "pullback/solvers/chain.h"

namespace pullback {
namespace {

// Beyond any chain that does something. Each level of parentheses is a recursion, here and in the solve.
constexpr int kDeepestChain = 16;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool is_name(const std::string& name) {
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
  });
}

// The stages of a chain: split at every '+' outside parentheses that is not part of a number.
std::vector<std::string_view> split_stages(std::string_view chain) {
  std::vector<std::string_view> stages;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= chain.size(); ++i) {
    if (i < chain.size()) {
      if (chain[i] == '(') ++depth;
      if (chain[i] == ')') --depth;
      if (depth < 0) throw std::invalid_argument(fmt::format("solver chain '{}': a ')' without its '('", chain));
      if (depth > kDeepestChain) {
        throw std::invalid_argument(fmt::format(
            "solver chain '{:.40}…': expected at most {} parentheses inside one another", chain, kDeepestChain));
      }
      const bool plus = depth == 0 && chain[i] == '+' && !(i + 1 < chain.size() && is_digit(chain[i + 1]));
      if (!plus) continue;
    }
    stages.push_back(chain.substr(begin, i - begin));
    begin = i + 1;
  }
  if (depth > 0) throw std::invalid_argument(fmt::format("solver chain '{}': a '(' without its ')'", chain));
  return stages;
}

// NAME[:VALUES][(CHAIN)] in its parts.
struct Stage {
  std::string_view name;
  std::optional<std::string_view> values;
  std::optional<std::string_view> inner;
};

Stage parse_stage(std::string_view text) {
  Stage stage;
  const std::size_t open = text.find('(');
  if (open != std::string_view::npos) {
    const std::size_t close = text.rfind(')');
    if (close + 1 != text.size()) {
      throw std::invalid_argument(
          fmt::format("solver chain: expected '+' or the end after ')', got '{}'", text.substr(close + 1)));
    }
    stage.inner = text.substr(open + 1, close - open - 1);
    text = text.substr(0, open);
  }
  const std::size_t colon = text.find(':');
  stage.name = text.substr(0, colon);
  if (colon != std::string_view::npos) stage.values = text.substr(colon + 1);
  return stage;
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

std::unique_ptr<GeodesicSolver> SolverRegistry::make_stage(std::string_view text) const {
  const Stage stage = parse_stage(text);
  const SolverEntry& entry = find(stage.name);
  if (stage.inner && entry.inner.empty()) {
    throw std::invalid_argument(
        fmt::format("solver '{}' runs no other solver: leave out '({})'", entry.name, *stage.inner));
  }
  OptionValues values;
  if (stage.values) values = parse_values(entry.name, *stage.values);
  SolverRecipe recipe{values, *this, nullptr};
  if (!entry.inner.empty()) recipe.inner = make(stage.inner.value_or(entry.inner));
  auto solver = entry.make(std::move(recipe));
  if (solver == nullptr) throw Error(fmt::format("solver '{}' ({}) made nothing", entry.name, entry.origin));
  return solver;
}

std::unique_ptr<GeodesicSolver> SolverRegistry::make_from(std::type_index type, const void* options,
                                                          std::string_view inner) const {
  for (const auto& [name, entry] : entries_) {
    if (!entry.make_typed || entry.options_type != type) continue;
    std::unique_ptr<const GeodesicSolver> made;
    if (!entry.inner.empty()) made = make(inner.empty() ? std::string_view(entry.inner) : inner);
    return entry.make_typed(options, std::move(made));
  }
  throw std::invalid_argument(fmt::format("no registered solver takes options of the type {}", type.name()));
}

SolverTraits SolverRegistry::traits(std::string_view chain) const {
  SolverTraits out;
  bool second = false;
  bool points = false;
  for (const std::string_view text : split_stages(chain)) {
    out = find(parse_stage(text).name).traits;
    second = second || out.needs_second_derivatives;
    points = points || out.uses_points;
  }
  out.needs_second_derivatives = second;
  out.uses_points = points;
  return out;
}

std::unique_ptr<GeodesicSolver> SolverRegistry::make(std::string_view chain) const {
  std::vector<std::unique_ptr<const GeodesicSolver>> stages;
  const std::vector<std::string_view> texts = split_stages(chain);
  for (const std::string_view text : texts) {
    if (parse_stage(text).name.empty()) {
      throw std::invalid_argument(
          fmt::format("solver chain '{}' has an empty stage; expected NAME[:OPTION=VALUE,…][(CHAIN)][+NAME…]", chain));
    }
    if (texts.size() == 1) return make_stage(text);
    stages.push_back(make_stage(text));
  }
  return std::make_unique<ChainSolver>(std::move(stages));
}

}  // namespace pullback
