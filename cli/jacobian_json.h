// The study of Jacobians in JSON, and its table.
//
// Everything that a page or a table shows is in the results, so that both can be drawn again from the file alone:
// {"schema": "pullback-jacobian-1", "created", "command", "complete", "environment", "settings", "models": […],
// "groups": […]}. A model: {"label", "specification", "kind", "latent_dimension", "ambient_dimension", "quality",
// "quality_measure", "figures": as characterisation_json.h has it, "solvers": […], "geodesics", "map", "codes",
// "labels"}; the last three are null but for the first model of each label.
#pragma once

#include <string>
#include <vector>

#include "pullback/analysis/studies/jacobian.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

// "label=SPEC" taken apart. What stands before the first '=' is a label unless a ':', '@' or '/' is in it, which a
// specification may have there ("torus:R=3"); without one the label is the specification.
struct LabelledName {
  std::string label;
  std::string specification;
};
LabelledName split_label(const std::string& text);

// One entry of "models".
Json model_json(const LabelledSpace& model, const JacobianFigures& figures);

// The columns of the study's table.
struct JacobianColumn {
  std::string key;
  std::string title;
};
std::vector<JacobianColumn> jacobian_columns(const std::vector<std::string>& solvers);

// "groups" from "models": [{"label", "models", "cells": {KEY: {"median", "low", "high"}}}], in the order of the labels'
// first models; low and high are the least and the largest of the group's models, null where no model has the number.
Json group_models(const Json& models, const std::vector<std::string>& solvers);

// The table for people.
std::string jacobian_table(const Json& results);

}  // namespace pullback::cli
