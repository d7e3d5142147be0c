#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <stdexcept>

#include "pullback/generators/network/network.h"

namespace pullback {
namespace {

struct Description {
  ActivationKind kind;
  std::string_view name;
  std::optional<double> parameter;  // its default, for the activations that have one
};

constexpr Description kActivations[] = {
    {ActivationKind::kIdentity, "identity", {}},
    {ActivationKind::kTanh, "tanh", {}},
    {ActivationKind::kSigmoid, "sigmoid", {}},
    {ActivationKind::kRelu, "relu", {}},
    {ActivationKind::kLeakyRelu, "leaky_relu", 0.01},
    {ActivationKind::kElu, "elu", 1.0},
    {ActivationKind::kSoftplus, "softplus", 1.0},
    {ActivationKind::kSilu, "silu", {}},
    {ActivationKind::kGelu, "gelu", {}},
    {ActivationKind::kGeluTanh, "gelu_tanh", {}},
};

}  // namespace

std::string_view activation_name(ActivationKind kind) {
  for (const Description& description : kActivations) {
    if (description.kind == kind) return description.name;
  }
  throw std::invalid_argument(fmt::format("activation_name: no activation has the number {}", static_cast<int>(kind)));
}

bool has_parameter(ActivationKind kind) {
  for (const Description& description : kActivations) {
    if (description.kind == kind) return description.parameter.has_value();
  }
  return false;
}

std::vector<std::string_view> activation_names() {
  std::vector<std::string_view> names;
  for (const Description& description : kActivations) names.push_back(description.name);
  return names;
}

Activation parse_activation(std::string_view name, std::optional<double> parameter) {
  for (const Description& description : kActivations) {
    if (description.name != name) continue;
    if (!description.parameter) {
      if (parameter)
        throw std::invalid_argument(fmt::format("activation '{}' has no parameter, got {}", name, *parameter));
      return {description.kind, 0};
    }
    const double value = parameter.value_or(*description.parameter);
    if (!std::isfinite(value) || (description.kind == ActivationKind::kSoftplus && value <= 0)) {
      throw std::invalid_argument(fmt::format("activation '{}': its parameter must be a finite{} number, got {}", name,
                                              description.kind == ActivationKind::kSoftplus ? " positive" : "", value));
    }
    return {description.kind, value};
  }
  throw std::invalid_argument(
      fmt::format("unknown activation '{}'; choices: {}", name, fmt::join(activation_names(), ", ")));
}

}  // namespace pullback
