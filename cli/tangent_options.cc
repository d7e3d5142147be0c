// The options of `exp`, `log`, `transport` and `curvature`.
#include <memory>

#include "pullback/cli/options.h"

namespace pullback::cli {
namespace {

void add_json(CLI::App& command, std::string& json) {
  command.add_option("--json", json, "write results here; - is standard output")->type_name("FILE");
}

void add_exp(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ExpArguments>();
  CLI::App* command = app.add_subcommand("exp", "follow the geodesic from a point with a velocity");
  add_generator(*command, arguments->generator, arguments->dimension, arguments->plugins);
  command->add_option("--from", arguments->from, "where it starts")->type_name("Z")->required();
  command->add_option("--velocity", arguments->velocity, "of the geodesic there, per unit of t in [0, 1]")
      ->type_name("V")
      ->required();
  command->add_option("--samples", arguments->samples, "points of the curve in the JSON, uniform in t")
      ->type_name("N")
      ->capture_default_str()
      ->check(in_range(2, 1'000'000));
  add_json(*command, arguments->json);
  command->footer("Example:\n  pullback exp sphere --from 1.57,0 --velocity 0,1");
  command->callback([&action, arguments] { action = [arguments] { return run_exp(*arguments); }; });
}

void add_log(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<LogArguments>();
  CLI::App* command = app.add_subcommand("log", "the velocity with which a geodesic leaves for another point");
  add_solve_options(*command, arguments->solve);
  command->add_option("--from", arguments->from, "where it starts")->type_name("Z")->required();
  command->add_option("--to", arguments->to, "where it ends at t = 1")->type_name("Z")->required();
  add_json(*command, arguments->json);
  command->footer("Example:\n  pullback log mnist-vae --from 0.5,-1 --to -0.3,1.2");
  command->callback([&action, arguments] { action = [arguments] { return run_log(*arguments); }; });
}

void add_transport(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<TransportArguments>();
  CLI::App* command = app.add_subcommand("transport", "carry a tangent vector along a geodesic in parallel");
  add_solve_options(*command, arguments->solve);
  command->add_option("--from", arguments->from, "where the geodesic starts")->type_name("Z")->required();
  command->add_option("--to", arguments->to, "where it ends")->type_name("Z")->required();
  command->add_option("--vector", arguments->vector, "the tangent vector where it starts")->type_name("V")->required();
  add_json(*command, arguments->json);
  command->footer("Example:\n  pullback transport torus --from 0,0 --to 0.5,1 --vector 1,0");
  command->callback([&action, arguments] { action = [arguments] { return run_transport(*arguments); }; });
}

void add_curvature(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<CurvatureArguments>();
  CLI::App* command = app.add_subcommand("curvature", "Gaussian or sectional curvature at a point");
  add_generator(*command, arguments->generator, arguments->dimension, arguments->plugins);
  command->add_option("--at", arguments->at, "the point")->type_name("Z")->required();
  command->add_option("--u", arguments->u, "with --v: two vectors that span the plane; not needed in two dimensions")
      ->type_name("U");
  command->add_option("--v", arguments->v, "see --u")->type_name("V");
  add_json(*command, arguments->json);
  command->footer("Example:\n  pullback curvature torus:R=3,r=1 --at 1,0");
  command->callback([&action, arguments] { action = [arguments] { return run_curvature(*arguments); }; });
}

}  // namespace

void add_tangent_commands(CLI::App& app, Action& action) {
  add_exp(app, action);
  add_log(app, action);
  add_transport(app, action);
  add_curvature(app, action);
}

}  // namespace pullback::cli
