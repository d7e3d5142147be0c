#include "pullback/analysis/studies/jacobian_groups.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "pullback/analysis/studies/study_fields.h"
#include "pullback/analysis/text.h"
#include "pullback/base/parse.h"
#include "pullback/base/statistics.h"

namespace pullback {

namespace {

constexpr std::size_t kMedian = 3;  // in kQuantileLevels
constexpr std::size_t kHigh = 5;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Rounds all numbers of a result but those that are whole.
struct FieldRounder {
  template <class T>
  void operator()(std::string_view /*name*/, T&& field) const {
    if constexpr (std::is_lvalue_reference_v<T>) round(field);
  }

  template <class T>
  void round(T& field) const {
    if constexpr (HasFields<T>) {
      visit_fields(field, *this);
    } else if constexpr (std::is_same_v<T, double>) {
      field = rounded_to_digits(field);
    } else if constexpr (std::is_same_v<T, Vector> || std::is_same_v<T, std::vector<double>>) {
      std::transform(field.begin(), field.end(), field.begin(), [](double x) { return rounded_to_digits(x); });
    }
  }
};

std::string metadata_of(const OpenedSpace& space, const char* key) {
  const auto entry = space.metadata.find(key);
  return entry != space.metadata.end() ? entry->second : "";
}

// A level of a figure; NaN where there is none.
double level_of(const std::vector<double>& quantiles, std::size_t level) {
  return level < quantiles.size() ? quantiles[level] : kNan;
}

// κ is infinite where J loses rank, and may have been written as not known: for medians it is larger than all.
double kappa_of(const PlaceFigures& place, const std::vector<double>& kappa, std::size_t level) {
  const double value = level_of(kappa, level);
  return std::isnan(value) && place.survey.points > 0 ? std::numeric_limits<double>::infinity() : value;
}

double singular_share(const JacobianModel& model) {
  const JacobianSurvey& outside = model.figures.outside.survey;
  return outside.points > 0 ? static_cast<double>(outside.singular + outside.undefined) / outside.points : kNan;
}

struct Column {
  JacobianColumn name;
  std::function<double(const JacobianModel&)> value;
};

std::vector<Column> figure_columns() {
  using Model = JacobianModel;
  const auto level = [](PlaceFigures Characterisation::*place, std::vector<double> PlaceFigures::*figure,
                        std::size_t at) {
    return [=](const Model& m) { return level_of(m.figures.*place.*figure, at); };
  };
  const auto scaled = [](PlaceFigures Characterisation::*place, std::vector<double> PlaceFigures::*figure,
                         std::size_t at) {
    return [=](const Model& m) { return kappa_of(m.figures.*place, m.figures.*place.*figure, at); };
  };
  const auto kappa = [](PlaceFigures Characterisation::*place, std::size_t at) {
    return [=](const Model& m) { return kappa_of(m.figures.*place, (m.figures.*place).survey.kappa, at); };
  };
  constexpr auto kInside = &Characterisation::inside;
  constexpr auto kOutside = &Characterisation::outside;
  return {{{"collapsed", "collapsed"}, [](const Model& m) { return static_cast<double>(m.figures.collapsed.size()); }},
          {{"variation_inside", "smoothness in"}, level(kInside, &PlaceFigures::variation, kMedian)},
          {{"variation_inside_95", "95 %"}, level(kInside, &PlaceFigures::variation, kHigh)},
          {{"variation_outside", "smoothness out"}, level(kOutside, &PlaceFigures::variation, kMedian)},
          {{"kappa_inside", "κ in"}, kappa(kInside, kMedian)},
          {{"kappa_inside_95", "95 %"}, kappa(kInside, kHigh)},
          {{"kept_kappa_inside", "κ kept in"}, scaled(kInside, &PlaceFigures::kept_kappa, kMedian)},
          {{"scaled_kappa_inside", "κ scaled in"}, scaled(kInside, &PlaceFigures::scaled_kappa, kMedian)},
          {{"kappa_outside", "κ out"}, kappa(kOutside, kMedian)},
          {{"kappa_outside_95", "95 %"}, kappa(kOutside, kHigh)},
          {{"magnification_ratio", "log₁₀ volume out/in"},
           [](const Model& m) {
             return level_of(m.figures.outside.log10_magnification, kMedian) -
                    level_of(m.figures.inside.log10_magnification, kMedian);
           }},
          {{"singular_outside", "singular out"}, singular_share},
          {{"quality", "quality"}, [](const Model& m) { return m.quality; }}};
}

std::function<double(const JacobianModel&)> of_solver(const std::string& solver,
                                                      const std::function<double(const SolverSummary&)>& value) {
  return [=](const JacobianModel& model) {
    for (const SolverSummary& row : model.solvers) {
      if (row.solver == solver) return value(row);
    }
    return kNan;
  };
}

std::function<double(const JacobianModel&)> of_geodesics(double CurvesInRegion::*number) {
  return [=](const JacobianModel& model) { return model.geodesics ? (*model.geodesics).*number : kNan; };
}

std::vector<Column> columns_of(const std::vector<std::string>& solvers) {
  std::vector<Column> columns = figure_columns();
  if (solvers.empty()) return columns;
  columns.push_back({{"share_inside", "path inside"}, of_geodesics(&CurvesInRegion::share_inside)});
  columns.push_back({{"farthest", "farthest"}, of_geodesics(&CurvesInRegion::farthest_of_all)});
  for (const std::string& solver : solvers) {
    columns.push_back({{"solved:" + solver, solver + " solved"}, of_solver(solver, &SolverSummary::solved_share)});
    columns.push_back({{"cost:" + solver, "evaluations"}, of_solver(solver, &SolverSummary::median_evaluations)});
  }
  return columns;
}

GroupCell cell_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return {quantile(values, 0.5), quantile(values, 0), quantile(values, 1)};
}

}  // namespace

JacobianModel report_of(const LabelledSpace& model, const JacobianFigures& figures) {
  const OpenedSpace& space = model.space;
  JacobianModel out{model.label,
                    space.name,
                    metadata_of(space, "kind"),
                    space.dimension(),
                    {},
                    kNan,
                    metadata_of(space, "quality_measure"),
                    figures.characterisation,
                    figures.solvers,
                    figures.geodesics};
  if (const Generator* generator = space.manifold->generator()) out.ambient_dimension = generator->ambient_dimension();
  out.quality = rounded_to_digits(parse_number(metadata_of(space, "quality")).value_or(kNan));
  visit_fields(out.figures, FieldRounder());
  if (out.geodesics) visit_fields(*out.geodesics, FieldRounder());
  return out;
}

std::vector<JacobianColumn> jacobian_columns(const std::vector<std::string>& solvers) {
  std::vector<JacobianColumn> names;
  for (const Column& column : columns_of(solvers)) names.push_back(column.name);
  return names;
}

std::vector<JacobianGroup> group_models(const std::vector<JacobianModel>& models,
                                        const std::vector<std::string>& solvers) {
  std::vector<JacobianGroup> groups;
  const std::vector<Column> columns = columns_of(solvers);
  for (const JacobianModel& first : models) {
    if (std::ranges::find(groups, first.label, &JacobianGroup::label) != groups.end()) continue;
    JacobianGroup group{first.label, 0, {}};
    std::vector<std::vector<double>> values(columns.size());
    for (const JacobianModel& model : models) {
      if (model.label != group.label) continue;
      ++group.models;
      for (std::size_t i = 0; i < columns.size(); ++i) values[i].push_back(columns[i].value(model));
    }
    for (std::vector<double>& column : values) group.cells.push_back(cell_of(std::move(column)));
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace pullback
