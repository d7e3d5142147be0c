// Every generator of the library under the contract of all generators.
#include "generator_contract.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/combine/ensemble.h"
#include "pullback/generators/combine/stack.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/generators/network/network.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/generators/uncertain/gaussian_process.h"
#include "pullback/generators/uncertain/radial_network.h"

namespace pullback {
namespace {

using GeneratorPointer = std::shared_ptr<const Generator>;

constexpr int kPoints = 5;

GeneratorPointer open(const std::string& specification) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return registry.open(specification).generator;
}

std::vector<GeneratorCase> surfaces() {
  GeneratorRegistry registry;
  register_surfaces(registry);
  std::vector<GeneratorCase> cases;
  for (const GeneratorEntry& entry : registry.list()) {
    if (entry.source != GeneratorSource::kNamed) continue;
    GeneratorCase c{entry.name, [name = entry.name] { return open(name); }, {}, {}};
    std::ranges::replace(c.name, '-', '_');
    c.points = scattered_points(open(entry.name)->latent_dimension(), kPoints);
    cases.push_back(std::move(c));
  }
  return cases;
}

GeneratorPointer small_network(const Activation& activation) {
  std::vector<Layer> layers;
  int in = 3;
  for (const int out : {7, 5, 9}) {
    const Matrix numbers = scattered_points(out, in + 1);
    layers.push_back({numbers.leftCols(in), numbers.col(in), activation});
    in = out;
  }
  return std::make_shared<Network>(std::move(layers));
}

std::vector<GeneratorCase> networks() {
  std::vector<GeneratorCase> cases;
  for (const std::string_view name : activation_names()) {
    cases.push_back({std::string(name),
                     [name] { return small_network(parse_activation(name)); },
                     scattered_points(3, kPoints),
                     {}});
  }
  return cases;
}

GeneratorPointer composition() {
  const Matrix A = scattered_points(2, 3);
  return std::make_shared<AffineInput>(open("torus"), A, Vector::Constant(2, 0.3));
}

GeneratorPointer stack() {
  return std::make_shared<Stacked>(std::vector{open("paraboloid"), open("torus"), open("linear")});
}

GeneratorPointer stack_of_compositions() {
  return std::make_shared<Stacked>(std::vector{composition(), small_network(parse_activation("tanh"))}, true);
}

GeneratorPointer scaled() { return std::make_shared<ScaledOutput>(small_network(parse_activation("tanh")), -0.6); }

GeneratorPointer linear_map() { return std::make_shared<LinearMap>(scattered_points(4, 3)); }

// The torus through callbacks: its first `given` functions.
GeneratorPointer callback(int given) {
  const GeneratorPointer torus = open("torus");
  Callbacks callbacks;
  callbacks.value = [torus](const ConstMatrixRef& Z) { return torus->value(Z); };
  if (given > 1) callbacks.jacobian = [torus](const ConstMatrixRef& Z) { return torus->jacobian(Z); };
  if (given > 2) {
    callbacks.second_directional = [torus](const ConstMatrixRef& Z, const ConstMatrixRef& V) {
      Workspace ws;
      Matrix D(torus->ambient_dimension(), Z.cols());
      torus->second_directional(Z, V, D, ws);
      return D;
    };
  }
  return std::make_shared<CallbackGenerator>(2, 3, std::move(callbacks));
}

std::vector<GeneratorCase> adaptors() {
  return {{"composition", composition, scattered_points(3, kPoints), {}},
          {"stack", stack, scattered_points(2, kPoints), {}},
          {"stack_of_compositions", stack_of_compositions, scattered_points(3, kPoints), {}},
          {"scaled", scaled, scattered_points(3, kPoints), {}},
          {"linear_map", linear_map, scattered_points(3, kPoints), {}},
          {"callback_value", [] { return callback(1); }, scattered_points(2, kPoints), {}},
          {"callback_jacobian", [] { return callback(2); }, scattered_points(2, kPoints), {}},
          {"callback_second", [] { return callback(3); }, scattered_points(2, kPoints), {}}};
}

// More points than a network of bumps takes at a time.
constexpr int kManyPoints = 150;

GeneratorPointer radial(RadialOutput output) {
  const Matrix weight = scattered_points(11, 7).cwiseAbs();
  return std::make_shared<RadialNetwork>(RadialBasis{scattered_points(3, 7), scattered_points(3, 7, 0.3, 1.5)},
                                         output == RadialOutput::kIdentity ? Matrix(weight.array() - 0.5) : weight,
                                         Vector::LinSpaced(11, 0.01, 0.5), output);
}

GeneratorPointer ensemble() {
  return std::make_shared<Ensemble>(std::vector{small_network(parse_activation("tanh")),
                                                radial(RadialOutput::kIdentity),
                                                small_network(parse_activation("softplus"))});
}

std::shared_ptr<const GaussianProcess> process() {
  return std::make_shared<GaussianProcess>(GaussianProcessData{.inputs = scattered_points(2, 6),
                                                               .outputs = scattered_points(4, 6),
                                                               .offset = Vector::LinSpaced(4, 0, 1),
                                                               .lengths = Vector{{0.8, 1.3}},
                                                               .signal_variance = 1.7,
                                                               .noise_variance = 0.05});
}

std::vector<GeneratorCase> uncertain() {
  return {{"radial", [] { return radial(RadialOutput::kIdentity); }, scattered_points(3, kPoints), {}},
          {"deviation", [] { return radial(RadialOutput::kInverseRoot); }, scattered_points(3, kPoints), {}},
          {"deviation_batch", [] { return radial(RadialOutput::kInverseRoot); }, scattered_points(3, kManyPoints), {}},
          {"ensemble", ensemble, scattered_points(3, kPoints), {}},
          {"gaussian_process", process, scattered_points(2, kPoints), {}},
          {"gaussian_process_embedding", [] { return process()->embedding(); }, scattered_points(2, kPoints), {}}};
}

INSTANTIATE_TEST_SUITE_P(Uncertain, GeneratorContract, testing::ValuesIn(uncertain()), case_name);
INSTANTIATE_TEST_SUITE_P(Surface, GeneratorContract, testing::ValuesIn(surfaces()), case_name);
INSTANTIATE_TEST_SUITE_P(Network, GeneratorContract, testing::ValuesIn(networks()), case_name);
INSTANTIATE_TEST_SUITE_P(Adaptor, GeneratorContract, testing::ValuesIn(adaptors()), case_name);

}  // namespace
}  // namespace pullback
