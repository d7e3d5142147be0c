// How the Jacobians of many models behave, and what that does to geodesics.
//
// Everything that a page or a table shows is in the results, so that both can be drawn again from the file alone:
// {"schema": "pullback-jacobian-1", "created", "command", "complete", "environment", "settings", "models": […],
// "groups": […]}. A model: {"label", "specification", "kind", "latent_dimension", "ambient_dimension", "quality",
// "quality_measure", "figures": as characterisation.h has it, "solvers": […], "geodesics", "map", "codes", "labels"};
// the last three are null but for the first model of each label.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pullback/cli/characterisation.h"
#include "pullback/cli/result_json.h"
#include "pullback/cli/session.h"
#include "pullback/solvers/solver.h"

namespace pullback::cli {

struct JacobianSettings {
  CharacterisationOptions figures;
  int grid = 0;  // of the maps
  int pairs = 0;
  std::vector<std::string> solvers;  // chains
  double time_limit = 0;             // seconds for each solve; 0: none
};

// "label=SPEC" taken apart. What stands before the first '=' is a label unless a ':', '@' or '/' is in it, which a
// specification may have there ("torus:R=3"); without one the label is the specification.
struct LabelledName {
  std::string label;
  std::string specification;
};
LabelledName split_label(const std::string& text);

struct LabelledSpace {
  std::string label;
  OpenedSpace space;
  bool pictured = false;  // with a map
};

// One entry of "models". Nothing (null) when interrupted. Thread safety: all arguments may be shared.
Json study_model(const LabelledSpace& model, const JacobianSettings& settings,
                 const std::vector<std::unique_ptr<GeodesicSolver>>& solvers);

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
