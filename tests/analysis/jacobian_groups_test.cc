#include "pullback/analysis/studies/jacobian_groups.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "tests/spaces/exponential_space.h"

namespace pullback {
namespace {

using pullback::testing::normal_codes;
using pullback::testing::space_with_codes;

constexpr std::size_t kMedian = 3;

const GroupCell& cell_of(const JacobianGroup& group, const std::string& key) {
  const std::vector<JacobianColumn> columns = jacobian_columns({});
  std::size_t i = 0;
  while (columns.at(i).key != key) ++i;
  return group.cells.at(i);
}

TEST(GroupModels, HaveTheirModelsMedianAndRange) {
  std::vector<JacobianModel> models;
  for (const double value : {3.0, 1.0, 2.0}) {
    OpenedSpace space = space_with_codes(normal_codes(1));
    space.metadata["quality"] = std::to_string(value);
    const LabelledSpace model{"exp", space};
    models.push_back(report_of(model, *study_model(model, {{.points = 50}, 4, 0, {}, 0}, {})));
  }
  models.push_back(models[0]);
  models[3].label = "other";
  models[3].figures.inside.survey.kappa[kMedian] = std::nan("");  // infinite, as it is written
  const std::vector<JacobianGroup> groups = group_models(models, {});
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].models, 3);
  EXPECT_EQ(groups[1].label, "other");
  const GroupCell& quality = cell_of(groups[0], "quality");
  EXPECT_EQ(quality.median, 2);
  EXPECT_EQ(quality.low, 1);
  EXPECT_EQ(quality.high, 3);
  EXPECT_TRUE(std::isinf(cell_of(groups[1], "kappa_inside").high));
  EXPECT_EQ(cell_of(groups[0], "collapsed").median, 1);
}

TEST(GroupModels, LeaveOutModelsWithoutTheNumber) {
  JacobianModel with;
  with.label = "a";
  with.solvers.push_back({.solver = "energy", .runs = 4, .solved = 3});
  JacobianModel without;
  without.label = "a";
  const std::vector<JacobianGroup> groups = group_models({without, with}, {"energy"});
  const std::vector<JacobianColumn> columns = jacobian_columns({"energy"});
  ASSERT_EQ(columns.size(), groups[0].cells.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].key == "solved:energy") EXPECT_EQ(groups[0].cells[i].median, 0.75);
    if (columns[i].key == "farthest") EXPECT_TRUE(std::isnan(groups[0].cells[i].median));
  }
}

}  // namespace
}  // namespace pullback
