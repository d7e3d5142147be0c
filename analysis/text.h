// Results and numbers as text for people.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/solvers/result.h"

namespace pullback {

// "(0.1, -2)" with at most six significant digits each.
PULLBACK_EXPORT std::string format_point(const ConstVectorRef& point);

// "12 ms", "1.3 s".
PULLBACK_EXPORT std::string format_seconds(double seconds);

// A number with `digits` significant digits, "inf" or "-".
PULLBACK_EXPORT std::string format_number(double value, int digits = 4);

// The number with `digits` significant digits; what is not finite stays as it is.
PULLBACK_EXPORT double rounded_to_digits(double value, int digits = 4);

// "2 stalled, 1 time_limit".
PULLBACK_EXPORT std::string format_counts(const std::map<std::string, int>& counts);

// The length with as many digits as its error leaves: "2.167731273 ± 4e-12".
PULLBACK_EXPORT std::string format_length(double length, double error);

// Several aligned lines about one result.
PULLBACK_EXPORT std::string describe(const GeodesicResult& result);

// A table: columns as wide as their widest entry (in characters, not bytes), the first left-aligned, the others right.
class PULLBACK_EXPORT Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // Columns (by number) that hold words and are aligned to the left.
  std::string str(const std::vector<int>& left_aligned = {0}) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// `text` broken at spaces into lines of at most `width` characters, each but the first indented.
PULLBACK_EXPORT std::string wrap(const std::string& text, int width, int indent);

}  // namespace pullback
