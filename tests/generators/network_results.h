// Networks for the tests, and all operations of one evaluated at once.
#pragma once

#include <cmath>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/generators/network/network.h"

namespace pullback::testing {

// Sets the variable for the lifetime of the object.
class InstructionSet {
 public:
  explicit InstructionSet(const std::string& name) {
    if (const char* before = std::getenv("PULLBACK_ISA")) before_ = before;
    setenv("PULLBACK_ISA", name.c_str(), 1);
  }
  ~InstructionSet() {
    if (before_) {
      setenv("PULLBACK_ISA", before_->c_str(), 1);
    } else {
      unsetenv("PULLBACK_ISA");
    }
  }
  InstructionSet(const InstructionSet&) = delete;
  InstructionSet& operator=(const InstructionSet&) = delete;

 private:
  std::optional<std::string> before_;
};

inline Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  return Matrix::NullaryExpr(rows, cols, [&] { return normal(engine); });
}

inline std::vector<Activation> all_activations() {
  std::vector<Activation> all;
  for (const std::string_view name : activation_names()) all.push_back(parse_activation(name));
  all.push_back(parse_activation("leaky_relu", 0.3));
  all.push_back(parse_activation("elu", 1.7));
  all.push_back(parse_activation("softplus", 2.5));
  return all;
}

inline std::vector<Layer> random_layers(const std::vector<int>& sizes, const Activation& hidden,
                                        const Activation& output) {
  std::vector<Layer> layers;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    const auto seed = static_cast<unsigned>(10 * i + 1);
    layers.push_back({random_matrix(sizes[i + 1], sizes[i], seed) / std::sqrt(sizes[i]),
                      random_matrix(sizes[i + 1], 1, seed + 1), i + 2 < sizes.size() ? hidden : output});
  }
  return layers;
}

struct Results {
  Matrix value, X, J, X2, J2, D, D2, G, H;
};

// All operations of a generator on one batch.
inline Results evaluate(const Generator& f, const Matrix& Z, const Matrix& V, const Matrix& W) {
  const Eigen::Index n = Z.rows(), N = W.rows(), K = Z.cols();
  Results r{Matrix(N, K), Matrix(N, K), Matrix(N, n * K), Matrix(N, K),    Matrix(N, n * K),
            Matrix(N, K), Matrix(N, K), Matrix(n, K),     Matrix(n, n * K)};
  Workspace ws;
  f.value(Z, r.value, ws);
  f.value_and_jacobian(Z, r.X, r.J, ws);
  f.second_directional(Z, V, r.D, ws);
  f.second_order(Z, V, r.X2, r.J2, r.D2, ws);
  f.vjp(Z, W, r.G, ws);
  f.weighted_hessian(Z, W, r.H, ws);
  return r;
}

inline std::string print(const Activation& activation) {
  return std::string(activation_name(activation.kind)) + " " + std::to_string(activation.parameter);
}

}  // namespace pullback::testing
