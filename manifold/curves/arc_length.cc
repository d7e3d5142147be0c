#include "pullback/manifold/curves/arc_length.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "pullback/base/random.h"

namespace pullback {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr std::size_t kArcsAtOnce = 64;
// The chords of the nine points of an arc: eight, back four, forth two.
constexpr std::array<Manifold::Pair, 14> kSteps{
    {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {7, 8}, {8, 6}, {6, 4}, {4, 2}, {2, 0}, {0, 4}, {4, 8}}};
constexpr std::array<double, 3> kGaussNodes{-0.774596669241483377, 0, 0.774596669241483377};
constexpr std::array<double, 3> kGaussWeights{5.0 / 9, 8.0 / 9, 5.0 / 9};
constexpr double kGaussSquared = 0.6;  // of the outer nodes
// An arc is split while its defect is above its share of the tolerance.
constexpr double kShares = 64;
// No arc is split into parts shorter than this in t: one that contradicts itself there has a step.
constexpr double kShortest = 1e-13;
// Defects that are this small a fraction of the length and do not halve when many arcs are split are noise.
constexpr double kNoise = 1e-3;
constexpr std::size_t kManyArcs = 256;
// The longest of parts that are alike beside the shortest, in t.
constexpr double kAlike = 1.01;
// Speeds at the Gauss points that differ by more than this factor, or a way between two that the metric at one of them
// takes for this many times the arc's length, are not resolved.
constexpr double kSpeedRatio = 8;
constexpr double kWayRatio = 3;
// What an evaluation of f may be off by, in units of rounding of ‖f‖.
constexpr double kValueRounding = 8;

struct Refined {
  double value;
  double error;
};

// Three values of a sum with spacings 4h, 2h, h and an error series in h²: Romberg where they behave like that, else
// the finest one, for arcs over kinks and steps.
Refined extrapolate(double coarse, double middle, double fine) {
  const double first = middle - coarse;
  const double second = fine - middle;
  const double rounding = 1e-14 * std::abs(fine);
  const bool regular = std::abs(first) <= rounding || (second / first > 0.15 && second / first < 0.4);
  if (!regular) return {fine, std::abs(second) + rounding};
  const double once_coarse = middle + first / 3;
  const double once_fine = fine + second / 3;
  const double change = once_fine - once_coarse;
  return {once_fine + change / 15, std::abs(change) / 5};
}

// Measures arcs whose ends are set.
class ArcMeter {
 public:
  ArcMeter(const Manifold& manifold, const Curve& curve, Workspace& ws)
      : manifold_(manifold),
        curve_(curve),
        ws_(ws),
        ambient_size_(ambient_size()),
        speeds_(manifold.smooth() ? 3 : 5) {}

  double rounding_at_ends() const { return kValueRounding * kEpsilon * ambient_size_; }

  void measure(Arc* arcs, std::size_t count) {
    for (std::size_t first = 0; first < count; first += kArcsAtOnce) {
      const std::size_t part = std::min(kArcsAtOnce, count - first);
      measure_chords(arcs + first, part);
      measure_speeds(arcs + first, part);
    }
  }

 private:
  // The size of what is subtracted when a chord is made: max ‖f‖ at a few points.
  double ambient_size() {
    const Generator* f = manifold_.generator();
    if (f == nullptr) return 0;
    const Matrix Z = curve_.position(uniform_times(5));
    Matrix X(f->ambient_dimension(), Z.cols());
    f->value(Z, X, ws_);
    double size = 0;
    for (Eigen::Index k = 0; k < X.cols(); ++k) size = std::max(size, X.col(k).stableNorm());
    return size;
  }

  // Nine points an arc, of which arcs that meet share one.
  void measure_chords(Arc* arcs, std::size_t count) {
    std::vector<double> times;
    std::vector<Manifold::Pair> pairs;
    times.reserve(9 * count);
    pairs.reserve(kSteps.size() * count);
    for (std::size_t a = 0; a < count; ++a) {
      if (times.empty() || times.back() != arcs[a].from) times.push_back(arcs[a].from);
      const auto first = static_cast<Eigen::Index>(times.size()) - 1;
      for (int i = 1; i < 8; ++i) times.push_back(arcs[a].from + i / 8.0 * (arcs[a].to - arcs[a].from));
      times.push_back(arcs[a].to);
      for (const auto& [from, to] : kSteps) pairs.push_back({first + from, first + to});
    }
    Vector d(static_cast<Eigen::Index>(pairs.size()));
    const Eigen::Map<const Vector> t(times.data(), static_cast<Eigen::Index>(times.size()));
    manifold_.chords_between(curve_.position(t), pairs, d, ws_);
    for (std::size_t a = 0; a < count; ++a) add_chords(d.data() + kSteps.size() * a, arcs[a]);
  }

