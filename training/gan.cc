#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "pullback/base/stop.h"
#include "pullback/training/network.h"

namespace pullback::training {
namespace {

constexpr std::int64_t kNeighbours = 5;   // that vote for the class of a generated image
constexpr int kQualitySamples = 2000;     // of which a held-out image takes the nearest
constexpr std::uint64_t kCodeStream = 1;  // added to the seed, so that codes do not depend on the training's length

std::vector<std::int64_t> sizes_from(std::int64_t first, const std::vector<int>& hidden, std::int64_t last) {
  std::vector<std::int64_t> sizes{first};
  sizes.insert(sizes.end(), hidden.begin(), hidden.end());
  sizes.push_back(last);
  return sizes;
}

// The mean over `images` of the squared distance to the nearest of the samples.
double distance_to_nearest(const torch::Tensor& images, const torch::Tensor& samples) {
  return at::cdist(images, samples).amin(1).square().mean().item<double>();
}

class Gan final : public Trainer {
 public:
  Gan(const Options& options, const Dataset& data)
      : options_(options),
        train_(to_tensor(data.train)),
        train_labels_(data.train.labels),
        heldout_(to_tensor(data.heldout)),
        random_(at::detail::createCPUGenerator(static_cast<std::uint64_t>(options.seed))),
        generator_(sizes_from(options.latent, options.hidden, train_.size(1)), options.activation, random_),
        averaged_(generator_.clone()),
        spectral_(options.regularisers, generator_),
        critic_(sizes_from(train_.size(1) + 1, options.critic, 1), "leaky_relu", random_),
        generator_optimiser_(generator_.parameters(), {options.learning_rate, options.weight_decay, momentum(), 0.99}),
        critic_optimiser_(critic_.parameters(), {options.learning_rate, 0.0, momentum(), 0.99}) {}

  double run_epoch(double done) override {
    generator_optimiser_.set_progress(done);
    critic_optimiser_.set_progress(done);
    strength_ = risen(options_, done);
    double sum = 0;
    std::int64_t step = 0;
    const auto batches = shuffled_batches(train_.size(0), options_.batch, random_);
    for (const torch::Tensor& batch : batches) {
      throw_if_stopped();
      sum += step_critic(train_.index_select(0, batch));
      if (++step % options_.critic_steps == 0 || step == static_cast<std::int64_t>(batches.size())) {
        step_generator(batch.size(0));
      }
    }
    return sum / static_cast<double>(batches.size());
  }

  std::map<std::string, Tensor> state() const override {
    State state;
    save_parameters("generator", generator_.parameters(), state);
    save_parameters("averaged", averaged_.parameters(), state);
    save_parameters("critic", critic_.parameters(), state);
    save_parameters("spectral", spectral_.vectors(), state);
    generator_optimiser_.save("generator-adam", state);
    critic_optimiser_.save("critic-adam", state);
    save_random(random_, state);
    return state;
  }

  void restore(const std::map<std::string, Tensor>& state) override {
    restore_parameters("generator", generator_.parameters(), state);
    restore_parameters("averaged", averaged_.parameters(), state);
    restore_parameters("critic", critic_.parameters(), state);
    restore_parameters("spectral", spectral_.vectors(), state);
    generator_optimiser_.restore("generator-adam", state);
    critic_optimiser_.restore("critic-adam", state);
    restore_random(random_, state);
  }

  TrainedModel finish() override {
    torch::NoGradGuard no_grad;
    TrainedModel model;
    const Network generator = spectral_.normalise_exactly(averaged_);
    model.decoder = generator.layers("sigmoid", train_.size(1));
    const torch::Tensor codes = stored_codes(options_.codes);
    const torch::Tensor images = generator.forward(codes).sigmoid();
    model.codes = to_stored(codes);
    model.labels = Tensor::from_bytes({codes.size(0)}, nearest_labels(images));
    model.heldout_loss = distance_to_nearest(heldout_, images);
    model.heldout_measure = "squared distance of held-out images to the nearest sample, mean over the images";
    model.quality = distance_to_nearest(heldout_, generator.forward(stored_codes(kQualitySamples)).sigmoid());
    model.quality_measure = fmt::format(
        "squared distance of held-out images to the nearest of {} samples, mean over the images", kQualitySamples);
    model.code_deviation = to_list(codes.std(0));
    return model;
  }

 private:
  bool wasserstein() const { return options_.kind == Kind::kWgan; }

  // Of Adam. None for the Wasserstein objective: the critic that the generator's past steps aimed at is gone.
  double momentum() const { return wasserstein() ? 0.0 : 0.5; }

