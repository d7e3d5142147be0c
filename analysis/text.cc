#include "pullback/analysis/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "pullback/base/parse.h"
#include "pullback/generators/generator_fields.h"

namespace pullback {

namespace {

// Characters of UTF-8 text: bytes that do not continue another.
int width_of(const std::string& text) {
  return static_cast<int>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string second_variation(const Certificate& certificate) {
  std::string text = format_number(certificate.second_variation);
  if (certificate.conjugate_point) {
    return text + fmt::format(", not a local minimum: conjugate point at t = {:.4g}", *certificate.conjugate_point);
  }
  if (certificate.second_variation > 0) text += ", a local minimum";
  return text;
}

std::string condition(const Condition& condition) {
  std::string text =
      fmt::format("κ ≤ {}, σ ≥ {}", format_number(condition.kappa_max), format_number(condition.sigma_min));
  if (condition.degenerate) {
    text += fmt::format("; numerically degenerate on {:.3g} % of the curve", 100 * condition.degenerate_fraction);
  }
  if (condition.regularisation)
    text += fmt::format("; regularisation changed the length by {:.2g}", *condition.regularisation);
  return text;
}

std::string effort(const Effort& effort) {
  return fmt::format("{} (solver {}, certificate {}; generator {}), {} iterations", format_seconds(effort.seconds),
                     format_seconds(effort.solver_seconds), format_seconds(effort.certificate_seconds),
                     format_seconds(effort.evaluations.seconds), effort.iterations);
}

std::string evaluations(const EvaluationCounts& counts) {
  std::string text = fmt::format("{} values, {} Jacobians, {} second derivatives", counts.values, counts.jacobians,
                                 counts.second_derivatives);
  if (counts.products > 0) text += fmt::format(", {} products", counts.products);
  if (counts.metrics > 0) text += fmt::format(", {} metrics", counts.metrics);
  return text;
}

}  // namespace

std::string format_point(const ConstVectorRef& point) {
  std::string text = "(";
  for (Eigen::Index i = 0; i < point.size(); ++i) text += fmt::format("{}{:.6g}", i > 0 ? ", " : "", point(i));
  return text + ")";
}

std::string format_seconds(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  if (seconds < 1e-3) return fmt::format("{:.3g} µs", 1e6 * seconds);
  if (seconds < 1) return fmt::format("{:.3g} ms", 1e3 * seconds);
  return fmt::format("{:.3g} s", seconds);
}

std::string format_number(double value, int digits) {
  if (std::isnan(value)) return "-";
  return fmt::format("{:.{}g}", value, digits);
}

double rounded_to_digits(double value, int digits) {
  return std::isfinite(value) ? parse_number(fmt::format("{:.{}g}", value, digits)).value_or(0) : value;
}

std::string format_counts(const std::map<std::string, int>& counts) {
  std::vector<std::string> texts;
  for (const auto& [name, count] : counts) texts.push_back(fmt::format("{} {}", count, name));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string format_length(double length, double error) {
  if (!std::isfinite(length)) return "-";
  // A double has at most 17 digits that mean something, and a reader wants at least four.
  const double relative = std::max(std::abs(error / length), 1e-16);
  const int digits = std::isfinite(relative) ? std::clamp(static_cast<int>(1.5 - std::log10(relative)), 4, 16) : 4;
  return fmt::format("{:.{}g} ± {:.1g}", length, digits, error);
}

std::string describe(const GeodesicResult& result) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<17} {}\n", name, value);
  };
  line("termination", to_string(result.termination));
  if (!result.curve.empty()) {
    const Certificate& c = result.certificate;
    line("length", format_length(c.length, c.length_error));
    line("residual",
         fmt::format("{}, excess length {}", format_number(c.residual, 2), format_number(c.relative_excess, 2)));
    line("second variation", second_variation(c));
    line("condition", condition(c.condition));
    if (c.first_derivative != Derivative::kExact || c.second_derivative != Derivative::kExact) {
      line("derivatives",
           fmt::format("first {}, second {}", to_string(c.first_derivative), to_string(c.second_derivative)));
    }
    if (c.endpoint_error > 0) line("end points", fmt::format("missed by {:.2g}", c.endpoint_error));
    if (c.shorter_known) line("shorter known", fmt::format("{:.10g}", *c.shorter_known));
  }
  line("time", effort(result.effort));
  line("evaluations", evaluations(result.effort.evaluations));
  line("message", wrap(result.message, 100, 20));
  return text;
}

std::string Table::str(const std::vector<int>& left_aligned) const {
  std::vector<int> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(static_cast<std::size_t>(widths[i] - width_of(row[i])), ' ');
      const bool left = std::ranges::find(left_aligned, static_cast<int>(i)) != left_aligned.end();
      line += (i > 0 ? "  " : "") + (left ? row[i] + padding : padding + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string wrap(const std::string& text, int width, int indent) {
  std::istringstream words(text);
  std::string result;
  int column = indent;
  for (std::string word; words >> word;) {
    if (column > indent && column + 1 + width_of(word) > width) {
      result += "\n" + std::string(static_cast<std::size_t>(indent), ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += width_of(word);
  }
  return result;
}

}  // namespace pullback
