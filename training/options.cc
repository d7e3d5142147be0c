#include "pullback/training/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace pullback::training {
namespace {

const std::map<std::string, Kind> kKinds{
    {"vae", Kind::kVae}, {"dae", Kind::kDae}, {"gan", Kind::kGan}, {"wgan", Kind::kWgan}};
const std::set<std::string> kActivations{"tanh",     "sigmoid", "relu", "leaky_relu", "elu",
                                         "softplus", "silu",    "gelu", "identity"};

struct Choice {
  const char* name;
  const char* what;
};
constexpr Choice kRegularisers[] = {{"isometric", "E Tr(G^2) / (E Tr G)^2, scale-free"},
                                    {"conformal", "E [Tr(G^2) / (Tr G)^2], scale-free"},
                                    {"flat", "E |G - c^2 I|^2"},
                                    {"volume", "Var log det G"},
                                    {"clamping", "how far |f(z') - f(z)| / |z' - z| is outside --clamp-range"},
                                    {"spectral", "no penalty: gives every layer this largest singular value"}};

constexpr double kTiny = 1e-12;
constexpr double kHuge = 1e12;

// A number in a closed interval; CLI::Range lets NaN through.
CLI::Validator number(double low, double high) {
  const auto check = [low, high](const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return std::string();
    return high < kHuge ? fmt::format("{} is not a number from {} to {}", text, low, high)
                        : fmt::format("{} is not a {} number", text, low > 0 ? "positive" : "finite, non-negative");
  };
  return {check, high < kHuge ? fmt::format("{} to {}", low, high) : "", "number"};
}

struct Defaults {
  const char* activation;
  int epochs;
  int batch;
  double learning_rate;
  double weight_decay;
  int critic_steps = 0;
};

// Found by trial on MNIST with the shipped sizes.
Defaults defaults_of(Kind kind) {
  switch (kind) {
    case Kind::kVae:
      return {"sigmoid", 200, 64, 2e-3, 0.03};
    case Kind::kDae:
      return {"tanh", 150, 64, 1e-3, 1e-2};
    case Kind::kGan:
      return {"tanh", 150, 64, 5e-4, 0, 1};
    case Kind::kWgan:
      break;
  }
  return {"tanh", 150, 64, 5e-4, 0, 3};
}

template <typename T>
void keep_given(const CLI::App& app, const char* option, T& value, const T& otherwise) {
  if (app.count(option) == 0) value = otherwise;
}

void add_model_options(CLI::App& app, Options& options) {
  app.add_option("--latent", options.latent, "dimension of the latent space")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--hidden", options.hidden, "sizes of the decoder's hidden layers; the encoder mirrors them")
      ->delimiter(',')
      ->check(CLI::Range(1, 65536))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--activation", options.activation, "of the hidden layers (default: sigmoid for vae, else tanh)")
      ->check(CLI::IsMember(kActivations))
      ->group("Model");
  app.add_option("--kl-weight", options.kl_weight, "vae: weight of the divergence from N(0,I)")
      ->check(number(0, kHuge))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--warm-up", options.warm_up,
                 "share of the training over which that weight and regularisers rise from 0")
      ->check(number(0, 1))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--noise", options.noise, "dae: share of pixels set to black")
      ->check(number(0, 0.95))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--code-penalty", options.code_penalty, "dae: weight of |z|^2")
      ->check(number(0, kHuge))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--critic", options.critic, "gan, wgan: sizes of the critic's hidden layers")
      ->delimiter(',')
      ->check(CLI::Range(1, 65536))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--critic-steps", options.critic_steps,
                 "gan, wgan: critic steps for each generator step (default: 1, 3)")
      ->check(CLI::Range(1, 100))
      ->group("Model");
  app.add_option("--image-noise", options.image_noise, "gan: standard deviation of noise on what the critic sees")
      ->check(number(0, kHuge))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--penalty", options.penalty, "wgan: weight of the critic's gradient penalty")
      ->check(number(0, kHuge))
      ->capture_default_str()
      ->group("Model");
  app.add_option("--average", options.average, "gan, wgan: decay of the running mean of the generator's weights")
      ->check(number(0, 0.99999))
      ->capture_default_str()
      ->group("Model");
}

// "isometric=100", or why it is none.
std::string regulariser_error(const std::string& text) {
  const std::string name = text.substr(0, text.find('='));
  std::string names;
  for (const Choice& choice : kRegularisers) {
    if (name == choice.name) {
      double weight = 0;
      const std::string value = name.size() < text.size() ? text.substr(name.size() + 1) : "";
      if (CLI::detail::lexical_cast(value, weight) && weight >= kTiny && weight <= kHuge) return "";
      return fmt::format("'{}' is not NAME=WEIGHT with a positive number, such as {}=1", text, name);
    }
    names += fmt::format("{}{}", names.empty() ? "" : ", ", choice.name);
  }
  return fmt::format("there is no regulariser '{}'; valid: {}", name, names);
}

