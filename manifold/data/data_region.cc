#include "pullback/manifold/data/data_region.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <algorithm>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <nanoflann.hpp>
#include <stdexcept>
#include <vector>
#include "pullback/base/stop.h"

namespace pullback {

namespace {

constexpr double kSmallestExtent = 1e-14;  // of the largest; singular values below are rounding
constexpr Eigen::Index kChords = 1024;
constexpr Eigen::Index kChordsPerPiece = 16;

using Tree = nanoflann::KDTreeEigenMatrixAdaptor<Matrix, -1, nanoflann::metric_L2, false>;

void validate(const ConstMatrixRef& codes, const ConstMatrixRef& blur, const DataRegionOptions& options) {
  if (codes.rows() < 1 || codes.cols() < 2 || !codes.allFinite()) {
    throw std::invalid_argument(fmt::format(
        "a region of data: expected at least 2 codes, all finite, got {} of dimension {}", codes.cols(), codes.rows()));
  }
  if (blur.size() > 0 && (blur.rows() != codes.rows() || !blur.allFinite())) {
    throw std::invalid_argument(
        fmt::format("a region of data: expected a finite blur with {} rows, got {}", codes.rows(), blur.rows()));
  }
  if (options.neighbours < 1 || !(options.share > 0 && options.share <= 1)) {
    throw std::invalid_argument(
        fmt::format("a region of data: expected neighbours >= 1 and a share in (0, 1], got {} and {}",
                    options.neighbours, options.share));
  }
}

// codes + B ξ. Boost's distributions give the same numbers everywhere, the standard library's do not.
Matrix blurred(const ConstMatrixRef& codes, const ConstMatrixRef& blur, std::uint64_t seed) {
  if (blur.size() == 0) return codes;
  boost::random::mt19937_64 engine(seed);
  boost::random::normal_distribution<double> normal;
  Matrix noise(blur.cols(), codes.cols());
  for (double& entry : noise.reshaped()) entry = normal(engine);
  return codes + blur * noise;
}

// R of Σ by QR of the centred codes and B stacked: squares would lose half of the digits of an ill-conditioned chart.
Matrix covariance_factor(const ConstMatrixRef& codes, const ConstMatrixRef& blur, const Vector& mean) {
  const Eigen::Index n = codes.rows();
  const Eigen::Index extra = blur.size() > 0 ? blur.cols() : 0;
  Matrix stacked = Matrix::Zero(std::max(n, codes.cols() + extra), n);
  stacked.topRows(codes.cols()) = (codes.colwise() - mean).transpose() / std::sqrt(static_cast<double>(codes.cols()));
  if (extra > 0) stacked.middleRows(codes.cols(), extra) = blur.transpose();
  const Eigen::HouseholderQR<Matrix> qr(stacked);
  Matrix R = qr.matrixQR().topRows(n).triangularView<Eigen::Upper>();
  const double scale = R.cwiseAbs().maxCoeff();
  const double least = scale > 0 ? kSmallestExtent * scale : 1;  // all codes in one point: any unit will do
  for (Eigen::Index i = 0; i < n; ++i) {
    if (std::abs(R(i, i)) < least) R(i, i) = least;
  }
  return R;
}

double upper_quantile(std::vector<double> values, double level) {
  const auto place = static_cast<std::ptrdiff_t>(std::ceil(level * static_cast<double>(values.size()))) - 1;
  const auto nth = values.begin() + std::max<std::ptrdiff_t>(0, place);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace

struct DataRegion::Index {
  Index(Matrix points, int neighbours)
      : standardised(std::move(points)),
        count(static_cast<std::size_t>(std::min<Eigen::Index>(neighbours, standardised.cols() - 1))),
        tree(static_cast<int>(standardised.rows()), std::cref(standardised)) {}

  // Distance to the k-th nearest datum, counted from the first or from the second one (a datum finds itself first).
  double nearest(const double* point, bool without_first) const {
    const std::size_t wanted = count + (without_first ? 1 : 0);
    std::vector<Matrix::Index> found(wanted);
    std::vector<double> squares(wanted, std::numeric_limits<double>::infinity());
    tree.query(point, wanted, found.data(), squares.data());
    return std::sqrt(squares.back());
  }

  Matrix standardised;
  std::size_t count;
  Tree tree;
};

DataRegion::DataRegion(const ConstMatrixRef& codes, const ConstMatrixRef& blur, const DataRegionOptions& options) {
  validate(codes, blur, options);
  mean_ = codes.rowwise().mean();
  factor_ = covariance_factor(codes, blur, mean_);
  data_ = blurred(codes, blur, options.seed);
  index_ = std::make_shared<const Index>(standardised(data_), options.neighbours);
  std::vector<double> own;
  for (Eigen::Index k = 0; k < data_.cols(); ++k) {
    throw_if_stopped();
    own.push_back(index_->nearest(index_->standardised.col(k).data(), true));
  }
  radius_ = upper_quantile(std::move(own), options.share);
}

Matrix DataRegion::standardised(const ConstMatrixRef& Z) const {
  return factor_.transpose().triangularView<Eigen::Lower>().solve(Z.colwise() - mean_);
}

Vector DataRegion::distance(const ConstMatrixRef& Z) const {
  const Matrix Y = standardised(Z);
  Vector distances(Y.cols());
  for (Eigen::Index k = 0; k < Y.cols(); ++k) {
    throw_if_stopped();
    distances(k) =
        Y.col(k).allFinite() ? index_->nearest(Y.col(k).data(), false) : std::numeric_limits<double>::infinity();
  }
  return distances;
}

Eigen::Array<bool, Eigen::Dynamic, 1> DataRegion::contains(const ConstMatrixRef& Z) const {
  return distance(Z).array() <= radius_;
}

CurveInRegion locate(const DataRegion& region, const Curve& curve) {
  if (curve.empty() || curve.dimension() != region.dimension()) {
    throw std::invalid_argument(fmt::format("a curve in a region of data: expected dimension {}, got {}",
                                            region.dimension(), curve.empty() ? 0 : curve.dimension()));
  }
  const Eigen::Index chords = std::max(kChords, kChordsPerPiece * curve.pieces());
  const Matrix Z = curve.position(uniform_times(static_cast<int>(2 * chords) + 1));  // every other one a midpoint
  const Matrix Y = region.standardised(Z);
  const Vector distances = region.distance(Z);
  CurveInRegion found;
  found.farthest = distances.maxCoeff();
  double inside = 0;
  for (Eigen::Index k = 0; k < chords; ++k) {
    const double length = (Y.col(2 * k + 2) - Y.col(2 * k)).norm();
    found.arc += length;
    if (distances(2 * k + 1) <= region.radius()) inside += length;
  }
  found.share_inside = found.arc > 0 ? inside / found.arc : (distances(0) <= region.radius() ? 1 : 0);
  return found;
}

}  // namespace pullback