  // chord: 8 of an eighth each, 4 of a quarter, 2 of a half.
  static void add_chords(const double* chord, Arc& arc) {
    std::array<double, 3> length{};
    std::array<double, 3> energy{};
    std::copy_n(chord, arc.finest.size(), arc.finest.begin());
    int next = 0;
    for (int level = 2; level >= 0; --level) {
      const int parts = 2 << level;
      for (int i = 0; i < parts; ++i, ++next) {
        length[static_cast<std::size_t>(level)] += chord[next];
        energy[static_cast<std::size_t>(level)] += 0.5 * chord[next] * (chord[next] / (arc.to - arc.from)) * parts;
      }
    }
    const Refined refined = extrapolate(length[0], length[1], length[2]);
    arc.chords = refined.value;
    arc.chords_error = refined.error;
    arc.energy = extrapolate(energy[0], energy[1], energy[2]).value;
    // The four chords over two of the eight each come from the last to the first.
    arc.turning = 0;
    for (int i = 0; i < 4; ++i) {
      const double way = chord[2 * i] + chord[2 * i + 1];
      if (way > 0) arc.turning = std::max(arc.turning, 4 * std::acos(std::clamp(chord[11 - i] / way, 0.0, 1.0)) / way);
    }
  }

  // At the Gauss points of each arc and, where the map has kinks, at both ends after them.
  void measure_speeds(Arc* arcs, std::size_t count) {
    const auto points = speeds_ * static_cast<Eigen::Index>(count);
    Vector t(points);
    for (std::size_t a = 0; a < count; ++a) {
      const double middle = 0.5 * (arcs[a].from + arcs[a].to);
      const double half = 0.5 * (arcs[a].to - arcs[a].from);
      double* time = t.data() + speeds_ * static_cast<Eigen::Index>(a);
      for (std::size_t g = 0; g < 3; ++g) time[g] = middle + kGaussNodes[g] * half;
      if (speeds_ == 5) {
        time[3] = arcs[a].from;
        time[4] = arcs[a].to;
      }
    }
    const Eigen::Index n = manifold_.dimension();
    const Matrix Z = curve_.position(t);
    const Matrix V = curve_.velocity(t);
    const Speeds speeds = manifold_.prefers_products() ? by_products(Z, V) : by_factors(Z, V);
    for (std::size_t a = 0; a < count; ++a) {
      const Eigen::Index first = speeds_ * static_cast<Eigen::Index>(a);
      add_speeds(first, speeds, arcs[a]);
      if (speeds.factors.size() > 0) arcs[a].factor = speeds.factors.middleCols(n * (first + 1), n);
      if (speeds_ == 5) arcs[a].hidden = std::max(arcs[a].hidden, length_behind_kinks(first, speeds.speed, arcs[a]));
    }
  }

  // What the metric at the points of a batch of arcs, Z, says of vectors there.
  struct Speeds {
    Vector speed;      // |ċ|
    Vector magnitude;  // as |R||ċ|: what rounding of the parts of ċ may add up to
    Vector size;       // as |R||z|
    Matrix way;      // for each arc the ways from the first to the second Gauss point, at both, and to the third: 4×K
    Matrix factors;  // R, n×nK; empty where they were not needed
  };

  Speeds by_factors(const Matrix& Z, const Matrix& V) const {
    const Eigen::Index n = Z.rows();
    Matrix R(n, n * Z.cols());
    manifold_.factor(Z, R, ws_);
    Speeds out = empty_speeds(Z.cols());
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const auto block = R.middleCols(n * k, n);
      out.speed(k) = (block * V.col(k)).stableNorm();
      out.magnitude(k) = (block.cwiseAbs() * V.col(k).cwiseAbs()).stableNorm();
      out.size(k) = (block.cwiseAbs() * Z.col(k).cwiseAbs()).stableNorm();
    }
    for_each_way(
        [&](Eigen::Index arc, Eigen::Index row, Eigen::Index from, Eigen::Index at) {
          out.way(row, arc) = (R.middleCols(n * at, n) * (Z.col(from + 1) - Z.col(from))).stableNorm();
        },
        Z.cols());
    out.factors = std::move(R);
    return out;
  }