void add_regulariser_options(CLI::App& app, Options& options) {
  std::string description = "acts on the decoder's Jacobian J, with G = J^T J; repeatable; NAME is";
  for (const Choice& choice : kRegularisers) description += fmt::format("\n  {}: {}", choice.name, choice.what);
  app.add_option_function<std::vector<std::string>>(
         "--regularise,--regularize",
         [&options](const std::vector<std::string>& given) {
           for (const std::string& text : given) {
             const std::size_t equal = text.find('=');
             Regulariser one{text.substr(0, equal), 0};
             CLI::detail::lexical_cast(text.substr(equal + 1), one.weight);
             for (const Regulariser& other : options.regularisers) {
               if (other.name == one.name) throw CLI::ValidationError("--regularise", one.name + " is given twice");
             }
             options.regularisers.push_back(one);
           }
         },
         description)
      ->check(CLI::Validator(regulariser_error, "", "regulariser"))
      ->type_name("NAME=WEIGHT")
      ->allow_extra_args(false)
      ->group("Regularisers");
  app.add_option("--clamp-range", options.clamp_range, "clamping: smallest and largest |f(z') - f(z)| / |z' - z|")
      ->delimiter(',')
      ->expected(2)
      ->check(number(0, kHuge))
      ->type_name("LOW,HIGH")
      ->capture_default_str()
      ->group("Regularisers");
  app.add_option("--clamp-step", options.clamp_step, "clamping: distance of z' from z")
      ->check(number(kTiny, kHuge))
      ->capture_default_str()
      ->group("Regularisers");
}

void add_training_options(CLI::App& app, Options& options) {
  app.add_option("--epochs", options.epochs, "passes through the images (default: vae 200, else 150)")
      ->check(CLI::Range(1, 1'000'000))
      ->group("Training");
  app.add_option("--batch", options.batch, "images for each step (default: 64)")
      ->check(CLI::Range(1, 1'000'000))
      ->group("Training");
  app.add_option("--learning-rate", options.learning_rate, "of Adam, falling to 0 along a half cosine")
      ->check(number(kTiny, kHuge))
      ->group("Training");
  app.add_option("--weight-decay", options.weight_decay, "decoupled from the gradient")
      ->check(number(0, kHuge))
      ->group("Training");
  app.add_option("--seed", options.seed, "of every random number")
      ->check(number(0, kHuge))
      ->capture_default_str()
      ->group("Training");
  app.add_option("--train", options.train,
                 "train on the first N images, hold the rest out (default: all but the last 2000)")
      ->check(CLI::PositiveNumber)
      ->group("Training");
  app.add_option("--threads", options.threads, "more are faster; the weights depend on it in the last bits")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
      ->group("Training");
}

void add_file_options(CLI::App& app, Options& options) {
  app.add_option("--data", options.data, "folder with *-images-idx3-ubyte[.gz] and *-labels-idx1-ubyte[.gz]")
      ->required()
      ->group("Files");
  app.add_option("--out", options.out, "the model, as safetensors")->required()->group("Files");
  app.add_option("--name", options.name, "name of the model (default: the file name of --out)")->group("Files");
  app.add_option("--codes", options.codes, "latent codes with labels to store beside the weights")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->group("Files");
  app.add_option("--checkpoint", options.checkpoint, "state to go on from (default: OUT.checkpoint)")->group("Files");
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds, "time between checkpoints, at least an epoch")
      ->check(number(0, kHuge))
      ->capture_default_str()
      ->group("Files");
  auto* fresh = app.add_flag("--fresh", options.fresh, "begin anew, whatever the checkpoint holds")->group("Files");
  app.add_flag("--resume", options.resume, "fail unless there is a checkpoint to go on from")
      ->excludes(fresh)
      ->group("Files");
}

// An argument as it may be recorded: an absolute path says where somebody's files lie.
std::string recorded(const std::string& argument, const std::string& replacement) {
  return std::filesystem::path(argument).is_absolute() ? replacement : argument;
}

std::string recorded_command(int argc, const char* const* argv) {
  std::string command = "pullback train";
  std::string previous;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    const std::size_t equal = argument.starts_with("--") ? argument.find('=') : std::string::npos;
    const std::string key = equal == std::string::npos ? previous : argument.substr(0, equal);
    const std::string prefix = equal == std::string::npos ? "" : argument.substr(0, equal + 1);
    const std::string value = argument.substr(prefix.size());
    const std::string file = std::filesystem::path(value).filename().string();
    previous = argument;
    command += " " + prefix + recorded(value, key == "--data" ? "DIR" : file);
  }
  return command;
}

