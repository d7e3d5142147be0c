#include "pullback/manifold/curves/straight_line.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace pullback {
namespace {

constexpr int kPieces = 512;
constexpr std::size_t kMostChords = 8192;
// Speeds along the line that differ by more than this factor.
constexpr double kManyScales = 1e3;
// No chord is longer than this many pieces.
constexpr double kLongestChord = 0.25;

bool changes_scale(const Manifold& manifold, const Curve& line, const Vector& step, Workspace& ws) {
  const Vector t = uniform_times(5);
  Matrix image(manifold.frame_dimension(), t.size());
  manifold.push_forward(line.position(t), step.replicate(1, t.size()), image, ws);
  double slowest = std::numeric_limits<double>::infinity();
  double fastest = 0;
  for (Eigen::Index k = 0; k < t.size(); ++k) {
    const double speed = image.col(k).stableNorm();
    slowest = std::min(slowest, speed);
    fastest = std::max(fastest, speed);
  }
  return std::isfinite(fastest) && fastest > kManyScales * slowest;
}

// Points of a line and the chords between them.
struct Subdivision {
  std::vector<Vector> points;
  std::vector<double> chords;

  double length() const { return std::accumulate(chords.begin(), chords.end(), 0.0); }
};

// Halves every chord that is longer than `longest` and whose middle is another point. Returns whether there is one.
bool halve(const Manifold& manifold, double longest, Subdivision& line, Workspace& ws) {
  Subdivision out;
  for (std::size_t i = 0; i < line.chords.size(); ++i) {
    const Vector& a = line.points[i];
    const Vector& b = line.points[i + 1];
    out.points.push_back(a);
    const Vector middle = 0.5 * a + 0.5 * b;
    if (line.chords[i] <= longest || middle == a || middle == b) {
      out.chords.push_back(line.chords[i]);
      continue;
    }
    Matrix Z(a.size(), 3);
    Z << a, middle, b;
    Vector d(2);
    manifold.chords(Z, d, ws);
    out.points.push_back(middle);
    out.chords.insert(out.chords.end(), {d(0), d(1)});
  }
  out.points.push_back(line.points.back());
  const bool halved = out.chords.size() > line.chords.size();
  line = std::move(out);
  return halved;
}

Matrix equal_distances(const Subdivision& line) {
  const auto count = static_cast<Eigen::Index>(line.points.size());
  Matrix points(line.points[0].size(), count);
  for (Eigen::Index i = 0; i < count; ++i) points.col(i) = line.points[static_cast<std::size_t>(i)];
  return at_equal_distances(points, Eigen::Map<const Vector>(line.chords.data(), count - 1), kPieces);
}

}  // namespace

Curve straight_line(const Manifold& manifold, const ConstVectorRef& a, const ConstVectorRef& b, Workspace& ws) {
  const Curve straight = Curve::straight(a, b);
  if (!changes_scale(manifold, straight, b - a, ws)) return straight;
  Subdivision line{{a, b}, {0}};
  Matrix ends(a.size(), 2);
  ends << a, b;
  Vector d(1);
  manifold.chords(ends, d, ws);
  line.chords[0] = d(0);
  for (bool more = true; more && line.chords.size() < kMostChords;) {
    // Squares of chords that are too long overflow.
    const double length = std::min(line.length(), std::numeric_limits<double>::max());
    more = halve(manifold, kLongestChord * length / kPieces, line, ws);
  }
  const double length = line.length();
  return length > 0 && std::isfinite(length) ? Curve::through(equal_distances(line)) : straight;
}

}  // namespace pullback
