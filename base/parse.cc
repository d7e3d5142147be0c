#include "pullback/base/parse.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace pullback {
namespace {

struct Parsed {
  double value = 0;
  bool number = false;    // the whole text is one
  bool overflow = false;  // beyond the largest double
  bool underflow = false;
};

Parsed parse(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Parsed parsed;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed.value);
  if (text.empty() || end != text.data() + text.size()) return parsed;
  parsed.number = error == std::errc() || error == std::errc::result_out_of_range;
  if (error != std::errc::result_out_of_range) return parsed;
  // from_chars does not say on which side; strtod does, and this program keeps the C locale that it needs.
  parsed.value = std::strtod(std::string(text).c_str(), nullptr);
  parsed.overflow = std::isinf(parsed.value);
  parsed.underflow = !parsed.overflow;
  if (parsed.underflow) parsed.value = 0;
  return parsed;
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(trim(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<double> parse_number(std::string_view text) {
  const Parsed parsed = parse(text);
  return parsed.number ? std::optional(parsed.value) : std::nullopt;
}

std::string number_fault(std::string_view text) {
  const Parsed parsed = parse(text);
  // No number that fits needs more than this many characters to be recognised.
  const std::string_view shown = trim(text).substr(0, 24);
  if (parsed.underflow) {
    return fmt::format("underflows to 0: {} is nearer to zero than a double can be; give 0, or at least {:.2g}", shown,
                       std::numeric_limits<double>::denorm_min());
  }
  if (parsed.overflow) {
    return fmt::format("is infinite: {} overflows; the largest double is {:.2g}", shown,
                       std::numeric_limits<double>::max());
  }
  if (!parsed.number || std::isfinite(parsed.value)) return "";
  return fmt::format("is {}, expected a finite number", std::isnan(parsed.value) ? "NaN" : "infinite");
}

}  // namespace pullback