  // |R||v| is at most √n times what R makes of v with random signs, in the mean.
  Speeds by_products(const Matrix& Z, const Matrix& V) const {
    const Eigen::Index n = Z.rows();
    Speeds out = empty_speeds(Z.cols());
    Random random(1);
    const Vector signs = random.normal_matrix(n, 1).cwiseSign();
    const double root = std::sqrt(static_cast<double>(n));
    out.speed = norms(Z, V);
    out.magnitude = root * norms(Z, signs.asDiagonal() * V);
    out.size = root * norms(Z, signs.asDiagonal() * Z);
    Matrix at(n, out.way.size());
    Matrix way(n, out.way.size());
    for_each_way(
        [&](Eigen::Index arc, Eigen::Index row, Eigen::Index from, Eigen::Index place) {
          at.col(4 * arc + row) = Z.col(place);
          way.col(4 * arc + row) = Z.col(from + 1) - Z.col(from);
        },
        Z.cols());
    out.way = norms(at, way).reshaped(4, out.way.cols());
    return out;
  }

  Speeds empty_speeds(Eigen::Index points) const {
    return {Vector(points), Vector(points), Vector(points), Matrix(4, points / speeds_), {}};
  }

  Vector norms(const Matrix& Z, const Matrix& V) const {
    Matrix T(manifold_.frame_dimension(), Z.cols());
    manifold_.push_forward(Z, V, T, ws_);
    return T.colwise().stableNorm().transpose();
  }

  // visit(arc, row, from, at): the way from Gauss point `from` to the next, as the metric at the point `at` sees it.
  template <class Visit>
  void for_each_way(Visit visit, Eigen::Index points) const {
    for (Eigen::Index arc = 0; arc < points / speeds_; ++arc) {
      for (Eigen::Index row = 0; row < 4; ++row) {
        const Eigen::Index from = speeds_ * arc + row / 2;
        visit(arc, row, from, from + row % 2);
      }
    }
  }

  void add_speeds(Eigen::Index first, const Speeds& speeds, Arc& arc) const {
    const double duration = arc.to - arc.from;
    arc.integral = arc.cancellation = 0;
    arc.slowest = std::numeric_limits<double>::infinity();
    arc.fastest = 0;
    double blur = 0;  // how far rounding moves a point of the curve
    for (Eigen::Index g = 0; g < 3; ++g) {
      const double speed = speeds.speed(first + g);
      const double weight = 0.5 * kGaussWeights[static_cast<std::size_t>(g)] * duration;
      arc.integral += weight * speed;
      arc.cancellation += 4 * kEpsilon * weight * speeds.magnitude(first + g);
      arc.slowest = std::min(arc.slowest, speed);
      arc.fastest = speed > arc.fastest || std::isnan(speed) ? speed : arc.fastest;
      blur = std::max(blur, kEpsilon * speeds.size(first + g));
    }
    arc.hidden = hidden_length(speeds.way.col(first / speeds_), arc);
    // Sideways, each of eight chords of length d is longer by blur²/d, as long as that is less than the blur itself.
    blur += kEpsilon * ambient_size_;
    arc.blur = 2 * kValueRounding * blur;
    const double d = arc.chords / 8;
    arc.rounding = kEpsilon * arc.chords + (d > blur ? 8 * blur * (blur / d) : 8 * blur);
  }

  // A kink between an end and the Gauss point next to it is seen by neither length: at that end the speed is not what
  // it is everywhere else. Two second differences of the speed, over the ends and over the outer Gauss points, are
  // equal up to a fourth derivative; by how much they differ, the speed may differ from that end to that Gauss point.
  static double length_behind_kinks(Eigen::Index first, const Vector& speeds, const Arc& arc) {
    const auto speed = speeds.segment(first, 5);
    const double outer = speed(3) - 2 * speed(1) + speed(4);
    const double inner = (speed(0) - 2 * speed(1) + speed(2)) / kGaussSquared;
    return 0.5 * (1 + kGaussNodes[0]) * (arc.to - arc.from) * std::abs(outer - inner);
  }

  // 0 where what the metric at each Gauss point makes of the way to its neighbour is about the arc's length or less.
  static double hidden_length(const ConstVectorRef& ways, const Arc& arc) {
    double longest = arc.fastest > kSpeedRatio * arc.slowest ? arc.fastest * (arc.to - arc.from) : 0;
    for (const double seen : ways) {
      if (seen > kWayRatio * std::max(arc.chords, arc.integral)) longest = std::max(longest, seen);
    }
    return longest;
  }

  const Manifold& manifold_;
  const Curve& curve_;
  Workspace& ws_;
  const double ambient_size_;
  const Eigen::Index speeds_;  // at so many points of an arc
};

bool finite(const Arc& arc) { return std::isfinite(arc.chords) && std::isfinite(arc.integral); }