void fill_defaults(const CLI::App& app, Options& options) {
  const Defaults defaults = defaults_of(options.kind);
  keep_given(app, "--activation", options.activation, std::string(defaults.activation));
  keep_given(app, "--epochs", options.epochs, defaults.epochs);
  keep_given(app, "--batch", options.batch, defaults.batch);
  keep_given(app, "--learning-rate", options.learning_rate, defaults.learning_rate);
  keep_given(app, "--weight-decay", options.weight_decay, defaults.weight_decay);
  keep_given(app, "--critic-steps", options.critic_steps, defaults.critic_steps);
  keep_given(app, "--name", options.name, options.out.stem().string());
  if (options.checkpoint.empty()) {
    options.checkpoint = options.out;
    options.checkpoint += ".checkpoint";
  }
}

}  // namespace

std::string to_string(Kind kind) {
  for (const auto& [name, value] : kKinds) {
    if (value == kind) return name;
  }
  return "unknown";
}

std::string to_string(const std::vector<Regulariser>& regularisers) {
  std::string text;
  for (const auto& [name, weight] : regularisers) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, weight);
  }
  return text.empty() ? "none" : text;
}

ParsedCommand parse_command(int argc, const char* const* argv) {
  Options options;
  CLI::App app("Trains a small generative model on images in the IDX format of MNIST.", "pullback train");
  std::string kind;
  app.add_option("kind", kind, "vae, dae (denoising autoencoder), gan or wgan (Wasserstein, with gradient penalty)")
      ->required()
      ->check(CLI::IsMember(kKinds))
      ->type_name("vae|dae|gan|wgan");
  add_file_options(app, options);
  add_model_options(app, options);
  add_regulariser_options(app, options);
  add_training_options(app, options);
  app.footer(
      "Killed or stopped by Ctrl-C, the same command goes on from its checkpoint and ends with the same weights.\n"
      "Exit status: 0 trained, 1 stopped by Ctrl-C or SIGTERM, 2 wrong use, 3 a file cannot be used.\n"
      "Example: pullback train vae --data mnist --out my-vae.safetensors --latent 2 --activation softplus");
  try {
    app.parse(argc, argv);
    if (options.clamp_range[0] > options.clamp_range[1]) {
      throw CLI::ValidationError("--clamp-range", "expected the smaller bound first");
    }
  } catch (const CLI::Success& success) {
    return {std::nullopt, app.exit(success)};
  } catch (const CLI::ParseError& error) {
    std::cerr << "pullback train: " << error.what() << "\nTry 'pullback train --help'.\n";
    return {std::nullopt, 2};
  }
  options.kind = kKinds.at(kind);
  fill_defaults(app, options);
  options.command = recorded_command(argc, argv);
  return {options, 0};
}

std::string settings_text(const Options& options, const std::string& data_digest) {
  nlohmann::json settings{{"kind", to_string(options.kind)},
                          {"latent", options.latent},
                          {"hidden", options.hidden},
                          {"activation", options.activation},
                          {"epochs", options.epochs},
                          {"batch", options.batch},
                          {"learning-rate", options.learning_rate},
                          {"weight-decay", options.weight_decay},
                          {"seed", options.seed},
                          {"threads", options.threads},
                          {"images", data_digest}};
  if (options.kind == Kind::kVae) settings["kl-weight"] = options.kl_weight;
  if (options.kind == Kind::kVae) settings["warm-up"] = options.warm_up;
  if (options.kind == Kind::kDae) settings["noise"] = options.noise;
  if (options.kind == Kind::kDae) settings["code-penalty"] = options.code_penalty;
  if (has_critic(options.kind)) {
    settings["critic"] = options.critic;
    settings["critic-steps"] = options.critic_steps;
    settings["average"] = options.average;
  }
  if (options.kind == Kind::kGan) settings["objective"] = "logistic";
  if (options.kind == Kind::kGan) settings["image-noise"] = options.image_noise;
  if (options.kind == Kind::kWgan) {
    // Under its first name, so that checkpoints of that time open.
    settings["kind"] = "gan";
    settings["penalty"] = options.penalty;
  }
  // Left out where there is none, as in checkpoints older than regularisers.
  if (!options.regularisers.empty()) {
    settings["regularise"] = to_string(options.regularisers);
    settings["warm-up"] = options.warm_up;
  }
  for (const Regulariser& regulariser : options.regularisers) {
    if (regulariser.name != "clamping") continue;
    settings["clamp-range"] = options.clamp_range;
    settings["clamp-step"] = options.clamp_step;
  }
  return settings.dump();
}

}  // namespace pullback::training
