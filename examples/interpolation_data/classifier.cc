#include "classifier.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace interpolation_data {
namespace {

// Adam's constants, as its authors give them.
constexpr float kFirstDecay = 0.9F;
constexpr float kSecondDecay = 0.999F;
constexpr float kEpsilon = 1e-8F;

// Column by column, less the largest entry, so that nothing overflows.
void softmax(Targets& logits) {
  for (Eigen::Index k = 0; k < logits.cols(); ++k) {
    logits.col(k) = (logits.col(k).array() - logits.col(k).maxCoeff()).exp();
    logits.col(k) /= logits.col(k).sum();
  }
}

}  // namespace

struct Classifier::Layers {
  Eigen::Map<const Eigen::MatrixXf> W1;
  Eigen::Map<const Eigen::VectorXf> b1;
  Eigen::Map<const Eigen::MatrixXf> W2;
  Eigen::Map<const Eigen::VectorXf> b2;
};

Classifier::Layers Classifier::layers(const float* weights) const {
  const float* b1 = weights + static_cast<std::ptrdiff_t>(hidden_) * pixels_;
  const float* W2 = b1 + hidden_;
  const float* b2 = W2 + static_cast<std::ptrdiff_t>(classes_) * hidden_;
  return {{weights, hidden_, pixels_}, {b1, hidden_}, {W2, classes_, hidden_}, {b2, classes_}};
}

Classifier::Classifier(int pixels, int hidden, int classes, std::uint64_t seed)
    : pixels_(pixels), hidden_(hidden), classes_(classes) {
  const Eigen::Index first = Eigen::Index{hidden} * pixels;
  const Eigen::Index second = Eigen::Index{classes} * hidden;
  weights_ = Eigen::VectorXf::Zero(first + hidden + second + classes);
  first_moment_ = second_moment_ = Eigen::VectorXf::Zero(weights_.size());
  std::mt19937_64 random(seed);
  const auto fill = [&](Eigen::Index begin, Eigen::Index count, int inputs) {  // uniform, of variance 2/inputs
    const double bound = std::sqrt(6.0 / inputs);
    for (Eigen::Index i = begin; i < begin + count; ++i) {
      weights_(i) = static_cast<float>(bound * (static_cast<double>(random() >> 11) * 0x1p-52 - 1));
    }
  };
  fill(0, first, pixels);
  fill(first + hidden, second, hidden);
}

Targets Classifier::probabilities(const Images& x) const {
  const Layers w = layers(weights_.data());
  const Images h = ((w.W1 * x).colwise() + w.b1).cwiseMax(0.0F);
  Targets p = (w.W2 * h).colwise() + w.b2;
  softmax(p);
  return p;
}

float Classifier::gradient(const Images& x, const Targets& target, Eigen::VectorXf& out) const {
  const Layers w = layers(weights_.data());
  const auto count = static_cast<float>(x.cols());
  const Images h = ((w.W1 * x).colwise() + w.b1).cwiseMax(0.0F);
  Targets p = (w.W2 * h).colwise() + w.b2;
  softmax(p);
  const float loss = -(target.array() * p.array().max(1e-30F).log()).sum() / count;
  const Targets d2 = (p - target) / count;
  Images d1 = w.W2.transpose() * d2;
  d1.array() *= (h.array() > 0).cast<float>();
  out.resize(weights_.size());
  float* at = out.data();
  Eigen::Map<Eigen::MatrixXf>(at, hidden_, pixels_).noalias() = d1 * x.transpose();
  at += static_cast<std::ptrdiff_t>(hidden_) * pixels_;
  Eigen::Map<Eigen::VectorXf>(at, hidden_) = d1.rowwise().sum();
  at += hidden_;
  Eigen::Map<Eigen::MatrixXf>(at, classes_, hidden_).noalias() = d2 * h.transpose();
  at += static_cast<std::ptrdiff_t>(classes_) * hidden_;
  Eigen::Map<Eigen::VectorXf>(at, classes_) = d2.rowwise().sum();
  return loss;
}

float Classifier::step(const Images& x, const Targets& target, float learning_rate) {
  Eigen::VectorXf g;
  const float loss = gradient(x, target, g);
  ++steps_;
  first_moment_ = kFirstDecay * first_moment_ + (1 - kFirstDecay) * g;
  second_moment_.array() = kSecondDecay * second_moment_.array() + (1 - kSecondDecay) * g.array().square();
  const auto unbias = [this](float decay) { return 1 - std::pow(decay, static_cast<float>(steps_)); };
  weights_.array() -= learning_rate / unbias(kFirstDecay) * first_moment_.array() /
                      ((second_moment_.array() / unbias(kSecondDecay)).sqrt() + kEpsilon);
  return loss;
}

Score score(const Targets& probabilities, const std::vector<int>& labels) {
  constexpr std::size_t kBins = 15;
  std::array<double, kBins> excess{};  // Σ (right − confidence) in each bin
  Score out;
  for (Eigen::Index k = 0; k < probabilities.cols(); ++k) {
    Eigen::Index guess = 0;
    const double confidence = probabilities.col(k).maxCoeff(&guess);
    const int label = labels[static_cast<std::size_t>(k)];
    const double right = guess == label ? 1 : 0;
    out.accuracy += right;
    out.negative_log_likelihood -= std::log(std::max(1e-30, static_cast<double>(probabilities(label, k))));
    excess[std::min(kBins - 1, static_cast<std::size_t>(confidence * kBins))] += right - confidence;
  }
  const auto count = static_cast<double>(probabilities.cols());
  for (const double e : excess) out.calibration_error += std::abs(e) / count;
  out.accuracy /= count;
  out.negative_log_likelihood /= count;
  return out;
}

}  // namespace interpolation_data