// Whole pieces, parts of pieces where there are few, several pieces together where there are many.
std::vector<Arc> first_arcs(const Curve& curve, const ArcOptions& options) {
  const int per_piece = (options.least + curve.pieces() - 1) / curve.pieces();
  const int together = (curve.pieces() + options.most_at_first - 1) / options.most_at_first;
  std::vector<Arc> arcs;
  for (int i = 0; i < curve.pieces(); i += together) {
    const double start = curve.times()(i);
    const double end = curve.times()(std::min(i + together, curve.pieces()));
    const double h = (end - start) / per_piece;
    for (int j = 0; j < per_piece; ++j) {
      Arc arc{};
      arc.from = start + j * h;
      arc.to = j + 1 == per_piece ? end : start + (j + 1) * h;
      arcs.push_back(arc);
    }
  }
  return arcs;
}

// Whether an arc needs to be split for this tolerance of the whole length.
bool contradicts(const Arc& arc, double tolerance) {
  const double enough = std::max(tolerance / kShares, arc.uncertainty());
  return finite(arc) && arc.defect() > enough && arc.to - arc.from > 2 * kShortest;
}

// The arcs to be split: those that contradict themselves, the worst where there is no room for all.
std::vector<std::size_t> worst(const std::vector<Arc>& arcs, double tolerance, int most) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < arcs.size(); ++i) {
    if (contradicts(arcs[i], tolerance)) out.push_back(i);
  }
  const auto room = static_cast<std::size_t>(std::max(0, most - static_cast<int>(arcs.size())));
  if (out.size() > room) {
    std::ranges::stable_sort(out, [&](std::size_t a, std::size_t b) { return arcs[a].defect() > arcs[b].defect(); });
    out.resize(room);
    std::ranges::sort(out);
  }
  return out;
}

// Replaces these arcs by their halves, which are measured.
void split(std::vector<Arc>& arcs, const std::vector<std::size_t>& which, ArcMeter& meter) {
  std::vector<Arc> halves;
  for (const std::size_t i : which) {
    Arc half{};
    half.from = arcs[i].from;
    half.to = 0.5 * (arcs[i].from + arcs[i].to);
    halves.push_back(half);
    half.from = half.to;
    half.to = arcs[i].to;
    halves.push_back(half);
  }
  meter.measure(halves.data(), halves.size());
  std::vector<Arc> out;
  out.reserve(arcs.size() + which.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < arcs.size(); ++i) {
    if (next < which.size() && which[next] == i) {
      out.push_back(std::move(halves[2 * next]));
      out.push_back(std::move(halves[2 * next + 1]));
      ++next;
    } else {
      out.push_back(std::move(arcs[i]));
    }
  }
  arcs = std::move(out);
}

}  // namespace

Polyline polyline_of(const std::vector<Arc>& parts) {
  double shortest = 1;
  double longest = 0;
  Polyline out{0, 0};
  for (const Arc& arc : parts) {
    shortest = std::min(shortest, arc.to - arc.from);
    longest = std::max(longest, arc.to - arc.from);
    for (const double chord : arc.finest) out.length += chord;
  }
  out.spacing = longest > kAlike * shortest ? 0 : longest / 8;
  return out;
}

double Arc::defect() const { return std::max({chords_error, std::abs(chords - integral), hidden}); }

double Arc::uncertainty() const { return 4 * (rounding + cancellation) + blur; }

Arcs measure_arcs(const Manifold& manifold, const Curve& curve, Workspace& ws, const ArcOptions& options) {
  ArcMeter meter(manifold, curve, ws);
  std::vector<Arc> arcs = first_arcs(curve, options);
  meter.measure(arcs.data(), arcs.size());
  Arcs out{{}, meter.rounding_at_ends(), polyline_of(arcs)};
  double before = std::numeric_limits<double>::infinity();
  for (bool many = false;;) {
    double length = 0;
    double defect = 0;
    for (const Arc& arc : arcs) {
      length += std::max(arc.chords, arc.integral);
      defect += arc.defect();
    }
    const bool noise = many && defect < kNoise * length && defect > 0.5 * before;
    if (!std::isfinite(length) || noise) break;
    const double tolerance = options.tolerance > 0 ? options.tolerance : options.relative_tolerance * length;
    const std::vector<std::size_t> which = worst(arcs, tolerance, options.most);
    if (which.empty()) break;
    many = which.size() > kManyArcs;
    before = defect;
    split(arcs, which, meter);
  }
  out.parts = std::move(arcs);
  return out;
}

}  // namespace pullback
