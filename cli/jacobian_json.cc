#include "pullback/cli/jacobian_json.h"

#include <cmath>

#include "pullback/analysis/studies/study_fields.h"
#include "pullback/analysis/text.h"
#include "pullback/cli/fields_json.h"
#include "pullback/cli/maps_json.h"

namespace pullback::cli {

namespace {

std::string cell_text(const GroupCell& cell) {
  if (!std::isfinite(cell.median)) return std::isinf(cell.high) ? "inf" : "-";
  return format_number(short_number(cell.median).get<double>(), 3);
}

}  // namespace

LabelledName split_label(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || text.find_first_of(":@/") < equals) return {text, text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Json model_json(const JacobianModel& model, const JacobianFigures& figures) {
  Json json = fields_json(model);
  json["map"] = figures.map ? as_small_json(*figures.map) : Json(nullptr);
  json["codes"] = figures.map ? Json(small_points(figures.map->plane, figures.shown_codes)) : Json(nullptr);
  return json;
}

Json groups_json(const std::vector<JacobianGroup>& groups, const std::vector<JacobianColumn>& columns) {
  Json list = Json::array();
  for (const JacobianGroup& group : groups) {
    Json cells = Json::object();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      cells[columns[i].key] = fields_json(group.cells[i], short_number);
    }
    list.push_back({{"label", group.label}, {"models", group.models}, {"cells", std::move(cells)}});
  }
  return list;
}

std::string jacobian_table(const std::vector<JacobianGroup>& groups, const std::vector<JacobianColumn>& columns) {
  std::vector<std::string> header = {"model", "n"};
  for (const JacobianColumn& column : columns) header.push_back(column.title);
  Table table(std::move(header));
  for (const JacobianGroup& group : groups) {
    std::vector<std::string> row = {group.label, std::to_string(group.models)};
    for (const GroupCell& cell : group.cells) row.push_back(cell_text(cell));
    table.add(std::move(row));
  }
  return table.str();
}

}  // namespace pullback::cli
