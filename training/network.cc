#include "pullback/training/network.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstring>
#include <numbers>
#include <stdexcept>

namespace pullback::training {
namespace {

constexpr double kLeak = 0.01;

torch::Tensor activate(const std::string& name, const torch::Tensor& x) {
  if (name == "tanh") return x.tanh();
  if (name == "sigmoid") return x.sigmoid();
  if (name == "relu") return x.relu();
  if (name == "leaky_relu") return at::leaky_relu(x, kLeak);
  if (name == "elu") return at::elu(x);
  if (name == "softplus") return at::softplus(x);
  if (name == "silu") return at::silu(x);
  if (name == "gelu") return at::gelu(x);
  if (name == "identity") return x;
  throw std::invalid_argument(fmt::format("unknown activation {}", name));
}

// The derivative of an activation at x, where its value is y; where there are two, the one from the left.
torch::Tensor slope(const std::string& name, const torch::Tensor& x, const torch::Tensor& y) {
  if (name == "tanh") return 1 - y.square();
  if (name == "sigmoid") return y * (1 - y);
  if (name == "relu") return (x > 0).to(x.scalar_type());
  if (name == "leaky_relu") return at::where(x > 0, at::ones_like(x), at::full_like(x, kLeak));
  if (name == "elu") return at::where(x > 0, at::ones_like(x), y + 1);
  if (name == "softplus") return x.sigmoid();
  if (name == "silu") return x.sigmoid() + y * (1 - x.sigmoid());
  if (name == "gelu") {
    const torch::Tensor density = (-x.square() / 2).exp() / std::sqrt(2 * std::numbers::pi);
    return (1 + (x / std::numbers::sqrt2).erf()) / 2 + x * density;
  }
  if (name == "identity") return at::ones_like(x);
  throw std::invalid_argument(fmt::format("unknown activation {}", name));
}

std::string numbered(const std::string& prefix, std::size_t i) { return fmt::format("{}.{}", prefix, i); }

void copy_in(const State& state, const std::string& name, const torch::Tensor& target) {
  const auto found = state.find(name);
  if (found == state.end()) throw std::invalid_argument(fmt::format("tensor '{}' is absent", name));
  const Tensor& stored = found->second;
  const bool bytes = target.scalar_type() == torch::kByte;
  if (stored.dtype != (bytes ? "U8" : "F32") || stored.shape != target.sizes().vec()) {
    throw std::invalid_argument(
        fmt::format("tensor '{}' is {} [{}]", name, stored.dtype, fmt::join(stored.shape, ", ")));
  }
  torch::NoGradGuard no_grad;
  target.copy_(torch::from_blob(const_cast<std::byte*>(stored.data.data()), stored.shape, target.scalar_type()));
}

}  // namespace

Network::Network(const std::vector<std::int64_t>& sizes, std::string hidden_activation, at::Generator& random)
    : hidden_activation_(std::move(hidden_activation)) {
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    const double bound = std::sqrt(6.0 / static_cast<double>(sizes[i] + sizes[i + 1]));
    torch::Tensor weight = torch::empty({sizes[i + 1], sizes[i]});
    weight.uniform_(-bound, bound, random);
    parameters_.push_back(weight.requires_grad_());
    parameters_.push_back(torch::zeros({sizes[i + 1]}).requires_grad_());
  }
}

torch::Tensor Network::forward(torch::Tensor x) const {
  for (std::size_t i = 0; i < parameters_.size(); i += 2) {
    x = at::linear(x, parameters_[i], parameters_[i + 1]);
    if (i + 2 < parameters_.size()) x = activate(hidden_activation_, x);
  }
  return x;
}

