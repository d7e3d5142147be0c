// The study of Jacobians in JSON, and its table.
//
// Everything that a page or a table shows is in the results, so that both can be drawn again from the file alone:
// {"schema": "pullback-jacobian-1", "created", "command", "complete", "environment", "settings", "models": […],
// "groups": […]}. A model has the fields of a JacobianModel, "map" and "codes"; these two are null but for the first
// model of each label.
#pragma once

#include <string>
#include <vector>

#include "pullback/analysis/studies/jacobian_groups.h"
#include "pullback/cli/json_view.h"

namespace pullback::cli {

// "label=SPEC" taken apart. What stands before the first '=' is a label unless a ':', '@' or '/' is in it, which a
// specification may have there ("torus:R=3"); without one the label is the specification.
struct LabelledName {
  std::string label;
  std::string specification;
};
LabelledName split_label(const std::string& text);

// One entry of "models", of which `figures` has the pictures.
Json model_json(const JacobianModel& model, const JacobianFigures& figures);

// "groups": [{"label", "models", "cells": {KEY: {"median", "low", "high", "infinite"}}}].
Json groups_json(const std::vector<JacobianGroup>& groups, const std::vector<JacobianColumn>& columns);

// The table for people.
std::string jacobian_table(const std::vector<JacobianGroup>& groups, const std::vector<JacobianColumn>& columns);

}  // namespace pullback::cli
