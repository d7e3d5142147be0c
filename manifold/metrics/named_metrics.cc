#include "pullback/manifold/metrics/named_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/metrics/metric_functor.h"

namespace pullback {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// A frame of n² numbers has n³ first derivatives.
constexpr int kMostDimensions = 64;

template <class T>
T where(bool inside, const T& value) {
  return inside ? value : T(kNan);
}

// 1/y on the diagonal.
struct HalfSpace {
  template <class Point, class Frame>
  void operator()(const Point& z, Frame& W) const {
    const auto& y = z(z.size() - 1);
    W.diagonal().setConstant(where(y > 0, 1.0 / y));
  }
};

// 1 − |z|², NaN outside of the ball.
template <class Point>
auto inside_of_ball(const Point& z) {
  typename Point::Scalar rest(1.0);
  for (Eigen::Index i = 0; i < z.size(); ++i) rest -= z(i) * z(i);
  return where(rest > 0, rest);
}

struct PoincareBall {
  template <class Point, class Frame>
  void operator()(const Point& z, Frame& W) const {
    W.diagonal().setConstant(2.0 / inside_of_ball(z));
  }
};

struct KleinBall {
  template <class Point, class Frame>
  void operator()(const Point& z, Frame& W) const {
    const auto rest = inside_of_ball(z);
    const auto root = sqrt(rest);
    const Eigen::Index n = z.size();
    for (Eigen::Index i = 0; i < n; ++i) {
      W(i, i) = 1.0 / root;
      W(n, i) = z(i) / rest;
    }
  }
};

struct NormalDistributions {
  template <class Point, class Frame>
  void operator()(const Point& z, Frame& W) const {
    const auto& sigma = z(1);
    W(0, 0) = where(sigma > 0, 1.0 / sigma);
    W(1, 1) = W(0, 0) * std::sqrt(2.0);
  }
};

struct CategoricalDistributions {
  template <class Point, class Frame>
  void operator()(const Point& p, Frame& W) const {
    typename Point::Scalar last(1.0);
    const Eigen::Index n = p.size();
    for (Eigen::Index i = 0; i < n; ++i) last -= p(i);
    for (Eigen::Index i = 0; i < n; ++i) {
      W(i, i) = 1.0 / sqrt(where(p(i) > 0, p(i)));
      W(n, i) = 1.0 / sqrt(where(last > 0, last));
    }
  }
};

std::shared_ptr<const Manifold> make(const std::string& kind, const std::string& name, int n) {
  if (kind.starts_with("half-")) return make_frame_metric(n, n, name, HalfSpace());
  if (kind.starts_with("poincare-")) return make_frame_metric(n, n, name, PoincareBall());
  if (kind.starts_with("klein-")) return make_frame_metric(n + 1, n, name, KleinBall());
  if (kind == "fisher-normal") return make_frame_metric(n, n, name, NormalDistributions());
  return make_frame_metric(n + 1, n, name, CategoricalDistributions());
}

int parse_dimension(const NamedMetric& metric, std::string_view arguments) {
  constexpr std::string_view kKey = "n=";
  if (!metric.any_dimension) {
    throw std::invalid_argument(fmt::format("metric '{}' has no parameters, got '{}'", metric.name, arguments));
  }
  const int least = metric.name == "half-space" ? 2 : 1;
  int n = 0;
  if (arguments.starts_with(kKey)) {
    const std::string_view number = arguments.substr(kKey.size());
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), n);
    if (error == std::errc() && end == number.data() + number.size() && n >= least && n <= kMostDimensions) return n;
  }
  throw std::invalid_argument(fmt::format("metric '{}': expected '{}:n=N' with N from {} to {}, got '{}'", metric.name,
                                          metric.name, least, kMostDimensions, arguments));
}

}  // namespace

const std::vector<NamedMetric>& named_metrics() {
  static const std::vector<NamedMetric> metrics{
      {"fisher-categorical", "Fisher-Rao metric of distributions over n+1 outcomes: n probabilities", 2, true},
      {"fisher-normal", "Fisher-Rao metric of normal distributions: mean, standard deviation", 2, false},
      {"half-plane", "hyperbolic half-plane, the metric I/y^2 given directly", 2, false},
      {"half-space", "hyperbolic half-space of dimension n, I/y^2 with y the last coordinate", 3, true},
      {"klein-ball", "hyperbolic space in the unit ball, geodesics straight", 3, true},
      {"klein-disc", "hyperbolic plane in the unit disc, geodesics straight", 2, false},
      {"poincare-ball", "hyperbolic space in the unit ball, angles kept", 3, true},
      {"poincare-disc", "hyperbolic plane in the unit disc, angles kept", 2, false}};
  return metrics;
}

std::shared_ptr<const Manifold> open_named_metric(std::string_view specification) {
  const std::size_t colon = specification.find(':');
  const std::string_view name = specification.substr(0, colon);
  const auto found = std::ranges::find(named_metrics(), name, &NamedMetric::name);
  if (found == named_metrics().end()) return nullptr;
  const int n =
      colon == std::string_view::npos ? found->dimension : parse_dimension(*found, specification.substr(colon + 1));
  return make(found->name, std::string(specification), n);
}

std::shared_ptr<const Manifold> half_plane() { return open_named_metric("half-plane"); }

}  // namespace pullback