Linearised Network::linearise(torch::Tensor x, const std::string& last_activation) const {
  std::vector<torch::Tensor> weights;
  std::vector<torch::Tensor> slopes;
  for (std::size_t i = 0; i < parameters_.size(); i += 2) {
    const torch::Tensor before = at::linear(x, parameters_[i], parameters_[i + 1]);
    const std::string& activation = i + 2 < parameters_.size() ? hidden_activation_ : last_activation;
    x = activate(activation, before);
    weights.push_back(parameters_[i]);
    slopes.push_back(slope(activation, before, x));
  }
  const auto jvp = [weights, slopes](torch::Tensor v) {
    for (std::size_t i = 0; i < weights.size(); ++i) v = at::linear(v, weights[i]) * slopes[i];
    return v;
  };
  const auto vjp = [weights, slopes](torch::Tensor w) {
    for (std::size_t i = weights.size(); i-- > 0;) w = at::matmul(w * slopes[i], weights[i]);
    return w;
  };
  return {x, jvp, vjp};
}

Network Network::clone() const {
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& parameter : parameters_) copies.push_back(parameter.detach().clone().requires_grad_());
  return with(std::move(copies));
}

Network Network::with(std::vector<torch::Tensor> parameters) const {
  Network other = *this;
  other.parameters_ = std::move(parameters);
  return other;
}

std::vector<Layer> Network::layers(const std::string& last_activation, std::int64_t outputs) const {
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < parameters_.size(); i += 2) {
    const bool last = i + 2 == parameters_.size();
    const std::int64_t rows = last ? outputs : parameters_[i].size(0);
    layers.push_back({to_stored(parameters_[i].narrow(0, 0, rows)), to_stored(parameters_[i + 1].narrow(0, 0, rows)),
                      last ? last_activation : hidden_activation_});
  }
  return layers;
}

SpectralNorm::SpectralNorm(const std::vector<Regulariser>& regularisers, const Network& network) {
  for (const Regulariser& regulariser : regularisers) {
    if (regulariser.name == "spectral") largest_ = regulariser.weight;
  }
  if (largest_ == 0) return;
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < network.parameters().size(); i += 2) {
    const auto svd = at::linalg_svd(network.parameters()[i], /*full_matrices=*/false);
    vectors_.push_back(std::get<2>(svd)[0].clone());
  }
}

Network SpectralNorm::normalise(const Network& network) {
  if (vectors_.empty()) return network;
  std::vector<torch::Tensor> parameters = network.parameters();
  for (std::size_t i = 0; i < vectors_.size(); ++i) {
    const torch::Tensor& weight = network.parameters()[2 * i];
    torch::Tensor left;
    {
      torch::NoGradGuard no_grad;
      left = at::mv(weight, vectors_[i]);
      left /= left.norm();
      const torch::Tensor right = at::mv(weight.t(), left);
      vectors_[i] = right / right.norm();
    }
    parameters[2 * i] = weight * (largest_ / at::dot(left, at::mv(weight, vectors_[i])));
  }
  return network.with(std::move(parameters));
}

Network SpectralNorm::normalise_exactly(const Network& network) const {
  if (vectors_.empty()) return network;
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> parameters = network.parameters();
  for (std::size_t i = 0; i < parameters.size(); i += 2) {
    parameters[i] = parameters[i] * (largest_ / at::linalg_svdvals(parameters[i]).max());
  }
  return network.with(std::move(parameters));
}

Optimiser::Optimiser(std::vector<torch::Tensor> parameters, Settings settings)
    : parameters_(std::move(parameters)),
      learning_rate_(settings.learning_rate),
      adam_(parameters_, torch::optim::AdamWOptions(settings.learning_rate)
                             .weight_decay(settings.weight_decay)
                             .betas({settings.beta1, settings.beta2})) {}

void Optimiser::set_progress(double done) {
  const double factor = 0.5 * (1 + std::cos(std::numbers::pi * done));
  for (auto& group : adam_.param_groups()) group.options().set_lr(learning_rate_ * factor);
}

void Optimiser::step(const torch::Tensor& loss) {
  const std::vector<torch::Tensor> gradients = torch::autograd::grad({loss}, parameters_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].mutable_grad() = gradients[i];
  adam_.step();
}

