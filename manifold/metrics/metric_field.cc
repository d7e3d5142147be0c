#include "pullback/manifold/metrics/metric_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

using Eigen::Index;

// Doubles of a map's Jacobians at a time: a metric of many dimensions has n³ at each point.
constexpr Index kBatchDoubles = 1 << 18;

Matrix symmetric(const Matrix& A) { return 0.5 * (A + A.transpose()); }

class MapField final : public MetricField {
 public:
  MapField(std::shared_ptr<const Generator> map, MetricForm form)
      : MetricField(map->latent_dimension(),
                    map->traits().first == Derivative::kExact && map->traits().second == Derivative::kExact
                        ? Derivative::kExact
                        : Derivative::kFiniteDifference),
        map_(std::move(map)),
        frame_(form == MetricForm::kFrame),
        rows_(map_->ambient_dimension() / map_->latent_dimension()) {}

  void metric(const ConstMatrixRef& X, MatrixRef M, Workspace& ws) const override {
    const Index n = dimension();
    for_each_value(X, ws, [&](Index k, const Matrix& W) {
      M.middleCols(n * k, n) = frame_ ? Matrix(W.transpose() * W) : symmetric(W);
    });
  }

  void factor(const ConstMatrixRef& X, MatrixRef R, Workspace& ws) const override {
    const Index n = dimension();
    for_each_value(X, ws, [&](Index k, const Matrix& W) {
      R.middleCols(n * k, n) = frame_ ? frame_factor(W) : square_root_factor(symmetric(W));
    });
  }

  void lengths(const ConstMatrixRef& X, const ConstMatrixRef& V, VectorRef d, Workspace& ws) const override {
    for_each_value(X, ws, [&](Index k, const Matrix& W) {
      const Vector image = W * V.col(k);
      d(k) = frame_ ? image.stableNorm() : std::sqrt(image.dot(V.col(k)));
    });
  }

  Vector first(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& Y, MatrixRef F, MatrixRef B,
               Workspace& ws) const override {
    const Index m = U.cols() / std::max<Index>(X.cols(), 1);
    const Index r = F.rows();
    for_each_jacobian(X, ws, [&](Index k, const Matrix& W, const Matrix& J) {
      const Matrix vectors = Y.middleCols(r * k, r);
      const Matrix image = W * vectors;
      F.middleCols(r * k, r) = frame_ ? Matrix(image.transpose() * image) : symmetric(vectors.transpose() * image);
      for (Index l = 0; l < m; ++l) {
        const Matrix change = along(J, U.col(m * k + l)) * vectors;
        const Matrix half = frame_ ? Matrix(change.transpose() * image) : Matrix(0.5 * vectors.transpose() * change);
        B.middleCols(r * (m * k + l), r) = half + half.transpose();
      }
    });
    return Vector::Zero(X.cols());
  }

  void second(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& y, MatrixRef C,
              Workspace& ws) const override {
    const Index m = C.rows();
    for_each_jacobian(X, ws, [&](Index k, const Matrix& W, const Matrix& J) {
      const auto directions = U.middleCols(m * k, m);
      const Vector v = y.col(k);
      const Vector image = frame_ ? Vector(W * v) : v;
      auto block = C.middleCols(m * k, m);
      // image · d²W[u,u] v by polarisation.
      for (Index a = 0; a < m; ++a) {
        for (Index b = 0; b <= a; ++b) {
          const Vector u = b == a ? Vector(directions.col(a)) : Vector(directions.col(a) + directions.col(b));
          block(a, b) = image.dot(second_along(X.col(k), u, ws) * v);
        }
      }
      for (Index a = 0; a < m; ++a) {
        for (Index b = 0; b < a; ++b) block(b, a) = block(a, b) = 0.5 * (block(a, b) - block(a, a) - block(b, b));
      }
      if (!frame_) return;
      Matrix slopes(rows_, m);
      for (Index a = 0; a < m; ++a) slopes.col(a) = along(J, directions.col(a)) * v;
      block = 2 * (block + slopes.transpose() * slopes).eval();
    });
  }

 private:
  Matrix shaped(const Vector& numbers) const { return Eigen::Map<const Matrix>(numbers.data(), rows_, dimension()); }
  Matrix along(const Matrix& J, const Vector& u) const { return shaped(J * u); }

  Matrix second_along(const ConstVectorRef& x, const Vector& u, Workspace& ws) const {
    Vector D(map_->ambient_dimension());
    map_->second_directional(x, u, D, ws);
    return shaped(D);
  }

  template <class Use>
  void for_each_value(const ConstMatrixRef& X, Workspace& ws, const Use& use) const {
    const Workspace::Count count(ws, &EvaluationCounts::metrics, X.cols());
    const Index outputs = map_->ambient_dimension();
    const Index batch = std::max<Index>(1, kBatchDoubles / outputs);
    for (Index k = 0; k < X.cols(); k += batch) {
      const Index size = std::min(batch, X.cols() - k);
      Workspace::Frame frame(ws);
      auto values = frame.matrix(outputs, size);
      map_->value(X.middleCols(k, size), values, ws);
      for (Index i = 0; i < size; ++i) use(k + i, shaped(values.col(i)));
    }
  }

