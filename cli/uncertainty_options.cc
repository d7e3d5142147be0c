// The options of `fit-uncertainty` and `study uncertainty`.
#include <memory>

#include "pullback/cli/commands.h"
#include "pullback/cli/options.h"

namespace pullback::cli {

void add_fit_uncertainty(CLI::App& app, Action& action, const std::string& line) {
  auto arguments = std::make_shared<FitUncertaintyArguments>();
  CLI::App* command =
      app.add_subcommand("fit-uncertainty", "give a trained model a metric that knows where it is known");
  command->add_option("MODEL", arguments->model, "a file (.safetensors) or a shipped model (mnist-vae)")->required();
  command
      ->add_option("--method", arguments->method, "rbf: variance network; ensemble: of decoders; gp: Gaussian process")
      ->type_name("rbf|ensemble|gp")
      ->required();
  command->add_option("--out", arguments->out, "the model with its uncertainty")->type_name("FILE")->required();
  command->add_option("--data", arguments->data, "images (IDX) to fit to (default: what the decoder says at its codes)")
      ->type_name("DIR");
  command->add_option("--centres", arguments->centres, "rbf: number of bumps")
      ->type_name("K")
      ->capture_default_str()
      ->check(in_range(1, 10'000));
  command->add_option("--width", arguments->width, "rbf: of a bump, in mean distances of its codes from its centre")
      ->type_name("A")
      ->capture_default_str()
      ->check(in_range(1e-3, 1e3));
  command->add_option("--far", arguments->far, "rbf: deviation away from the codes, in those at the codes")
      ->type_name("F")
      ->capture_default_str()
      ->check(in_range(1, 1e6));
  command->add_option("--members", arguments->members, "ensemble: how many are fitted")
      ->type_name("M")
      ->capture_default_str()
      ->check(in_range(2, 100));
  command->add_option("--member", arguments->files, "ensemble: a decoder of the same latent space; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--inputs", arguments->inputs, "gp: codes that it is conditioned on")
      ->type_name("M")
      ->capture_default_str()
      ->check(in_range(2, 2000));
  command->add_option("--length", arguments->length, "gp: in standard deviations of the codes (default: the likeliest)")
      ->type_name("L")
      ->check(in_range(1e-3, 1e3));
  command->add_option("--seed", arguments->seed, "chooses centres, samples and inputs")
      ->type_name("S")
      ->capture_default_str();
  command->footer(
      "The file opens wherever a generator is asked for.\n\nExample:\n  pullback fit-uncertainty mnist-vae "
      "--method rbf --out vae-rbf.safetensors\n  pullback inspect vae-rbf.safetensors --out maps");
  command->callback(
      [&action, arguments, line] { action = [arguments, line] { return run_fit_uncertainty(*arguments, line); }; });
}

void add_uncertainty_study(CLI::App& study, Action& action, const std::string& line) {
  auto arguments = std::make_shared<UncertaintyStudyArguments>();
  CLI::App* command = study.add_subcommand("uncertainty", "whether geodesics keep to the data, with and without it");
  const auto add_list = [&](const char* name, std::vector<std::string>& values, const char* text, const char* type) {
    command->add_option(name, values, text)->type_name(type)->allow_extra_args(false);
  };
  add_list("--model", arguments->models, "ring or a model (default: ring, mnist-vae, mnist-dae, mnist-gan); repeat",
           "NAME");
  add_list("--method", arguments->methods, "rbf, ensemble, gp or gp-short (default: all); may be repeated", "NAME");
  command->add_option("--solver", arguments->solver, "solvers joined by +")->type_name("CHAIN")->capture_default_str();
  command->add_option("--data", arguments->data, "images (IDX) to fit to, where a model has an encoder")
      ->type_name("DIR");
  command->add_option("--pairs", arguments->pairs, "pairs of codes for each model, and as many of codes on the rim")
      ->type_name("N")
      ->capture_default_str()
      ->check(in_range(1, 10'000));
  command->add_option("--seed", arguments->seed, "chooses the ring, the fits and the pairs")
      ->type_name("S")
      ->capture_default_str()
      ->check(in_range(0, 1e9));
  command->add_option("--out", arguments->out, "where results.json, report.html and the fitted models go")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "solves at a time (default: one for each processor)")
      ->type_name("T")
      ->check(in_range(1, 1024));
  command->add_option("--time-limit", arguments->time_limit, "seconds for each solve")
      ->type_name("S")
      ->capture_default_str()
      ->check(in_range(1e-9, 1e9));
  command->footer("Example:\n  pullback study uncertainty --pairs 20 --out uncertainty");
  command->callback(
      [&action, arguments, line] { action = [arguments, line] { return run_study_uncertainty(*arguments, line); }; });
}

}  // namespace pullback::cli
