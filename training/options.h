// What can be asked of the trainer, and how it is written on the command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pullback::training {

enum class Kind { kVae, kDae, kGan, kWgan };

inline bool has_critic(Kind kind) { return kind == Kind::kGan || kind == Kind::kWgan; }

// One of regulariser_names() with its weight; for "spectral" the largest singular value that every layer is given.
struct Regulariser {
  std::string name;
  double weight = 0;
};

struct Options {
  Kind kind = Kind::kVae;
  std::filesystem::path data;
  std::filesystem::path out;
  std::string name;  // default: the output's file name

  int latent = 2;
  std::vector<int> hidden{32, 128};  // of the decoder, from the latent space outwards; the encoder mirrors it
  std::string activation;            // of hidden layers; default sigmoid for a VAE, tanh otherwise

  int epochs = 0;  // default by kind
  int batch = 0;   // default by kind
  double learning_rate = 0;
  double weight_decay = 0;
  std::int64_t seed = 1;
  std::optional<std::int64_t> train;
  int threads = 1;

  double kl_weight = 1;       // VAE: weight of the divergence from the prior
  double warm_up = 0.5;       // share of the training over which that weight and those of regularisers rise from 0
  double noise = 0.3;         // DAE: share of pixels set to black
  double code_penalty = 0.1;  // DAE: weight of ‖z‖², keeps the codes from drifting outwards

  std::vector<int> critic{512, 256};  // GANs: hidden layers of the critic
  int critic_steps = 0;               // GANs: critic steps for each generator step; default 1 for gan, 3 for wgan
  double image_noise = 1;             // GAN: standard deviation of the noise on what the critic sees
  double penalty = 10;                // WGAN: weight of the gradient penalty
  double average = 0.999;             // GANs: decay of the running mean of the generator's weights

  std::vector<Regulariser> regularisers;   // of the decoder's Jacobian, each name once
  std::vector<double> clamp_range{1, 20};  // clamping: bounds for ‖f(z') − f(z)‖/‖z' − z‖
  double clamp_step = 1;                   // clamping: ‖z' − z‖

  std::filesystem::path checkpoint;  // default: the output with .checkpoint appended
  double checkpoint_seconds = 10;
  bool fresh = false;
  bool resume = false;
  int codes = 2000;

  std::string command;  // as recorded in the model: no absolute path
};

std::string to_string(Kind kind);

// The regularisers as on the command line, "isometric=100 volume=0.1"; "none" where there is none.
std::string to_string(const std::vector<Regulariser>& regularisers);

// Reads the command line of `pullback train`. Returns the options, or the exit status when there is nothing to do: 0
// after
// --help, 2 after a wrong use, both explained on the terminal.
struct ParsedCommand {
  std::optional<Options> options;
  int status = 0;
};
ParsedCommand parse_command(int argc, const char* const* argv);

// Everything that the trained weights depend on, as JSON text with sorted keys: two runs with the same text, on the
// same machine and from the same images, give the same weights.
std::string settings_text(const Options& options, const std::string& data_digest);

}  // namespace pullback::training
