// The commands `exp`, `log`, `transport` and `curvature`: tangent vectors of one space.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "pullback/analysis/text.h"
#include "pullback/cli/arguments.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/known_dimension.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/result_json.h"
#include "pullback/manifold/curves/tangent_fields.h"
#include "pullback/spaces/space.h"

namespace pullback::cli {
namespace {

// The point tells the dimension of a file that does not.
Space open_space(const std::string& generator, const std::vector<std::string>& plugins, int dimension,
                 const std::string& point, const std::string& json) {
  FileRoles roles;
  SolveArguments inputs;
  inputs.generator = generator;
  inputs.plugins = plugins;
  add_inputs(inputs, roles);
  roles.writes(json, "--json");
  roles.check();
  const auto opener = std::make_shared<Opener>(plugins);
  OpenedSpace opened = opener->open(generator, known_dimension(point, "", 1, dimension));
  if (!json.empty() && json != "-") require_writable(json);
  return {std::move(opened), opener};
}

// JSON where it was asked for; text unless it went to standard output.
void write_result(const std::string& json_file, const Json& json, const std::string& text) {
  if (!json_file.empty()) write_outputs({{json_file, as_text(json)}});
  if (json_file != "-") write_standard_output(text);
}

std::string line(const char* name, const std::string& value) { return fmt::format("  {:<17} {}\n", name, value); }

// "(0.1, -2)" with the digits that a next command needs.
std::string exact_point(const ConstVectorRef& z) {
  std::string text;
  for (const double x : z) text += fmt::format("{}{:.15g}", text.empty() ? "" : ",", x);
  return text;
}

// The status with what it tells of the geodesic, where that is not complete.
std::string meaning_of(FlowStatus status) {
  std::string text = to_string(status);
  if (status == FlowStatus::kTooManySteps) {
    text += ": the geodesic meets a metric that changes ever faster, or the velocity is very long";
  } else if (status == FlowStatus::kNotFinite) {
    text += ": the geodesic meets the border of the domain, or a singular metric";
  }
  return text;
}

// A geodesic that ends when the program is interrupted.
struct Joined {
  Batch batch;
  EndPoints ends;
  GeodesicResult result;
  int threads = 0;
};

Joined join(const SolveArguments& solve, const std::string& from, const std::string& to, const std::string& json) {
  FileRoles roles;
  add_inputs(solve, roles);
  roles.writes(json, "--json");
  roles.check();
  Joined out{open_batch(solve, known_dimension(from, "", 1, solve.dimension)), {}, {}, solve.threads};
  const int n = out.batch.space.dimension();
  out.ends = {parse_point(from, "--from", n), parse_point(to, "--to", n)};
  if (!json.empty() && json != "-") require_writable(json);
  return out;
}

void solve(Joined& joined) { joined.result = solve_visibly(joined.batch, {joined.ends}, joined.threads).front(); }

int status_of(const GeodesicResult& result) {
  return result.termination == Termination::kConverged ? kDone : kNotConverged;
}

}  // namespace

int run_exp(const ExpArguments& arguments) {
  const Space space =
      open_space(arguments.generator, arguments.plugins, arguments.dimension, arguments.from, arguments.json);
  const Vector z = parse_point(arguments.from, "--from", space.dimension());
  const Vector v = parse_point(arguments.velocity, "--velocity", space.dimension());
  finish_on_interrupt();
  const GeodesicFlow flow = space.exp(z, v, {.should_stop = interrupted});
  const bool complete = flow.status == FlowStatus::kComplete;
  const double length = space.norm(z, v);
  std::string text = fmt::format("{}  exp  {} with velocity {}\n", space.name(), format_point(z), format_point(v));
  text += line("status", meaning_of(flow.status));
  text += line("length", fmt::format("{:.15g}", length));
  if (complete) {
    text += line("end", exact_point(flow.end_position));
    text += line("velocity there", exact_point(flow.end_velocity));
    text += line("steps", fmt::format("{}", flow.path.pieces()));
  }
  Json json = {{"generator", arguments.generator},
               {"from", as_json(z)},
               {"velocity", as_json(v)},
               {"length", number_json(length)}};
  json.update(fields_json(flow));
  json["curve"] = as_json(flow.path, arguments.samples);
  write_result(arguments.json, json, text);
  return complete ? kDone : kNotConverged;
}

int run_log(const LogArguments& arguments) {
  Joined joined = join(arguments.solve, arguments.from, arguments.to, arguments.json);
  solve(joined);
  const Vector velocity = starting_velocity(*joined.batch.space.manifold, joined.result);
  std::string text = fmt::format("{}  log  {} → {}\n", joined.batch.space.name, format_point(joined.ends.from),
                                 format_point(joined.ends.to));
  if (velocity.size() > 0) text += line("velocity", exact_point(velocity));
  text += describe(joined.result);
  const Json json = {
      {"generator", arguments.solve.generator}, {"solver", arguments.solve.solver},
      {"accuracy", arguments.solve.accuracy},   {"from", as_json(joined.ends.from)},
      {"to", as_json(joined.ends.to)},          {"velocity", velocity.size() > 0 ? as_json(velocity) : Json(nullptr)},
      {"geodesic", as_json(joined.result, 2)}};
  write_result(arguments.json, json, text);
  return status_of(joined.result);
}

int run_transport(const TransportArguments& arguments) {
  Joined joined = join(arguments.solve, arguments.from, arguments.to, arguments.json);
  const Manifold& manifold = *joined.batch.space.manifold;
  const Vector v = parse_point(arguments.vector, "--vector", manifold.dimension());
  solve(joined);
  Transported moved{{}, std::numeric_limits<double>::infinity()};
  Workspace ws;
  if (!joined.result.curve.empty()) moved = parallel_transport(manifold, joined.result.curve, v, ws);
  const bool known = std::isfinite(moved.error);
  std::string text = fmt::format("{}  transport  {} along {} → {}\n", joined.batch.space.name, format_point(v),
                                 format_point(joined.ends.from), format_point(joined.ends.to));
  text += line("vector",
               known ? exact_point(moved.vector) : "not known: the metric is singular, or has a kink, on the way");
  text += line("relative error", format_number(moved.error, 2));
  text += describe(joined.result);
  Json json = {{"generator", arguments.solve.generator}, {"solver", arguments.solve.solver},
               {"accuracy", arguments.solve.accuracy},   {"from", as_json(joined.ends.from)},
               {"to", as_json(joined.ends.to)},          {"vector", as_json(v)}};
  json.update(fields_json(moved));
  json["geodesic"] = as_json(joined.result, 2);
  write_result(arguments.json, json, text);
  return known ? status_of(joined.result) : kNotConverged;
}

int run_curvature(const CurvatureArguments& arguments) {
  const Space space =
      open_space(arguments.generator, arguments.plugins, arguments.dimension, arguments.at, arguments.json);
  const int n = space.dimension();
  const Vector z = parse_point(arguments.at, "--at", n);
  const bool plane = !arguments.u.empty() || !arguments.v.empty();
  if (plane && (arguments.u.empty() || arguments.v.empty())) {
    throw std::invalid_argument("--u and --v span the plane: give both, or in two dimensions none");
  }
  if (!plane && n != 2) {
    throw std::invalid_argument(fmt::format("{} dimensions have many planes: give --u and --v that span one", n));
  }
  finish_on_interrupt();
  const Curvature k = plane ? space.curvature(z, parse_point(arguments.u, "--u", n), parse_point(arguments.v, "--v", n))
                            : space.curvature(z);
  std::string text = fmt::format("{}  curvature at {}\n", space.name(), format_point(z));
  text += line("curvature", std::isfinite(k.value) ? fmt::format("{:.12g}", k.value) : "-: the metric is singular");
  text += line("error", k.error == 0 ? "rounding alone" : format_number(k.error, 2));
  Json json = {{"generator", arguments.generator}, {"at", as_json(z)}};
  json.update(fields_json(k));
  write_result(arguments.json, json, text);
  return std::isfinite(k.value) ? kDone : kNotConverged;
}

}  // namespace pullback::cli
