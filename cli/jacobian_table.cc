#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "pullback/analysis/text.h"
#include "pullback/base/statistics.h"
#include "pullback/cli/jacobian_json.h"
#include "pullback/cli/study_json.h"

namespace pullback::cli {

namespace {

constexpr std::size_t kMedian = 3;  // in kQuantileLevels
constexpr std::size_t kHigh = 5;

double number_at(const Json& json) { return json.is_number() ? json.get<double>() : std::nan(""); }

double quantile_at(const Json& model, const char* place, const char* figure, std::size_t level) {
  return number_at(model.at("figures").at(place).at(figure).at(level));
}

// κ is infinite, and so null, where J loses rank: as a number for medians it is larger than all.
double kappa_at(const Json& model, const char* place, const char* figure, std::size_t level) {
  const double kappa = quantile_at(model, place, figure, level);
  const bool any = model.at("figures").at(place).at("points").get<int>() > 0;
  return std::isnan(kappa) && any ? std::numeric_limits<double>::infinity() : kappa;
}

double solver_number(const Json& model, const std::string& solver, const char* key) {
  for (const Json& row : model.at("solvers")) {
    if (row.at("solver") == solver) return number_at(row.at(key));
  }
  return std::nan("");
}

double geodesics_number(const Json& model, const char* key) {
  return model.at("geodesics").is_null() ? std::nan("") : number_at(model.at("geodesics").at(key));
}

double singular_share(const Json& model) {
  const Json& outside = model.at("figures").at("outside");
  const double points = outside.at("points").get<double>();
  return points > 0 ? (outside.at("singular").get<double>() + outside.at("undefined").get<double>()) / points
                    : std::nan("");
}

struct Column {
  JacobianColumn name;
  std::function<double(const Json&)> value;
};

std::vector<Column> columns_of(const std::vector<std::string>& solvers) {
  std::vector<Column> columns = {
      {{"collapsed", "collapsed"},
       [](const Json& m) { return static_cast<double>(m.at("figures").at("collapsed").size()); }},
      {{"variation_inside", "smoothness in"},
       [](const Json& m) { return quantile_at(m, "inside", "variation", kMedian); }},
      {{"variation_inside_95", "95 %"}, [](const Json& m) { return quantile_at(m, "inside", "variation", kHigh); }},
      {{"variation_outside", "smoothness out"},
       [](const Json& m) { return quantile_at(m, "outside", "variation", kMedian); }},
      {{"kappa_inside", "κ in"}, [](const Json& m) { return kappa_at(m, "inside", "kappa", kMedian); }},
      {{"kappa_inside_95", "95 %"}, [](const Json& m) { return kappa_at(m, "inside", "kappa", kHigh); }},
      {{"kept_kappa_inside", "κ kept in"}, [](const Json& m) { return kappa_at(m, "inside", "kept_kappa", kMedian); }},
      {{"scaled_kappa_inside", "κ scaled in"},
       [](const Json& m) { return kappa_at(m, "inside", "scaled_kappa", kMedian); }},
      {{"kappa_outside", "κ out"}, [](const Json& m) { return kappa_at(m, "outside", "kappa", kMedian); }},
      {{"kappa_outside_95", "95 %"}, [](const Json& m) { return kappa_at(m, "outside", "kappa", kHigh); }},
      {{"magnification_ratio", "log₁₀ volume out/in"},
       [](const Json& m) {
         return quantile_at(m, "outside", "log10_magnification", kMedian) -
                quantile_at(m, "inside", "log10_magnification", kMedian);
       }},
      {{"singular_outside", "singular out"}, singular_share},
      {{"quality", "quality"}, [](const Json& m) { return number_at(m.at("quality")); }}};
  if (solvers.empty()) return columns;
  columns.push_back(
      {{"share_inside", "path inside"}, [](const Json& m) { return geodesics_number(m, "share_inside"); }});
  columns.push_back({{"farthest", "farthest"}, [](const Json& m) { return geodesics_number(m, "farthest_of_all"); }});
  for (const std::string& solver : solvers) {
    columns.push_back({{"solved:" + solver, solver + " solved"},
                       [solver](const Json& m) { return solver_number(m, solver, "solved_share"); }});
    columns.push_back({{"cost:" + solver, "evaluations"},
                       [solver](const Json& m) { return solver_number(m, solver, "median_evaluations"); }});
  }
  return columns;
}

Json cell_json(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  const double median = quantile(values, 0.5);
  const double low = quantile(values, 0);
  const double high = quantile(values, 1);
  return {{"median", short_number(median)},
          {"low", short_number(low)},
          {"high", short_number(high)},
          {"infinite", std::isinf(high)}};
}

std::string cell_text(const Json& cell) {
  if (cell.at("median").is_null()) return cell.at("infinite").get<bool>() ? "inf" : "-";
  return format_number(cell.at("median").get<double>(), 3);
}

}  // namespace

std::vector<JacobianColumn> jacobian_columns(const std::vector<std::string>& solvers) {
  std::vector<JacobianColumn> names;
  for (const Column& column : columns_of(solvers)) names.push_back(column.name);
  return names;
}

Json group_models(const Json& models, const std::vector<std::string>& solvers) {
  std::vector<std::string> labels;
  for (const Json& model : models) {
    const auto label = model.at("label").get<std::string>();
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
  }
  Json groups = Json::array();
  for (const std::string& label : labels) {
    std::vector<const Json*> members;
    for (const Json& model : models) {
      if (model.at("label") == label) members.push_back(&model);
    }
    Json cells = Json::object();
    for (const Column& column : columns_of(solvers)) {
      std::vector<double> values;
      for (const Json* model : members) values.push_back(column.value(*model));
      cells[column.name.key] = cell_json(std::move(values));
    }
    groups.push_back({{"label", label}, {"models", members.size()}, {"cells", std::move(cells)}});
  }
  return groups;
}

std::string jacobian_table(const Json& results) {
  const auto solvers = results.at("settings").at("solvers").get<std::vector<std::string>>();
  const std::vector<JacobianColumn> columns = jacobian_columns(solvers);
  std::vector<std::string> header = {"model", "n"};
  for (const JacobianColumn& column : columns) header.push_back(column.title);
  Table table(std::move(header));
  for (const Json& group : results.at("groups")) {
    std::vector<std::string> row = {group.at("label").get<std::string>(),
                                    std::to_string(group.at("models").get<int>())};
    for (const JacobianColumn& column : columns) row.push_back(cell_text(group.at("cells").at(column.key)));
    table.add(std::move(row));
  }
  return table.str();
}

}  // namespace pullback::cli
