// The maps of the study `conditioning` and their charts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "pullback/analysis/studies/conditioning.h"
#include "pullback/base/random.h"
#include "pullback/generators/surfaces/curved_maps.h"
#include "pullback/spaces/charts.h"
#include "pullback/spaces/named_transforms.h"

namespace pullback {

namespace {

struct Family {
  const char* name;
  const char* title;
  const char* map;    // "{d}" is the dimension, "{seed}" the seed; without "{d}" the map has its own dimension
  const char* chart;  // of charts.h; null: the map is the valley, which has a chart of its own
};

constexpr Family kFamilies[] = {
    {"sphere", "Sphere, rotated chart", "sphere-stereographic:d={d}", "rotated"},
    {"network", "Random network, squeezed chart", "random-network:d={d},seed={seed}", "squeezed"},
    {"hill", "Hill, sheared chart", "hill:d={d}", "sheared"},
    {"valley", "Hill, chart ill-conditioned only in its middle", "valley:d={d}", nullptr},
    {"mnist-vae", "MNIST VAE, rotated chart", "mnist-vae", "rotated"},
    {"mnist-dae", "MNIST DAE, rotated chart", "mnist-dae", "rotated"},
    {"mnist-gan", "MNIST GAN, rotated chart", "mnist-gan", "rotated"},
};

std::string replaced(std::string text, const std::string& mark, const std::string& by) {
  if (const auto at = text.find(mark); at != std::string::npos) text.replace(at, mark.size(), by);
  return text;
}

bool has_own_dimension(const Family& family) { return std::string_view(family.map).find("{d}") == std::string::npos; }

std::string map_name(const Family& family, int dimension, std::uint64_t seed) {
  return replaced(replaced(family.map, "{d}", fmt::format("{}", dimension)), "{seed}", fmt::format("{}", seed));
}

// Coordinates are of this size over √d, so that points are about as far from the origin in every dimension.
constexpr double kHalfWidth = 2;

std::vector<StudyPair> box_pairs(int dimension, int count, Random& random) {
  const auto draw = [&] {
    const double half = kHalfWidth / std::sqrt(static_cast<double>(dimension));
    Vector point(dimension);
    for (double& coordinate : point) coordinate = random.uniform(-half, half);
    return point;
  };
  std::vector<StudyPair> pairs;
  for (int i = 0; i < count; ++i) {
    const Vector from = draw();
    pairs.push_back({fmt::format("{}", i + 1), "box", from, draw(), {}, {}});
  }
  return pairs;
}

// Pairs in base coordinates: of codes where the map has them, on the two sides of a valley, in a box otherwise.
std::vector<StudyPair> base_pairs(const Family& family, const OpenedSpace& base, const ConditioningSettings& settings) {
  const int dimension = base.dimension();
  const int count = dimension < kFewerPairsFrom ? settings.pairs : std::max(1, settings.pairs / 4);
  if (base.codes.cols() > 1) {
    auto pairs = choose_pairs(base, count, settings.seed, {-1, 1});
    pairs.resize(static_cast<std::size_t>(count));  // the two sevens are the first of them
    return pairs;
  }
  Random random(settings.seed);
  auto pairs = box_pairs(dimension, count, random);
  if (family.chart == nullptr) {
    constexpr double kNearest = 0.6;
    constexpr double kFarthest = 1.2;
    for (StudyPair& pair : pairs) {
      pair.from(0) = -random.uniform(kNearest, kFarthest);
      pair.to(0) = random.uniform(kNearest, kFarthest);
    }
  }
  return pairs;
}

// A curve in a valley's chart as one in base coordinates: positions and velocities are exact at the nodes of a grid
// four times as fine as the curve's own.
Curve valley_curve(const Curve& curve, double kappa) {
  constexpr int kPerPiece = 4;
  Vector t(curve.pieces() * kPerPiece + 1);
  for (int i = 0; i < curve.pieces(); ++i) {
    const double step = (curve.times()(i + 1) - curve.times()(i)) / kPerPiece;
    for (int j = 0; j < kPerPiece; ++j) t(kPerPiece * i + j) = curve.times()(i) + j * step;
  }
  t(t.size() - 1) = 1;
  const Matrix points = curve.position(t);
  return {t, valley_to_base(points, kappa), valley_push(points, curve.velocity(t), kappa)};
}

ConditionedSpace in_linear_chart(const Family& family, const OpenedSpace& base, const std::vector<StudyPair>& pairs,
                                 double kappa, std::uint64_t seed) {
  const std::string text = fmt::format("kappa={},chart={},seed={}", kappa, family.chart, seed);
  const Chart chart = parse_chart(base.dimension(), text);
  ConditionedSpace out{kappa, apply_transforms(base, {text}), pairs, {}};
  for (StudyPair& pair : out.pairs) {
    pair.from = chart.inverse * pair.from;
    pair.to = chart.inverse * pair.to;
  }
  out.to_base = [A = chart.matrix](const Curve& curve) { return curve.transformed(A, Vector::Zero(A.rows())); };
  return out;
}

ConditionedSpace in_valley(Opener& opener, int dimension, const std::vector<StudyPair>& pairs, double kappa) {
  ConditionedSpace out{kappa, opener.open(fmt::format("valley:d={},kappa={}", dimension, kappa)), pairs, {}};
  for (StudyPair& pair : out.pairs) {
    pair.from = valley_from_base(pair.from, kappa);
    pair.to = valley_from_base(pair.to, kappa);
  }
  out.to_base = [kappa](const Curve& curve) { return valley_curve(curve, kappa); };
  return out;
}

ConditioningPanel make_panel(Opener& opener, const Family& family, const std::string& map,
                             const ConditioningSettings& settings) {
  const OpenedSpace base = opener.open(family.chart == nullptr ? map + ",kappa=1" : map);
  const std::vector<StudyPair> pairs = base_pairs(family, base, settings);
  ConditioningPanel panel{family.name, family.title, base.dimension(), base.manifold, {}};
  for (const double kappa : settings.kappas) {
    panel.spaces.push_back(family.chart == nullptr ? in_valley(opener, base.dimension(), pairs, kappa)
                                                   : in_linear_chart(family, base, pairs, kappa, settings.seed));
  }
  return panel;
}

const Family& find_family(const std::string& name) {
  for (const Family& family : kFamilies) {
    if (name == family.name) return family;
  }
  throw std::invalid_argument(
      fmt::format("unknown family \"{:.40}\", expected one of {}", name, fmt::join(conditioning_families(), ", ")));
}

}  // namespace

std::vector<std::string> conditioning_families() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  return names;
}

std::vector<ConditioningPanel> make_conditioning_panels(Opener& opener, const ConditioningSettings& settings) {
  std::vector<ConditioningPanel> panels;
  for (const std::string& name : settings.families) {
    const Family& family = find_family(name);
    if (has_own_dimension(family)) {
      const int dimension = opener.open(family.map).dimension();
      if (std::ranges::find(settings.dimensions, dimension) == settings.dimensions.end()) continue;
      panels.push_back(make_panel(opener, family, family.map, settings));
      continue;
    }
    for (const int dimension : settings.dimensions) {
      panels.push_back(make_panel(opener, family, map_name(family, dimension, settings.seed), settings));
    }
  }
  if (panels.empty()) throw std::invalid_argument("none of the families has one of the dimensions");
  return panels;
}

}  // namespace pullback
