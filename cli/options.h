// Reading the options of commands.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

namespace pullback::cli {

// What the command line asks for.
using Action = std::function<int()>;

// Bounds of a number, NaN being outside; they show in errors and do not crowd the help.
CLI::Validator in_range(double low, double high);

// The commands `fit-uncertainty` and `study uncertainty`. `line`: how the program was called.
void add_fit_uncertainty(CLI::App& app, Action& action, const std::string& line);
void add_uncertainty_study(CLI::App& study, Action& action, const std::string& line);

}  // namespace pullback::cli