void Optimiser::save(const std::string& prefix, State& state) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    torch::Tensor mean = torch::zeros_like(parameters_[i]);  // as they are before the first step
    torch::Tensor square = mean;
    std::int64_t step = 0;
    const auto found = adam_.state().find(c10::guts::to_string(parameters_[i].unsafeGetTensorImpl()));
    if (found != adam_.state().end()) {
      const auto& adam = static_cast<const torch::optim::AdamWParamState&>(*found->second);
      mean = adam.exp_avg();
      square = adam.exp_avg_sq();
      step = adam.step();
    }
    const std::string name = numbered(prefix, i);
    state[name + ".mean"] = to_stored(mean);
    state[name + ".square"] = to_stored(square);
    // Steps stay far below 2²⁴, where floats are whole numbers.
    state[name + ".step"] = Tensor::from_float({}, {static_cast<float>(step)});
  }
}

void Optimiser::restore(const std::string& prefix, const State& state) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string name = numbered(prefix, i);
    torch::Tensor mean = torch::zeros_like(parameters_[i], torch::TensorOptions().requires_grad(false));
    torch::Tensor square = mean.clone();
    torch::Tensor step = torch::zeros({});
    copy_in(state, name + ".mean", mean);
    copy_in(state, name + ".square", square);
    copy_in(state, name + ".step", step);
    auto adam = std::make_unique<torch::optim::AdamWParamState>();
    adam->exp_avg(mean);
    adam->exp_avg_sq(square);
    adam->step(static_cast<std::int64_t>(step.item<float>()));
    adam_.state()[c10::guts::to_string(parameters_[i].unsafeGetTensorImpl())] = std::move(adam);
  }
}

Tensor to_stored(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().contiguous();
  Tensor stored{plain.scalar_type() == torch::kByte ? "U8" : "F32", plain.sizes().vec(),
                std::vector<std::byte>(plain.nbytes())};
  if (plain.nbytes() > 0) std::memcpy(stored.data.data(), plain.data_ptr(), plain.nbytes());
  return stored;
}

std::vector<double> to_list(const torch::Tensor& vector) {
  const torch::Tensor plain = vector.detach().to(torch::kDouble).contiguous();
  return {plain.data_ptr<double>(), plain.data_ptr<double>() + plain.numel()};
}

void save_parameters(const std::string& prefix, const std::vector<torch::Tensor>& parameters, State& state) {
  for (std::size_t i = 0; i < parameters.size(); ++i) state[numbered(prefix, i)] = to_stored(parameters[i]);
}

void restore_parameters(const std::string& prefix, const std::vector<torch::Tensor>& parameters, const State& state) {
  for (std::size_t i = 0; i < parameters.size(); ++i) copy_in(state, numbered(prefix, i), parameters[i]);
}

void save_random(const at::Generator& random, State& state) { state["random"] = to_stored(random.get_state()); }

void restore_random(at::Generator& random, const State& state) {
  torch::Tensor bytes = random.get_state();
  copy_in(state, "random", bytes);
  random.set_state(bytes);
}

torch::Tensor to_tensor(const ImageSet& images) {
  return torch::from_blob(const_cast<std::uint8_t*>(images.pixels.data()), {images.count, images.pixels_per_image()},
                          torch::kByte)
      .to(torch::kFloat)
      .div_(255);
}

std::vector<torch::Tensor> shuffled_batches(std::int64_t count, std::int64_t batch, at::Generator& random) {
  const torch::Tensor order = at::randperm(count, random, torch::kLong);
  std::vector<torch::Tensor> batches;
  for (std::int64_t first = 0; first + batch <= count; first += batch) batches.push_back(order.narrow(0, first, batch));
  if (batches.empty()) batches.push_back(order);
  return batches;
}

void set_threads(int threads) {
  at::set_num_threads(threads);
  // The BLAS has threads of its own, and LibTorch does not reach them.
  using Setter = void (*)(int);
  if (auto* setter = reinterpret_cast<Setter>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) setter(threads);
}

}  // namespace pullback::training
