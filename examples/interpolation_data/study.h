// The experiment: what one seed does, and what the seeds say together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "files.h"
#include "mixing.h"
#include "pullback/generators/network/model_file.h"

namespace interpolation_data {

// What the results depend on.
struct Settings {
  std::string model;
  std::string solver = "newton";
  int labels = 500;  // labelled digits
  int pairs = 500;   // pairs of them that are mixed
  int seeds = 5;
  int steps = 1500;  // of training
  int batch = 64;
  int hidden = 128;  // units of the classifier
  double alpha = 1;  // of the Beta distribution of the weights
  double learning_rate = 1e-3;
};

// The model and the digits: all but the last held-out ones are the pool from which labelled digits are drawn.
struct Material {
  pullback::ModelFile model;
  Digits pool;
  Digits heldout;
  std::string description;
};

// Reads both. Codes are those of the model's encoder.
// Errors: pullback::Error for files, also for a model without an encoder, with images of another size, or fewer digits
// than `labels` needs.
Material read_material(const std::filesystem::path& data, const std::filesystem::path& model, int labels);

// How the geodesics of a seed went.
struct Geodesics {
  std::vector<Pair> pairs;
  int converged = 0;
  double median_seconds = 0;
  double median_gain = 0;  // length of the geodesic relative to that of the straight line of codes
  double median_bend = 0;  // largest distance from the straight line, relative to that of the codes
};

// Chooses the labelled digits of a seed.
Digits choose_digits(const Material& material, const Settings& settings, std::uint64_t seed);

// Chooses the pairs of a seed and solves for their geodesics, or reads them from `cache` where they are those. Empty
// when interrupted. Errors: pullback::Error for a cache that cannot be written.
Geodesics solve_pairs(const Material& material, const Digits& digits, const Settings& settings, std::uint64_t seed,
                      int threads, const std::filesystem::path& cache);

// The scores of all mixings, in the order of kMixings.
std::vector<Score> run_seed(const Material& material, const Digits& digits, const Geodesics& geodesics,
                            const Settings& settings, std::uint64_t seed, int threads);

// Mean and standard deviation over the seeds, and paired differences with 95 % intervals by Student's t.
Json summarise(const std::vector<std::vector<Score>>& scores);

// The summary as two tables in Markdown.
std::string markdown(const Json& summary);

Json settings_json(const Settings& settings);

}  // namespace interpolation_data
