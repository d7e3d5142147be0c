#include "pullback/cli/arguments.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "pullback/base/parse.h"

namespace pullback::cli {

namespace {

Vector parse_finite(std::string_view text, std::string_view option) {
  const auto fields = split(text, ',');
  Vector point(static_cast<Eigen::Index>(fields.size()));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto number = parse_number(fields[i]);
    if (!number) {
      throw std::invalid_argument(
          fmt::format("{}: expected numbers separated by commas, got \"{}\" in \"{}\"", option, fields[i], text));
    }
    const std::string fault = number_fault(fields[i]);
    if (!fault.empty()) throw std::invalid_argument(fmt::format("{}: coordinate {} {}", option, i + 1, fault));
    point(static_cast<Eigen::Index>(i)) = *number;
  }
  return point;
}

}  // namespace

Vector parse_point(std::string_view text, std::string_view option, int dimension) {
  Vector point = parse_finite(text, option);
  if (point.size() != dimension) {
    throw std::invalid_argument(
        fmt::format("{}: expected {} coordinate{}, which is the dimension of the latent space, got {}", option,
                    dimension, dimension == 1 ? "" : "s", point.size()));
  }
  return point;
}

Interval parse_interval(std::string_view text, std::string_view option) {
  const Vector bounds = parse_finite(text, option);
  if (bounds.size() != 2 || !(bounds(0) < bounds(1))) {
    throw std::invalid_argument(fmt::format("{}: expected LO,HI with LO < HI, got \"{}\"", option, text));
  }
  return {bounds(0), bounds(1)};
}

std::vector<std::string> join_negative_values(const std::vector<std::string>& arguments) {
  constexpr std::array<std::string_view, 8> kCoordinateOptions = {"--from",   "--to", "--box", "--velocity",
                                                                  "--vector", "--at", "--u",   "--v"};
  std::vector<std::string> joined;
  for (const std::string& argument : arguments) {
    const bool negative = argument.size() > 1 && argument[0] == '-' && argument[1] != '-';
    if (negative && !joined.empty() &&
        std::ranges::find(kCoordinateOptions, joined.back()) != kCoordinateOptions.end()) {
      joined.back() += "=" + argument;
    } else {
      joined.push_back(argument);
    }
  }
  return joined;
}

}  // namespace pullback::cli
