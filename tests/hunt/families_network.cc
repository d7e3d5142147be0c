// Random and trained networks.
#include <filesystem>

#include "pullback/generators/network/model_file.h"
#include "tests/hunt/make.h"

namespace pullback::hunt {
namespace {

// The judge's own evaluation of a fully connected network: values, tangents and mixed second derivatives side by side.
// S is double for the large ones, which would take too long otherwise.
template <class S>
class NetworkTruth final : public Truth {
  using Block = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
  struct Slopes {
    S value, first, second;
  };

 public:
  NetworkTruth(int n, const std::vector<Layer>& layers, TruthTraits traits) : Truth(n, traits) {
    for (const Layer& layer : layers) {
      weights_.push_back(layer.weight.cast<S>());
      biases_.push_back(layer.bias.cast<S>());
      activations_.push_back(layer.activation);
    }
  }

  Real speed(const Real* z, const Real* v) const override {
    Block B(dimension(), 2);
    for (int i = 0; i < dimension(); ++i) B.row(i) << static_cast<S>(z[i]), static_cast<S>(v[i]);
    return forward(std::move(B), 0).col(1).norm();
  }

  // Columns: x, df[v], df[e_1] …, d²f[v, e_1] ….
  Real slopes(const Real* z, const Real* v, Real* p, Real* q) const override {
    const int n = dimension();
    Block B = Block::Zero(n, 2 + 2 * n);
    for (int i = 0; i < n; ++i) {
      B(i, 0) = static_cast<S>(z[i]);
      B(i, 1) = static_cast<S>(v[i]);
      B(i, 2 + i) = 1;
    }
    B = forward(std::move(B), n);
    const Real speed = B.col(1).norm();
    for (int k = 0; k < n; ++k) {
      p[k] = speed > 0 ? B.col(1).dot(B.col(2 + k)) / speed : 0;
      q[k] = speed > 0 ? B.col(1).dot(B.col(2 + n + k)) / speed : 0;
    }
    return speed;
  }

  RealMatrix factor(const Real* z) const override {
    const int n = dimension();
    Block B = Block::Zero(n, 2 + n);
    for (int i = 0; i < n; ++i) {
      B(i, 0) = static_cast<S>(z[i]);
      B(i, 2 + i) = 1;
    }
    return factor_of_jacobian(forward(std::move(B), 0).rightCols(n).template cast<Real>());
  }

  bool image(const Real* z, RealVector& x) const override {
    Block B(dimension(), 1);
    for (int i = 0; i < dimension(); ++i) B(i, 0) = static_cast<S>(z[i]);
    x = forward(std::move(B), 0).col(0).template cast<Real>();
    return true;
  }

 private:
  // The first column is the point, `mixed` at the end are second derivatives, the others tangents.
  Block forward(Block B, int mixed) const {
    for (std::size_t l = 0; l < weights_.size(); ++l) {
      B = (weights_[l] * B).eval();
      B.col(0) += biases_[l];
      const Eigen::Index tangents = B.cols() - mixed;
      for (Eigen::Index i = 0; i < B.rows(); ++i) {
        const Slopes s = activation(activations_[l], B(i, 0));
        for (int k = 0; k < mixed; ++k) {
          B(i, tangents + k) = s.first * B(i, tangents + k) + s.second * B(i, 1) * B(i, 2 + k);
        }
        B(i, 0) = s.value;
        for (Eigen::Index k = 1; k < tangents; ++k) B(i, k) *= s.first;
      }
    }
    return B;
  }

  static Slopes activation(const Activation& a, S x) {
    switch (a.kind) {
      case ActivationKind::kIdentity:
        return {x, 1, 0};
      case ActivationKind::kTanh: {
        const S t = std::tanh(x);
        const S d = (1 - t) * (1 + t);
        return {t, d, -2 * t * d};
      }
      case ActivationKind::kSigmoid: {
        const S e = 1 / (1 + std::exp(-x));
        return {e, e * (1 - e), e * (1 - e) * (1 - 2 * e)};
      }
      case ActivationKind::kRelu:
        return {x > 0 ? x : 0, x > 0 ? S(1) : S(0), 0};
      case ActivationKind::kLeakyRelu:
        return {x > 0 ? x : static_cast<S>(a.parameter) * x, x > 0 ? S(1) : static_cast<S>(a.parameter), 0};
      case ActivationKind::kSoftplus: {
        const S b = static_cast<S>(a.parameter);
        const S e = 1 / (1 + std::exp(-b * x));
        return {std::max(x, S(0)) + std::log1p(std::exp(-std::abs(b * x))) / b, e, b * e * (1 - e)};
      }
      case ActivationKind::kSilu: {
        const S e = 1 / (1 + std::exp(-x));
        const S d = e * (1 - e);
        return {x * e, e + x * d, 2 * d + x * d * (1 - 2 * e)};
      }
      default:
        throw std::invalid_argument("NetworkTruth: an activation that the judge does not know");
    }
  }

