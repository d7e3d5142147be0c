// The judge must flag what is false, and pass what is right.
#include "tests/hunt/judge.h"

#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cmath>

#include "tests/hunt/descent.h"
#include "tests/hunt/make.h"
#include "tests/hunt/path.h"

namespace pullback::hunt {
namespace {

// Lengths by the judge agree with closed forms to this: quadrature aims at 1e-15, closed forms are in extended
// precision.
constexpr Real kExact = 1e-14L;

struct SphereMap {
  template <class T>
  void operator()(const T* z, T* x) const {
    x[0] = sin(z[0]) * cos(z[1]);
    x[1] = sin(z[0]) * sin(z[1]);
    x[2] = cos(z[0]);
  }
};
struct CircleMap {
  template <class T>
  void operator()(const T* z, T* x) const {
    x[0] = cos(z[0]);
    x[1] = sin(z[0]);
  }
};
struct FoldMap {
  template <class T>
  void operator()(const T* z, T* x) const {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = 3.0 * max(z[0], 0.0);
  }
};
struct StepMap {
  template <class T>
  void operator()(const T* z, T* x) const {
    x[0] = z[0];
    x[1] = z[0] > T(0.0) ? T(0.5) : T(0.0);
    x[2] = z[1];
  }
};
struct HalfPlaneMetric {
  template <class T>
  void operator()(const T* z, T* M) const {
    M[0] = M[3] = 1.0 / (z[1] * z[1]);
    M[1] = M[2] = 0.0;
  }
};

const Truth& sphere() {
  static const MapTruth<SphereMap> truth(2, 3, {}, {});
  return truth;
}

GeodesicResult claim(Curve curve, double length, double error) {
  GeodesicResult out;
  out.curve = std::move(curve);
  out.termination = Termination::kConverged;
  out.certificate.length = length;
  out.certificate.length_error = error;
  return out;
}

// The great circle through two points of the polar chart, by quintic pieces through exact nodes.
Curve great_circle(const Vector& from, const Vector& to, int pieces) {
  const auto embed = [](const Vector& z) {
    return Eigen::Vector3d(std::sin(z(0)) * std::cos(z(1)), std::sin(z(0)) * std::sin(z(1)), std::cos(z(0)));
  };
  const Eigen::Vector3d a = embed(from);
  Eigen::Vector3d b = embed(to);
  const double angle = std::atan2(a.cross(b).norm(), a.dot(b));
  b = (b - a * a.dot(b)).normalized();
  const Vector t = uniform_times(pieces + 1);
  Matrix Z(2, pieces + 1);
  Matrix V(2, pieces + 1);
  Matrix A(2, pieces + 1);
  for (int i = 0; i <= pieces; ++i) {
    const Eigen::Vector3d x = a * std::cos(angle * t(i)) + b * std::sin(angle * t(i));
    const Eigen::Vector3d v = angle * (b * std::cos(angle * t(i)) - a * std::sin(angle * t(i)));
    const double s = std::hypot(x(0), x(1));
    Z.col(i) << std::atan2(s, x(2)), std::atan2(x(1), x(0));
    V.col(i) << -v(2) / s, (x(0) * v(1) - x(1) * v(0)) / (s * s);
    const double theta = Z(0, i);
    A.col(i) << std::sin(theta) * std::cos(theta) * V(1, i) * V(1, i), -2 / std::tan(theta) * V(0, i) * V(1, i);
  }
  Z.col(0) = from;
  Z.col(pieces) = to;
  return {t, Z, V, A};
}

TEST(Path, IsTheInterpolantOfTheLibrary) {
  const Curve quintic = great_circle(point(1, 0), point(2, 2), 7);
  const Curve cubic(quintic.times(), quintic.positions(), quintic.velocities());
  const Vector t = uniform_times(50);
  for (const Curve& curve : {quintic, cubic}) {
    const Path path(curve);
    const Matrix Z = curve.position(t);
    const Matrix V = curve.velocity(t);
    for (Eigen::Index i = 0; i < t.size(); ++i) {
      Real z[2];
      Real v[2];
      path.at(t(i), z, v);
      for (int k = 0; k < 2; ++k) {
        EXPECT_NEAR(static_cast<double>(z[k]), Z(k, i), 1e-14);
        EXPECT_NEAR(static_cast<double>(v[k]), V(k, i), 1e-13);
      }
    }
  }
}

TEST(Path, MeasuresClosedForms) {
  // A circle of latitude, a thousand turns of a circle, and a ray of the half-plane.
  const Arc latitude = measure_path(sphere(), Path(Curve::straight(point(1, 0), point(1, 3))));
  EXPECT_NEAR(static_cast<double>(latitude.length / (3 * std::sin(1.0L)) - 1), 0, kExact);
  const MapTruth<CircleMap> circle(1, 2, {}, {});
  const Arc turns = measure_path(circle, Path(Curve::straight(Vector::Zero(1), Vector::Constant(1, 6433.0))));
  EXPECT_NEAR(static_cast<double>(turns.length / 6433 - 1), 0, kExact);
  const MetricTruth<HalfPlaneMetric> half_plane(2, {}, {});
  const Arc ray = measure_path(half_plane, Path(Curve::straight(point(0, 1), point(0, 1e-6))));
  EXPECT_NEAR(static_cast<double>(ray.length / -std::log(static_cast<Real>(1e-6)) - 1), 0, kExact);
  EXPECT_LE(ray.error, 1e-13L * ray.length);
}

TEST(Path, FindsAKinkAndAJump) {
  const MapTruth<FoldMap> fold(2, 3, {}, {.smooth = false});
  const Arc over = measure_path(fold, Path(Curve::straight(point(-1, 0), point(1, 2))));
  const Real expected = std::sqrt(2.0L) + std::sqrt(11.0L);
  EXPECT_NEAR(static_cast<double>(over.length / expected - 1), 0, 1e-12);
  EXPECT_EQ(over.jumps, 0);
  const MapTruth<StepMap> step(2, 3, {}, {.smooth = false});
  const Arc across = measure_path(step, Path(Curve::straight(point(-1, 0), point(1, 0))));
  EXPECT_NEAR(static_cast<double>(across.jumps), 0.5, 1e-6);
}

// The outermost node of a panel is 0.0021 of its width from the end.
TEST(Path, FindsAKinkBesideAnEnd) {
  ArcLimits limits;
  limits.kinks = true;
  for (const Real place : {1e-3L, 1e-5L, 1e-8L}) {
    const auto speed = [&](Real t) { return t < place || t > 1 - place ? 3.0L : 1.0L; };
    const Arc arc = integrate(speed, {0, 1}, limits);
    EXPECT_NEAR(static_cast<double>(arc.length - (1 + 4 * place)), 0, 2e-10);
  }
}

TEST(Judge, PassesGreatCircles) {
  for (const double dphi : {0.5, 2.0, 3.0, 3.14}) {
    const Vector from = point(1.1, 0);
    const Vector to = point(1.9, dphi);
    const Known known = sphere_known(from(0), to(0), to(1));
    const double length = static_cast<double>(*known.infimum);
    const Curve curve = great_circle(from, to, 1024);  // of which the last nearly meets the pole
    for (const Known& what : {known, Known{}}) {
      const Verdict v = judge_result(sphere(), what, from, to, claim(curve, length, 1e-9));
      EXPECT_EQ(v.falsehood, Falsehood::kNone) << v.why;
      EXPECT_LE(v.bar_ratio, 1);
      EXPECT_TRUE(v.measured && v.joins);
    }
  }
}

TEST(Judge, FlagsAChordThatJumpsAPeriod) {
  const MapTruth<CircleMap> circle(1, 2, {}, {});
  const Vector from = Vector::Zero(1);
  const Vector to = Vector::Constant(1, 6433.0);
  const Verdict wrong = judge_result(circle, only(6433), from, to, claim(Curve::straight(from, to), 10074.57, 9230));
  EXPECT_EQ(wrong.falsehood, Falsehood::kLength);
  const Verdict right = judge_result(circle, only(6433), from, to, claim(Curve::straight(from, to), 6433, 1e-9));
  EXPECT_EQ(right.falsehood, Falsehood::kNone) << right.why;
}

TEST(Judge, FlagsABarThatIsTooSmall) {
  const Vector from = point(1.1, 0);
  const Vector to = point(1.9, 2);
  const double length = static_cast<double>(*sphere_known(from(0), to(0), to(1)).infimum);
  const GeodesicResult result = claim(great_circle(from, to, 256), length * (1 + 1e-8), 1e-9);
  const Verdict v = judge_result(sphere(), {}, from, to, result);
  EXPECT_EQ(v.falsehood, Falsehood::kNone);
  EXPECT_NEAR(v.bar_ratio, length * 10, 0.5);
}

TEST(Judge, FlagsWhatIsNotAGeodesic) {
  const Vector from = point(1, 0);
  const Vector to = point(1, 2);
  const double along = 2 * std::sin(1.0);  // the circle of latitude
  const Curve straight = Curve::straight(from, to);
  const Known known = sphere_known(1, 1, 2);
  EXPECT_EQ(judge_result(sphere(), known, from, to, claim(straight, along, 1e-9)).falsehood, Falsehood::kNotTheLength);
  EXPECT_EQ(judge_result(sphere(), {}, from, to, claim(straight, along, 1e-9)).falsehood, Falsehood::kShortened);
}

// A great circle with a hat or a wave on it that lengthens it by 3e-6, as wide or as narrow as may be.
TEST(Judge, FlagsADentAtEveryScale) {
  const Vector from = point(1.2, 0);
  const Vector to = point(1.7, 2);
  for (const int waves : {1, 3, 10, 30}) {
    const Curve curve = great_circle(from, to, 256);
    const double length = static_cast<double>(*sphere_known(from(0), to(0), to(1)).infimum);
    const double k = waves * M_PI;
    const double height = length * std::sqrt(4 * 3e-6) / k;  // ½ (height k/L)² / 2 = 3e-6
    Matrix Z = curve.positions();
    Matrix V = curve.velocities();
    Matrix A = curve.accelerations();
    for (Eigen::Index i = 0; i < Z.cols(); ++i) {
      const double t = curve.times()(i);
      Z(0, i) += height * std::sin(k * t);
      V(0, i) += height * k * std::cos(k * t);
      A(0, i) -= height * k * k * std::sin(k * t);
    }
    Z.col(0) = from;
    Z.rightCols(1) = to;
    const Curve dented(curve.times(), Z, V, A);
    const double reported = static_cast<double>(measure_path(sphere(), Path(dented)).length);
    const Verdict v = judge_result(sphere(), {}, from, to, claim(dented, reported, 1e-9));
    EXPECT_EQ(v.falsehood, Falsehood::kShortened) << waves << " waves: gain " << static_cast<double>(v.gain);
  }
}

TEST(Judge, FlagsASaddle) {
  // The equator the long way round: stationary, with a conjugate point after half a turn.
  const Vector from = point(M_PI / 2, 0);
  const Vector to = point(M_PI / 2, 4);
  const Verdict v = judge_result(sphere(), {}, from, to, claim(Curve::straight(from, to), 4, 1e-9));
  EXPECT_EQ(v.falsehood, Falsehood::kSaddle) << v.why;
  EXPECT_EQ(judge_result(sphere(), sphere_known(from(0), to(0), 4), from, to, claim(Curve::straight(from, to), 4, 1e-9))
                .falsehood,
            Falsehood::kNoGeodesic);
}

TEST(Judge, FlagsAFoldCrossedStraight) {
  const MapTruth<FoldMap> fold(2, 3, {}, {.smooth = false});
  const Vector from = point(-1, 0);
  const Vector to = point(1, 2);
  const double straight = std::sqrt(2.0) + std::sqrt(11.0);
  const Verdict v = judge_result(fold, {}, from, to, claim(Curve::straight(from, to), straight, 1e-9));
  EXPECT_EQ(v.falsehood, Falsehood::kShortened);
  EXPECT_GT(v.gain, 1e-3L);  // of 2.4 %: the search ends when it has shown enough
}

TEST(Judge, FlagsMissedEndsAndShorterCurvesThatAreNot) {
  const Vector from = point(1.1, 0);
  const Vector to = point(1.9, 2);
  const Known known = sphere_known(from(0), to(0), to(1));
  const double length = static_cast<double>(*known.infimum);
  const Curve curve = great_circle(from, to, 256);
  EXPECT_EQ(judge_result(sphere(), known, from, to + point(1e-4, 0), claim(curve, length, 1e-9)).falsehood,
            Falsehood::kEnds);
  GeodesicResult result = claim(curve, length, 1e-9);
  result.certificate.shorter_known = length * (1 - 1e-6);
  EXPECT_EQ(judge_result(sphere(), known, from, to, result).falsehood, Falsehood::kShorterKnown);
}

TEST(Judge, FlagsAJump) {
  const MapTruth<StepMap> step(2, 3, {}, {.smooth = false});
  const Vector from = point(-1, 0);
  const Vector to = point(1, 0);
  EXPECT_EQ(judge_result(step, {}, from, to, claim(Curve::straight(from, to), 2, 1e-9)).falsehood, Falsehood::kJump);
}

}  // namespace
}  // namespace pullback::hunt