  torch::Tensor stored_codes(std::int64_t count) const {
    at::Generator random = at::detail::createCPUGenerator(static_cast<std::uint64_t>(options_.seed) + kCodeStream);
    return at::randn({count, options_.latent}, random);
  }

  // Scores of a batch. The mean standard deviation over the batch is one more feature, by which the critic notices a
  // generator that repeats itself.
  torch::Tensor score(const torch::Tensor& images) const {
    const torch::Tensor spread = ((images - images.mean(0)).square().mean(0) + 1e-8).sqrt().mean();
    return critic_.forward(at::cat({images, spread.expand({images.size(0), 1})}, 1));
  }

  // Images from few latent coordinates and real ones lie apart: without noise the critic tells them apart for certain
  // and its slope leads nowhere (Arjovsky and Bottou, 2017; Sønderby et al., 2017).
  torch::Tensor noisy(const torch::Tensor& images) {
    return options_.image_noise == 0 ? images : images + options_.image_noise * at::randn(images.sizes(), random_);
  }

  // Returns the critic's loss, or the estimate of the Wasserstein distance.
  double step_critic(const torch::Tensor& real) {
    torch::Tensor fake;
    {
      torch::NoGradGuard no_grad;
      const torch::Tensor codes = at::randn({real.size(0), options_.latent}, random_);
      fake = spectral_.normalise(generator_).forward(codes).sigmoid();
    }
    if (!wasserstein()) {
      const torch::Tensor loss = at::softplus(-score(noisy(real))).mean() + at::softplus(score(noisy(fake))).mean();
      critic_optimiser_.step(loss);
      return loss.item<double>();
    }
    const torch::Tensor steepness = gradient_penalty(real, fake);
    const torch::Tensor distance = score(real).mean() - score(fake).mean();
    critic_optimiser_.step(options_.penalty * steepness - distance);
    return distance.item<double>();
  }

  // How far the critic's slope is from 1 between real and generated images.
  torch::Tensor gradient_penalty(const torch::Tensor& real, const torch::Tensor& fake) {
    const torch::Tensor share = at::rand({real.size(0), 1}, random_);
    const torch::Tensor between = (share * real + (1 - share) * fake).requires_grad_();
    const torch::Tensor slope = torch::autograd::grad({score(between).sum()}, {between}, {}, true, true)[0];
    return ((slope.square().sum(1) + 1e-12).sqrt() - 1).square().mean();
  }

  void step_generator(std::int64_t count) {
    const torch::Tensor codes = at::randn({count, options_.latent}, random_);
    const Network generator = spectral_.normalise(generator_);
    const torch::Tensor images = generator.forward(codes).sigmoid();
    const torch::Tensor loss = wasserstein() ? -score(images).mean() : at::softplus(-score(noisy(images))).mean();
    generator_optimiser_.step(with_penalty(loss, options_, strength_, generator, codes, random_));
    torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < generator_.parameters().size(); ++i) {
      torch::Tensor mean = averaged_.parameters()[i];
      mean.lerp_(generator_.parameters()[i], 1 - options_.average);
    }
  }

  // The class that most of the nearest training images in pixel space have.
  std::vector<std::uint8_t> nearest_labels(const torch::Tensor& images) const {
    const std::int64_t neighbours = std::min<std::int64_t>(kNeighbours, train_.size(0));
    std::vector<std::uint8_t> labels;
    const torch::Tensor indices = std::get<1>(at::cdist(images, train_).topk(neighbours, 1, /*largest=*/false));
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      std::vector<int> votes(256, 0);
      const torch::Tensor nearest = indices[i].contiguous();
      const auto* index = nearest.data_ptr<std::int64_t>();
      for (std::int64_t k = 0; k < neighbours; ++k) ++votes[train_labels_[static_cast<std::size_t>(index[k])]];
      labels.push_back(static_cast<std::uint8_t>(std::max_element(votes.begin(), votes.end()) - votes.begin()));
    }
    return labels;
  }

  Options options_;
  double strength_ = 0;  // of the regularisers
  torch::Tensor train_;
  std::vector<std::uint8_t> train_labels_;
  torch::Tensor heldout_;
  at::Generator random_;
  Network generator_;
  Network averaged_;
  SpectralNorm spectral_;
  Network critic_;
  Optimiser generator_optimiser_;
  Optimiser critic_optimiser_;
};

}  // namespace

std::unique_ptr<Trainer> make_gan(const Options& options, const Dataset& data) {
  return std::make_unique<Gan>(options, data);
}

}  // namespace pullback::training
