// The command `fit-uncertainty`.
#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

#include "pullback/analysis/text.h"
#include "pullback/analysis/uncertainty.h"
#include "pullback/base/error.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"

namespace pullback::cli {

namespace {

namespace fs = std::filesystem;

UncertaintySettings settings_of(const FitUncertaintyArguments& arguments) {
  UncertaintySettings settings;
  settings.method = parse_uncertainty_method(arguments.method);
  settings.centres = arguments.centres;
  settings.width = arguments.width;
  settings.far = arguments.far;
  settings.members = arguments.members;
  settings.inputs = arguments.inputs;
  settings.length = arguments.length;
  settings.seed = arguments.seed;
  return settings;
}

}  // namespace

int run_fit_uncertainty(const FitUncertaintyArguments& arguments, const std::string& command) {
  const UncertaintySettings settings = settings_of(arguments);
  if (!arguments.files.empty() && settings.method != UncertaintyMethod::kEnsemble) {
    throw std::invalid_argument("--member: goes with --method ensemble");
  }
  if (!arguments.files.empty() && !arguments.data.empty()) {
    throw std::invalid_argument("--member: members that are given are not fitted; leave out --data");
  }
  if (!arguments.out.ends_with(".safetensors")) {
    throw std::invalid_argument(
        fmt::format("--out: expected a file that ends in .safetensors, got \"{:.80}\"", arguments.out));
  }
  const fs::path path = find_model_file(arguments.model);
  FileRoles roles;
  roles.reads(path, "MODEL");
  roles.reads(arguments.data, "--data");
  for (const std::string& file : arguments.files) roles.reads(find_model_file(file), "--member");
  roles.writes(arguments.out, "--out");
  roles.check();
  const ModelFile model = read_model(path);
  if (settings.method == UncertaintyMethod::kRbf && model.codes.cols() > 0 && settings.centres > model.codes.cols()) {
    throw std::invalid_argument(fmt::format("--centres: expected at most {}, the number of codes, got {}",
                                            model.codes.cols(), settings.centres));
  }
  require_writable(arguments.out);
  FittedModel fitted;
  if (arguments.files.empty()) {
    std::optional<Observations> observed;
    if (!arguments.data.empty()) observed = observe_images(path, model, arguments.data);
    fitted = fit_uncertainty(path, model, observed, settings);
  } else {
    std::vector<fs::path> others;
    for (const std::string& file : arguments.files) others.push_back(find_model_file(file));
    fitted = join_members(path, model, others);
  }
  fitted.content.metadata["command"] = command;
  write_safetensors(arguments.out, fitted.content);
  read_model(arguments.out);
  std::string text;
  for (const std::string& note : fitted.notes) text += note + "\n";
  write_standard_output(text + fmt::format("{}: {} with its uncertainty\n", arguments.out, arguments.model));
  return kDone;
}

}  // namespace pullback::cli
