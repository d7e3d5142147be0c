#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

#include "pullback/base/stop.h"
#include "pullback/training/network.h"

namespace pullback::training {
namespace {

std::vector<std::int64_t> decoder_sizes(const Options& options, std::int64_t pixels) {
  std::vector<std::int64_t> sizes{options.latent};
  sizes.insert(sizes.end(), options.hidden.begin(), options.hidden.end());
  sizes.push_back(pixels);
  return sizes;
}

// The decoder's mirror image; a VAE's encoder gives a mean and a log variance for each latent coordinate.
std::vector<std::int64_t> encoder_sizes(const Options& options, std::int64_t pixels) {
  std::vector<std::int64_t> sizes = decoder_sizes(options, pixels);
  std::reverse(sizes.begin(), sizes.end());
  if (options.kind == Kind::kVae) sizes.back() *= 2;
  return sizes;
}

// Cross-entropy of pixels in [0, 1] against Bernoulli logits: nats per image, mean over the batch.
torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& pixels) {
  return (at::softplus(logits) - logits * pixels).sum(1).mean();
}

class Autoencoder final : public Trainer {
 public:
  Autoencoder(const Options& options, const Dataset& data)
      : options_(options),
        train_(to_tensor(data.train)),
        heldout_(to_tensor(data.heldout)),
        heldout_labels_(data.heldout.labels),
        random_(at::detail::createCPUGenerator(static_cast<std::uint64_t>(options.seed))),
        encoder_(encoder_sizes(options, train_.size(1)), options.activation, random_),
        decoder_(decoder_sizes(options, train_.size(1)), options.activation, random_),
        spectral_(options.regularisers, decoder_),
        optimiser_(all_parameters(), {options.learning_rate, options.weight_decay, 0.9, 0.999}) {}

  double run_epoch(double done) override {
    optimiser_.set_progress(done);
    // Begun at full weight, the divergence switches latent coordinates off before the decoder has learnt to use them;
    // regularisers, too, wait for something to act on.
    strength_ = risen(options_, done);
    double sum = 0;
    const auto batches = shuffled_batches(train_.size(0), options_.batch, random_);
    for (const torch::Tensor& batch : batches) {
      throw_if_stopped();
      const torch::Tensor images = train_.index_select(0, batch);
      const Network decoder = spectral_.normalise(decoder_);
      const torch::Tensor loss = options_.kind == Kind::kVae ? vae_loss(decoder, images) : dae_loss(decoder, images);
      optimiser_.step(loss);
      sum += loss.item<double>();
    }
    return sum / static_cast<double>(batches.size());
  }

  std::map<std::string, Tensor> state() const override {
    State state;
    save_parameters("parameter", all_parameters(), state);
    save_parameters("spectral", spectral_.vectors(), state);
    optimiser_.save("adam", state);
    save_random(random_, state);
    return state;
  }

  void restore(const std::map<std::string, Tensor>& state) override {
    restore_parameters("parameter", all_parameters(), state);
    restore_parameters("spectral", spectral_.vectors(), state);
    optimiser_.restore("adam", state);
    restore_random(random_, state);
  }

  TrainedModel finish() override {
    torch::NoGradGuard no_grad;
    TrainedModel model;
    const Network decoder = spectral_.normalise_exactly(decoder_);
    model.decoder = decoder.layers("sigmoid", train_.size(1));
    model.encoder = encoder_.layers("identity", options_.latent);
    const torch::Tensor statistics = encoder_.forward(heldout_);
    const torch::Tensor codes = statistics.narrow(1, 0, options_.latent);
    const torch::Tensor logits = decoder.forward(codes);
    model.heldout_loss = cross_entropy(logits, heldout_).item<double>();
    model.heldout_measure = "cross-entropy of held-out images reconstructed from their codes, nats per image";
    model.quality = (logits.sigmoid() - heldout_).square().sum(1).mean().item<double>();
    model.quality_measure = "squared error of held-out images reconstructed from their codes, mean over the images";
    torch::Tensor variance = codes.var(0);
    if (options_.kind == Kind::kVae) {
      variance = variance + statistics.narrow(1, options_.latent, options_.latent).exp().mean(0);
    }
    model.code_deviation = to_list(variance.sqrt());
    const std::int64_t count = std::min<std::int64_t>(options_.codes, codes.size(0));
    model.codes = to_stored(codes.narrow(0, 0, count));
    model.labels = Tensor::from_bytes({count}, {heldout_labels_.begin(), heldout_labels_.begin() + count});
    return model;
  }

 private:
  std::vector<torch::Tensor> all_parameters() const {
    std::vector<torch::Tensor> all = encoder_.parameters();
    all.insert(all.end(), decoder_.parameters().begin(), decoder_.parameters().end());
    return all;
  }

  // The code that the stored encoder gives: the mean, for a VAE.
  torch::Tensor encode(const torch::Tensor& images) const {
    return encoder_.forward(images).narrow(1, 0, options_.latent);
  }

  // The negative evidence lower bound, with one sample of the posterior.
  torch::Tensor vae_loss(const Network& decoder, const torch::Tensor& images) {
    const torch::Tensor statistics = encoder_.forward(images);
    const torch::Tensor mean = statistics.narrow(1, 0, options_.latent);
    const torch::Tensor log_variance = statistics.narrow(1, options_.latent, options_.latent);
    const torch::Tensor code = mean + (log_variance / 2).exp() * at::randn(mean.sizes(), random_);
    const torch::Tensor divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2;
    const torch::Tensor loss =
        cross_entropy(decoder.forward(code), images) + options_.kl_weight * strength_ * divergence;
    return with_penalty(loss, options_, strength_, decoder, code, random_);
  }

  torch::Tensor dae_loss(const Network& decoder, const torch::Tensor& images) {
    const torch::Tensor kept = at::rand(images.sizes(), random_) >= options_.noise;
    const torch::Tensor code = encode(images * kept);
    const torch::Tensor loss =
        cross_entropy(decoder.forward(code), images) + options_.code_penalty * code.square().sum(1).mean();
    return with_penalty(loss, options_, strength_, decoder, code, random_);
  }

  Options options_;
  double strength_ = 0;  // of losses that rise
  torch::Tensor train_;
  torch::Tensor heldout_;
  std::vector<std::uint8_t> heldout_labels_;
  at::Generator random_;
  Network encoder_;
  Network decoder_;
  SpectralNorm spectral_;
  Optimiser optimiser_;
};

}  // namespace

std::unique_ptr<Trainer> make_autoencoder(const Options& options, const Dataset& data) {
  return std::make_unique<Autoencoder>(options, data);
}

}  // namespace pullback::training
