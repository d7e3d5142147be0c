// The program behind `pullback train`. It is a program of its own because LibTorch takes 0.4 s to start.
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>

#include "pullback/base/atomic_file.h"
#include "pullback/base/error.h"
#include "pullback/base/idx.h"
#include "pullback/base/stop.h"
#include "pullback/training/checkpoint.h"
#include "pullback/training/model_writer.h"
#include "pullback/training/options.h"
#include "pullback/training/progress.h"
#include "pullback/training/trainer.h"

namespace pullback::training {
namespace {

namespace fs = std::filesystem;

constexpr int kWrongUse = 2;
constexpr int kFileTrouble = 3;
constexpr int kInterrupted = 1;

volatile std::sig_atomic_t interrupted = 0;

void handle_interrupts(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

// Before there is anything to keep.
void end_on_interrupts() {
  handle_interrupts([](int) { ::_exit(kInterrupted); }, 0);
}

// A second Ctrl-C ends the program at once: the handler is taken off by SA_RESETHAND.
void watch_interrupts() {
  handle_interrupts([](int) { interrupted = 1; }, SA_RESETHAND);
}

// What the images are, for comparison with a checkpoint.
std::string digest(const Dataset& data) {
  uLong crc = crc32(0, nullptr, 0);
  for (const ImageSet* set : {&data.train, &data.heldout}) {
    crc = crc32_z(crc, set->pixels.data(), set->pixels.size());
    crc = crc32_z(crc, set->labels.data(), set->labels.size());
  }
  return fmt::format("{} of {}x{} (crc {:08x})", data.train.count, data.train.rows, data.train.columns, crc);
}

// Finds out now what would otherwise fail after minutes of training.
void check_output(const std::filesystem::path& out) {
  if (std::filesystem::is_directory(out)) throw Error(fmt::format("{}: is a folder, not a file", out.string()));
  const std::filesystem::path parent = out.has_parent_path() ? out.parent_path() : ".";
  if (!std::filesystem::is_directory(parent)) {
    throw Error(fmt::format("{}: cannot be written, there is no folder {}", out.string(), parent.string()));
  }
  const AtomicFile probe(out);
}

// Nothing that is read may be replaced. Errors: std::invalid_argument.
void check_roles(const Options& options) {
  const auto require_apart = [](const char* option, const fs::path& out, const fs::path& other, const char* what) {
    if (!same_file(out, other)) return;
    throw std::invalid_argument(
        fmt::format("{}: {} is {} {}; choose another name", option, out.string(), what, other.string()));
  };
  require_apart("--checkpoint", options.checkpoint, options.out, "the file of --out,");
  std::error_code error;
  for (fs::directory_iterator it(options.data, error), end; !error && it != end; it.increment(error)) {
    require_apart("--out", options.out, it->path(), "a file of the --data folder,");
    require_apart("--checkpoint", options.checkpoint, it->path(), "a file of the --data folder,");
  }
}

std::optional<Checkpoint> find_checkpoint(const Options& options, const std::string& settings, Trainer& trainer) {
  if (options.fresh) return std::nullopt;
  std::optional<Checkpoint> found = read_checkpoint(options.checkpoint, settings);
  if (!found) {
    if (options.resume) throw Error(fmt::format("{}: no checkpoint to resume from", options.checkpoint.string()));
    return std::nullopt;
  }
  try {
    trainer.restore(found->state);
  } catch (const std::invalid_argument& error) {
    throw Error(fmt::format("{}: damaged checkpoint ({}); delete it or give --fresh to begin anew",
                            options.checkpoint.string(), error.what()));
  }
  fmt::print(stderr, "going on from {} after epoch {} of {}\n", options.checkpoint.string(), found->epoch,
             options.epochs);
  return found;
}

// Returns the loss of the last epoch, or nothing when it was interrupted (and the checkpoint written).
std::optional<double> run_epochs(const Options& options, const std::string& settings, Trainer& trainer) {
  using Clock = std::chrono::steady_clock;
  Checkpoint at{settings, 0, 0, {}};
  if (auto found = find_checkpoint(options, settings, trainer)) at = std::move(*found);
  Progress progress(options.epochs, at.epoch);
  Clock::time_point written = Clock::now();
  watch_interrupts();
  const StopScope scope([] { return interrupted != 0; });
  try {
    while (at.epoch < options.epochs) {
      at.state = trainer.state();  // of the last epoch that is complete, should this one not be
      at.loss = trainer.run_epoch(static_cast<double>(at.epoch) / options.epochs);
      ++at.epoch;
      progress.show(at.epoch, at.loss);
      if (!std::isfinite(at.loss)) {
        throw Error(fmt::format("training diverged in epoch {}: give a smaller --learning-rate", at.epoch));
      }
      if (std::chrono::duration<double>(Clock::now() - written).count() < options.checkpoint_seconds) continue;
      at.state = trainer.state();
      write_checkpoint(options.checkpoint, at);
      written = Clock::now();
    }
  } catch (const StopRequested&) {
    write_checkpoint(options.checkpoint, at);
    progress.close();
    fmt::print(stderr, "stopped after epoch {} of {}; the same command goes on from {}\n", at.epoch, options.epochs,
               options.checkpoint.string());
    return std::nullopt;
  }
  return at.loss;
}

int train(const Options& options) {
  check_roles(options);
  check_output(options.out);
  check_output(options.checkpoint);
  const Dataset data = load_dataset(options.data, options.train);
  set_threads(options.threads);
  const auto trainer = has_critic(options.kind) ? make_gan(options, data) : make_autoencoder(options, data);
  const auto loss = run_epochs(options, settings_text(options, digest(data)), *trainer);
  if (!loss) return kInterrupted;
  const TrainedModel model = trainer->finish();
  write_trained_model(options, data, model, *loss);
  std::error_code ignored;  // the model is written; a checkpoint that stays does no harm
  std::filesystem::remove(options.checkpoint, ignored);
  fmt::print("{}: loss {:.4g}, held out {:.4g} ({})\n", options.out.string(), *loss, model.heldout_loss,
             model.heldout_measure);
  return 0;
}

int run(int argc, const char* const* argv) {
  const ParsedCommand parsed = parse_command(argc, argv);
  if (!parsed.options) return parsed.status;
  end_on_interrupts();
  std::signal(SIGXFSZ, SIG_IGN);  // a file that reaches the size limit is an error to report, not the end
  return train(*parsed.options);
}

}  // namespace
}  // namespace pullback::training

int main(int argc, char** argv) {
  try {
    return pullback::training::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "pullback train: {}\n", error.what());
    return pullback::training::kWrongUse;
  } catch (const pullback::Error& error) {
    fmt::print(stderr, "pullback train: {}\n", error.what());
    return pullback::training::kFileTrouble;
  } catch (const std::exception& error) {
    fmt::print(stderr, "pullback train: unexpected: {}\n", error.what());
    return 1;
  }
}
