// What the training loop needs of a method, without LibTorch.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pullback/base/idx.h"
#include "pullback/base/safetensors.h"
#include "pullback/training/options.h"

namespace pullback::training {

// A fully connected layer x ↦ activation(W x + b).
struct Layer {
  Tensor weight;  // F32, outputs × inputs
  Tensor bias;    // F32, outputs
  std::string activation;
};

struct TrainedModel {
  std::vector<Layer> decoder;  // latent code to pixels in [0, 1]
  std::vector<Layer> encoder;  // pixels to latent code; empty for a GAN
  Tensor codes;                // F32, number × latent
  Tensor labels;               // U8, number
  double heldout_loss = 0;
  std::string heldout_measure;  // what heldout_loss is
  double quality = 0;           // comparable within a kind, whatever the loss; lower is better
  std::string quality_measure;
  std::vector<double> code_deviation;  // of the aggregate distribution of the codes, for each coordinate
};

// A training method with its networks, optimisers and random numbers.
//
// Everything random comes from its own generator, whose state is part of state(): restore() of a state followed by the
// remaining epochs gives the same weights as never having stopped.
class Trainer {
 public:
  virtual ~Trainer() = default;

  // One pass through the training images. `done` in [0, 1) is the share of all epochs that are over: schedules follow
  // it. Returns the mean loss.
  virtual double run_epoch(double done) = 0;

  // All that run_epoch changes. Errors of restore: std::invalid_argument when a tensor is absent or of another shape.
  virtual std::map<std::string, Tensor> state() const = 0;
  virtual void restore(const std::map<std::string, Tensor>& state) = 0;

  virtual TrainedModel finish() = 0;
};

// Variational autoencoder (Kingma and Welling, 2014) or denoising autoencoder (Vincent et al., 2008).
std::unique_ptr<Trainer> make_autoencoder(const Options& options, const Dataset& data);

// GAN with the non-saturating loss (Goodfellow et al., 2014), or Wasserstein GAN with gradient penalty (Gulrajani et
// al., 2017). They differ by the objective, Adam's momentum and the number of critic steps, so that comparing them
// compares just that.
std::unique_ptr<Trainer> make_gan(const Options& options, const Dataset& data);

// How many threads LibTorch and the BLAS beneath it use.
void set_threads(int threads);

}  // namespace pullback::training