  std::vector<Block> weights_;
  std::vector<Eigen::Matrix<S, Eigen::Dynamic, 1>> biases_;
  std::vector<Activation> activations_;
};

bool rough(ActivationKind kind) { return kind == ActivationKind::kRelu || kind == ActivationKind::kLeakyRelu; }

template <class S>
Problem network_problem(const std::vector<Layer>& layers, const Vector& from, const Vector& to) {
  const int n = static_cast<int>(layers.front().weight.cols());
  TruthTraits traits;
  if constexpr (sizeof(S) == sizeof(double)) traits.rounding = 1e-14L;
  for (const Layer& layer : layers) traits.smooth = traits.smooth && !rough(layer.activation.kind);
  Problem out;
  out.geodesic.manifold = std::make_shared<PullbackManifold>(std::make_shared<Network>(layers));
  out.geodesic.from = from;
  out.geodesic.to = to;
  out.truth = std::make_shared<NetworkTruth<S>>(n, layers, traits);
  return out;
}

std::vector<Layer> random_layers(Random& r, int n, int hidden, int width, int outputs, ActivationKind kind) {
  std::vector<Layer> layers;
  int inputs = n;
  for (int l = 0; l <= hidden; ++l) {
    const int rows = l == hidden ? outputs : width;
    const double gain = r.power(-0.2, 0.4) / std::sqrt(static_cast<double>(inputs));
    Activation activation{kind, kind == ActivationKind::kSoftplus ? r.power(-0.3, 1) : 0.1};
    if (l == hidden) activation = {};
    layers.push_back({gain * r.normal_matrix(rows, inputs), 0.5 * r.normals(rows), activation});
    inputs = rows;
  }
  return layers;
}

Problem small_network(Random& r, ActivationKind kind) {
  const int n = r.integer(1, 3);
  const auto layers = random_layers(r, n, r.integer(1, 2), r.integer(4, 12), r.integer(n, 10), kind);
  return network_problem<Real>(layers, 1.5 * r.normals(n), 1.5 * r.normals(n));
}

Problem smooth_network(Random& r) {
  constexpr ActivationKind kKinds[]{ActivationKind::kTanh, ActivationKind::kSoftplus, ActivationKind::kSilu,
                                    ActivationKind::kSigmoid};
  return small_network(r, kKinds[r.integer(0, 3)]);
}

Problem rough_network(Random& r) {
  return small_network(r, r.chance(0.7) ? ActivationKind::kRelu : ActivationKind::kLeakyRelu);
}

Problem wide_network(Random& r) {
  const int n = r.integer(2, 20);
  const auto layers = random_layers(r, n, 2, r.integer(20, 60), r.integer(20, 100), ActivationKind::kTanh);
  return network_problem<double>(layers, r.normals(n), r.normals(n));
}

Problem trained(Random& r, const std::vector<ModelFile>& models) {
  const ModelFile& model = models[r.integer(0, static_cast<int>(models.size()) - 1)];
  const auto code = [&] { return Vector(model.codes.col(r.integer(0, static_cast<int>(model.codes.cols()) - 1))); };
  const Vector from = code();
  return network_problem<double>(model.decoder->layers(), from, code());
}

}  // namespace

void add_network_families(std::vector<Family>& out, const std::string& folder) {
  out.push_back({"smooth-network", 0.7, smooth_network});
  out.push_back({"rough-network", 0.3, rough_network});
  out.push_back({"wide-network", 0.04, wide_network});
  if (folder.empty()) return;
  std::vector<ModelFile> models;
  for (const char* name : {"mnist-vae", "mnist-gan", "mnist-vae-8d"}) {
    models.push_back(read_model(std::filesystem::path(folder) / (std::string(name) + ".safetensors")));
  }
  out.push_back({"trained", 0.04, [models](Random& r) { return trained(r, models); }});
}

}  // namespace pullback::hunt
