// Reading the options of commands.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

#include "pullback/cli/commands.h"

namespace pullback::cli {

// What the command line asks for.
using Action = std::function<int()>;

// Bounds of a number, NaN being outside; they show in errors and do not crowd the help.
CLI::Validator in_range(double low, double high);

inline constexpr char kGeneratorHelp[] =
    "a file (.safetensors, .pt), a shipped model (mnist-vae), a surface (torus:R=3,r=1) or a metric (half-plane), with "
    "transforms after it (NAME@isometric@floor=0.05); see `pullback generators`";
inline constexpr char kTimeLimitHelp[] = "seconds for each geodesic, its certificate included (default: none)";

void add_accuracy(CLI::App& command, double& accuracy);
void add_plugins(CLI::App& command, std::vector<std::string>& plugins);
void add_dimension(CLI::App& command, int& dimension);
// GENERATOR and what comes with it.
void add_generator(CLI::App& command, std::string& generator, int& dimension, std::vector<std::string>& plugins);
// The same, and how to solve.
void add_solve_options(CLI::App& command, SolveArguments& solve);

// The commands `exp`, `log`, `transport` and `curvature`.
void add_tangent_commands(CLI::App& app, Action& action);

// The commands `fit-uncertainty` and `study uncertainty`. `line`: how the program was called.
void add_fit_uncertainty(CLI::App& app, Action& action, const std::string& line);
void add_uncertainty_study(CLI::App& study, Action& action, const std::string& line);

}  // namespace pullback::cli
