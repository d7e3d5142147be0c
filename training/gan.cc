#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "pullback/training/network.h"

namespace pullback::training {
namespace {

constexpr std::int64_t kNeighbours = 5;   // that vote for the class of a generated image
constexpr std::uint64_t kCodeStream = 1;  // added to the seed, so that codes do not depend on the training's length

std::vector<std::int64_t> sizes_from(std::int64_t first, const std::vector<int>& hidden, std::int64_t last) {
  std::vector<std::int64_t> sizes{first};
  sizes.insert(sizes.end(), hidden.begin(), hidden.end());
  sizes.push_back(last);
  return sizes;
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
        critic_(sizes_from(train_.size(1) + 1, options.critic, 1), "leaky_relu", random_),
        // Momentum 0: the critic that the generator's past steps aimed at is gone.
        generator_optimiser_(generator_.parameters(), {options.learning_rate, options.weight_decay, 0.0, 0.99}),
        critic_optimiser_(critic_.parameters(), {options.learning_rate, 0.0, 0.0, 0.99}) {}

  double run_epoch(double done) override {
    generator_optimiser_.set_progress(done);
    critic_optimiser_.set_progress(done);
    double sum = 0;
    std::int64_t step = 0;
    const auto batches = shuffled_batches(train_.size(0), options_.batch, random_);
    for (const torch::Tensor& batch : batches) {
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
    generator_optimiser_.save("generator-adam", state);
    critic_optimiser_.save("critic-adam", state);
    save_random(random_, state);
    return state;
  }

  void restore(const std::map<std::string, Tensor>& state) override {
    restore_parameters("generator", generator_.parameters(), state);
    restore_parameters("averaged", averaged_.parameters(), state);
    restore_parameters("critic", critic_.parameters(), state);
    generator_optimiser_.restore("generator-adam", state);
    critic_optimiser_.restore("critic-adam", state);
    restore_random(random_, state);
  }

  TrainedModel finish() override {
    torch::NoGradGuard no_grad;
    TrainedModel model;
    model.decoder = averaged_.layers("sigmoid", train_.size(1));
    at::Generator random = at::detail::createCPUGenerator(static_cast<std::uint64_t>(options_.seed) + kCodeStream);
    const torch::Tensor codes = at::randn({options_.codes, options_.latent}, random);
    const torch::Tensor images = averaged_.forward(codes).sigmoid();
    model.codes = to_stored(codes);
    model.labels = Tensor::from_bytes({codes.size(0)}, nearest_labels(images));
    model.heldout_loss = at::cdist(heldout_, images).amin(1).square().mean().item<double>();
    model.heldout_measure = "squared distance of held-out images to the nearest sample, mean over the images";
    return model;
  }

 private:
  torch::Tensor sample(std::int64_t count) {
    return generator_.forward(at::randn({count, options_.latent}, random_)).sigmoid();
  }

  // Scores of a batch. The mean standard deviation over the batch is one more feature, by which the critic notices a
  // generator that repeats itself.
  torch::Tensor score(const torch::Tensor& images) const {
    const torch::Tensor spread = ((images - images.mean(0)).square().mean(0) + 1e-8).sqrt().mean();
    return critic_.forward(at::cat({images, spread.expand({images.size(0), 1})}, 1));
  }

  // Returns the estimate of the Wasserstein distance.
  double step_critic(const torch::Tensor& real) {
    torch::Tensor fake;
    {
      torch::NoGradGuard no_grad;
      fake = sample(real.size(0));
    }
    const torch::Tensor share = at::rand({real.size(0), 1}, random_);
    const torch::Tensor between = (share * real + (1 - share) * fake).requires_grad_();
    const torch::Tensor slope = torch::autograd::grad({score(between).sum()}, {between}, {}, true, true)[0];
    const torch::Tensor penalty = ((slope.square().sum(1) + 1e-12).sqrt() - 1).square().mean();
    const torch::Tensor distance = score(real).mean() - score(fake).mean();
    critic_optimiser_.step(options_.penalty * penalty - distance);
    return distance.item<double>();
  }

  void step_generator(std::int64_t count) {
    generator_optimiser_.step(-score(sample(count)).mean());
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
  torch::Tensor train_;
  std::vector<std::uint8_t> train_labels_;
  torch::Tensor heldout_;
  at::Generator random_;
  Network generator_;
  Network averaged_;
  Network critic_;
  Optimiser generator_optimiser_;
  Optimiser critic_optimiser_;
};

}  // namespace

std::unique_ptr<Trainer> make_gan(const Options& options, const Dataset& data) {
  return std::make_unique<Gan>(options, data);
}

}  // namespace pullback::training