  template <class Use>
  void for_each_jacobian(const ConstMatrixRef& X, Workspace& ws, const Use& use) const {
    const Workspace::Count count(ws, &EvaluationCounts::metrics, X.cols());
    const Index n = dimension();
    const Index outputs = map_->ambient_dimension();
    const Index batch = std::max<Index>(1, kBatchDoubles / (outputs * n));
    for (Index k = 0; k < X.cols(); k += batch) {
      const Index size = std::min(batch, X.cols() - k);
      Workspace::Frame frame(ws);
      auto values = frame.matrix(outputs, size);
      auto J = frame.matrix(outputs, n * size);
      map_->value_and_jacobian(X.middleCols(k, size), values, J, ws);
      for (Index i = 0; i < size; ++i) use(k + i, shaped(values.col(i)), Matrix(J.middleCols(n * i, n)));
    }
  }

  std::shared_ptr<const Generator> map_;
  bool frame_;
  Index rows_;  // of W, or of M
};

class MeanField final : public MetricField {
 public:
  MeanField(std::shared_ptr<const MetricField> field, Matrix offsets)
      : MetricField(field->dimension(), field->derivatives()), field_(std::move(field)), offsets_(std::move(offsets)) {}

  void metric(const ConstMatrixRef& X, MatrixRef M, Workspace& ws) const override {
    Matrix term(M.rows(), M.cols());
    M.setZero();
    for (Index i = 0; i < offsets_.cols(); ++i) {
      field_->metric(shifted(X, i), term, ws);
      M += weight() * term;
    }
  }

  Vector first(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& Y, MatrixRef F, MatrixRef B,
               Workspace& ws) const override {
    Matrix form(F.rows(), F.cols());
    Matrix slopes(B.rows(), B.cols());
    Vector error = Vector::Zero(X.cols());
    F.setZero();
    B.setZero();
    for (Index i = 0; i < offsets_.cols(); ++i) {
      error += weight() * field_->first(shifted(X, i), U, Y, form, slopes, ws);
      F += weight() * form;
      B += weight() * slopes;
    }
    return error;
  }

  void second(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& y, MatrixRef C,
              Workspace& ws) const override {
    Matrix term(C.rows(), C.cols());
    C.setZero();
    for (Index i = 0; i < offsets_.cols(); ++i) {
      field_->second(shifted(X, i), U, y, term, ws);
      C += weight() * term;
    }
  }

 private:
  double weight() const { return 1 / static_cast<double>(offsets_.cols()); }
  Matrix shifted(const ConstMatrixRef& X, Index i) const { return X.colwise() + offsets_.col(i); }

  std::shared_ptr<const MetricField> field_;
  Matrix offsets_;
};

}  // namespace

MetricField::MetricField(int dimension, Derivative derivatives) : dimension_(dimension), derivatives_(derivatives) {
  if (dimension < 1) {
    throw std::invalid_argument(fmt::format("MetricField: the dimension must be at least 1, got {}", dimension));
  }
}

void MetricField::factor(const ConstMatrixRef& X, MatrixRef R, Workspace& ws) const {
  const Index n = dimension();
  metric(X, R, ws);
  for (Index k = 0; k < X.cols(); ++k) R.middleCols(n * k, n) = square_root_factor(R.middleCols(n * k, n));
}

void MetricField::lengths(const ConstMatrixRef& X, const ConstMatrixRef& V, VectorRef d, Workspace& ws) const {
  const Index n = dimension();
  Workspace::Frame frame(ws);
  auto M = frame.matrix(n, n * X.cols());
  metric(X, M, ws);
  for (Index k = 0; k < X.cols(); ++k) {
    const Vector image = M.middleCols(n * k, n) * V.col(k);
    d(k) = std::sqrt(image.dot(V.col(k)));
  }
}

std::shared_ptr<const MetricField> metric_of_map(std::shared_ptr<const Generator> map, MetricForm form) {
  if (!map) throw std::invalid_argument("metric_of_map: the map is null");
  const int n = map->latent_dimension();
  const int outputs = map->ambient_dimension();
  if (form == MetricForm::kMetric ? outputs != n * n : outputs % n != 0) {
    throw std::invalid_argument(
        fmt::format("metric_of_map: '{}' has {} outputs; a {} of dimension {} has {}", map->traits().name, outputs,
                    form == MetricForm::kMetric ? "metric" : "metric's frame", n,
                    form == MetricForm::kMetric ? fmt::format("{}", n * n) : fmt::format("a multiple of {}", n)));
  }
  return std::make_shared<MapField>(std::move(map), form);
}

std::shared_ptr<const MetricField> mean_field(std::shared_ptr<const MetricField> field, Matrix offsets) {
  if (!field) throw std::invalid_argument("mean_field: the field is null");
  if (offsets.rows() != field->dimension() || offsets.cols() < 1) {
    throw std::invalid_argument(fmt::format("mean_field: offsets must be {}×s with s at least 1, got {}×{}",
                                            field->dimension(), offsets.rows(), offsets.cols()));
  }
  return std::make_shared<MeanField>(std::move(field), std::move(offsets));
}

}  // namespace pullback
