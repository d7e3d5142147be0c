// A small classifier and how good its probabilities are.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <random>
#include <vector>

namespace interpolation_data {

using Images = Eigen::MatrixXf;   // pixels×K, 0 to 1
using Targets = Eigen::MatrixXf;  // classes×K, each column a distribution over the classes

// softmax(W₂ relu(W₁x + b₁) + b₂), trained by Adam on the cross-entropy with soft targets.
//
// The same seed gives the same initial weights. Reference: Kingma and Ba, Adam, ICLR 2015, arXiv:1412.6980.
class Classifier {
 public:
  Classifier(int pixels, int hidden, int classes, std::uint64_t seed);

  // One step on a batch; returns the loss before it, mean over the batch.
  float step(const Images& x, const Targets& target, float learning_rate);
  // The gradient that a step follows, weight by weight in the order W₁, b₁, W₂, b₂ (columns first), and the loss.
  float gradient(const Images& x, const Targets& target, Eigen::VectorXf& out) const;
  // classes×K probabilities.
  Targets probabilities(const Images& x) const;

  Eigen::VectorXf& weights() { return weights_; }

 private:
  struct Layers;  // the weights as matrices
  Layers layers(const float* weights) const;

  int pixels_, hidden_, classes_;
  Eigen::VectorXf weights_, first_moment_, second_moment_;
  int steps_ = 0;
};

// How a classifier does on images that it did not see.
struct Score {
  double accuracy = 0;
  double negative_log_likelihood = 0;  // nats per image
  double calibration_error = 0;
};

// The expected calibration error is Σ_b |B_b|/K |accuracy(B_b) − confidence(B_b)| over 15 bins of equal width of the
// largest probability. Reference: Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks, ICML 2017,
// arXiv:1706.04599.
Score score(const Targets& probabilities, const std::vector<int>& labels);

}  // namespace interpolation_data
