// The parts that the training methods share, on LibTorch tensors.
#pragma once

#include <torch/optim/adamw.h>
#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "pullback/training/regulariser.h"
#include "pullback/training/trainer.h"

namespace pullback::training {

using State = std::map<std::string, Tensor>;

// A stack of fully connected layers; a batch is a matrix with one point in each row.
class Network {
 public:
  // `sizes` from input to output. Weights are drawn uniformly with Glorot's variance, biases are zero.
  Network(const std::vector<std::int64_t>& sizes, std::string hidden_activation, at::Generator& random);

  // The last layer has no activation: what comes out are logits, code parameters or scores.
  torch::Tensor forward(torch::Tensor x) const;

  // forward() followed by an activation, with the products of its Jacobians at the rows of `x`. The products are taken
  // layer by layer and are differentiable by autograd with respect to the parameters and to `x`.
  Linearised linearise(torch::Tensor x, const std::string& last_activation) const;

  const std::vector<torch::Tensor>& parameters() const { return parameters_; }

  // A network of the same shape that has these parameters.
  Network with(std::vector<torch::Tensor> parameters) const;

  // A network of equal weights that shares none of them.
  Network clone() const;

  // The layers as they are stored, keeping the first `outputs` rows of the last one.
  std::vector<Layer> layers(const std::string& last_activation, std::int64_t outputs) const;

 private:
  std::vector<torch::Tensor> parameters_;  // weight, bias, weight, bias, …
  std::string hidden_activation_;
};

// Spectral normalisation: W ↦ s W / σ_max(W) in every layer, which bounds σ_max(J) by s^layers times the activations'
// slopes. σ_max comes from a power iteration that goes on from step to step.
// Reference: Miyato et al. (2018), "Spectral normalization for generative adversarial networks".
class SpectralNorm {
 public:
  // Does nothing when no regulariser is called "spectral". Draws no random numbers.
  SpectralNorm(const std::vector<Regulariser>& regularisers, const Network& network);

  // The network with normalised weights, differentiable by the raw ones. Takes a step of the power iteration.
  Network normalise(const Network& network);
  // The same with σ_max to rounding, for what is stored.
  Network normalise_exactly(const Network& network) const;

  // The power iteration's vectors: one for each layer, none when this does nothing.
  const std::vector<torch::Tensor>& vectors() const { return vectors_; }

 private:
  double largest_ = 0;
  std::vector<torch::Tensor> vectors_;
};

// Adam with decoupled weight decay, whose state can be stored.
class Optimiser {
 public:
  struct Settings {
    double learning_rate;
    double weight_decay;
    double beta1;
    double beta2;
  };
  Optimiser(std::vector<torch::Tensor> parameters, Settings settings);

  // Sets the learning rate for a training of which this share is done: half a cosine from the full rate to 0.
  void set_progress(double done);
  // Steps along the gradients of `loss` with respect to this optimiser's parameters only.
  void step(const torch::Tensor& loss);

  void save(const std::string& prefix, State& state) const;
  void restore(const std::string& prefix, const State& state);

 private:
  std::vector<torch::Tensor> parameters_;
  double learning_rate_;
  torch::optim::AdamW adam_;
};

Tensor to_stored(const torch::Tensor& tensor);
std::vector<double> to_list(const torch::Tensor& vector);
void save_parameters(const std::string& prefix, const std::vector<torch::Tensor>& parameters, State& state);
void restore_parameters(const std::string& prefix, const std::vector<torch::Tensor>& parameters, const State& state);
void save_random(const at::Generator& random, State& state);
void restore_random(at::Generator& random, const State& state);

// Images as rows of floats in [0, 1].
torch::Tensor to_tensor(const ImageSet& images);

// Splits a random order of `count` images into batches; a last batch of less than `batch` images is dropped unless it
// is the only one.
std::vector<torch::Tensor> shuffled_batches(std::int64_t count, std::int64_t batch, at::Generator& random);

}  // namespace pullback::training
