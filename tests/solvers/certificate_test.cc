#include "pullback/solvers/certificate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/solvers/verdict.h"
#include "tests/manifold/surface.h"
#include "tests/solvers/stub_solver.h"

namespace pullback {
namespace {

using testing::surface;

Certificate certify(const Manifold& manifold, const Curve& curve) {
  Workspace ws;
  return measure_certificate(manifold, curve, curve.positions().leftCols(1), curve.positions().rightCols(1), ws);
}

// Discretisation error of the second variation of an arc of this length on the unit sphere, by 128 chords: the first
// terms that are left out of π² and of the length's square.
double variation_accuracy(double length) { return (std::pow(M_PI, 4) + std::pow(length, 4)) / (12 * 128 * 128); }

TEST(CertificateTest, SecondVariationOfAGreatCircleIsItsClosedForm) {
  const auto sphere = surface("sphere");
  for (const double length : {1.0, 2.5, 3.0, 4.0, 5.5}) {
    const Certificate c = certify(*sphere, Curve::straight(Vector{{M_PI / 2, 0.0}}, Vector{{M_PI / 2, length}}));
    EXPECT_NEAR(c.second_variation, M_PI * M_PI - length * length, variation_accuracy(length));
    EXPECT_LE(c.residual, 1e-9);
    EXPECT_LE(c.relative_excess, 1e-15);
    ASSERT_EQ(c.conjugate_point.has_value(), length > M_PI);
    if (length > M_PI) EXPECT_NEAR(*c.conjugate_point * length, M_PI, 1e-3);
  }
}

// The same in twenty dimensions, by products: a great circle through the centre of the stereographic chart.
TEST(CertificateTest, SecondVariationByProductsOfAGreatCircleIsItsClosedForm) {
  const auto sphere = surface("sphere-stereographic:d=20");
  ASSERT_TRUE(sphere->prefers_products());
  for (const double length : {1.0, 2.5, 3.0, 4.0, 5.5}) {
    const Vector end = Vector::Unit(20, 3) * std::tan(length / 4);
    const Certificate c = certify(*sphere, Curve::straight(-end, end));
    const double flat = M_PI * M_PI;
    EXPECT_NEAR(c.length, length, 1e-9 * length);
    EXPECT_NEAR(c.second_variation, flat - length * length, 4 * variation_accuracy(length) + 0.01 * flat) << length;
    EXPECT_GE(c.second_variation + c.second_variation_error, flat - length * length - 4 * variation_accuracy(length));
    EXPECT_EQ(c.second_variation - c.second_variation_error > 0, length < M_PI) << length;
    EXPECT_LE(c.relative_excess, 1e-12);
    ASSERT_EQ(c.conjugate_point.has_value(), length > M_PI) << length;
    if (length > M_PI) {
      const double angle = 2 * std::atan(std::tan(length / 4) * (2 * *c.conjugate_point - 1)) + length / 2;
      EXPECT_NEAR(angle, M_PI, length / 32);
    }
    EXPECT_NEAR(c.condition.kappa_max, 1, 1e-5);
  }
}

TEST(CertificateTest, ByProductsIsThatByBlocks) {
  const auto generator = surface("random-network:d=24")->shared_generator();
  const PullbackManifold blocks(generator, PullbackManifold::Products::kNever);
  const PullbackManifold products(generator, PullbackManifold::Products::kAlways);
  // Neither a geodesic nor of constant speed.
  const Vector a = Vector::LinSpaced(24, -0.06, 0.04);
  const Vector b = Vector::LinSpaced(24, 0.08, -0.02);
  Matrix z(24, 33);
  for (int i = 0; i <= 32; ++i) {
    const double t = i / 32.0;
    z.col(i) = (1 - t) * a + t * b + 0.003 * std::sin(M_PI * t) * Vector::LinSpaced(24, 0, 1);
  }
  const Curve curve = Curve::through(z);
  const Certificate expected = certify(blocks, curve);
  const Certificate c = certify(products, curve);
  EXPECT_NEAR(c.length, expected.length, expected.numerical_error + c.numerical_error);
  EXPECT_NEAR(c.metric_length, expected.metric_length, 1e-9 * expected.length);
  EXPECT_NEAR(c.residual, expected.residual, 1e-6 * expected.residual);
  EXPECT_NEAR(c.relative_excess, expected.relative_excess, 0.01 * expected.relative_excess);
  ASSERT_GT(expected.second_variation, 1);
  EXPECT_NEAR(c.second_variation, expected.second_variation, c.second_variation_error + 2e-3 * M_PI * M_PI);
  EXPECT_NEAR(c.condition.kappa_max, expected.condition.kappa_max, 0.05 * expected.condition.kappa_max);
  EXPECT_LT(c.numerical_error, 10 * expected.numerical_error + 1e-12);
}

TEST(CertificateTest, OuterEquatorOfATorusIsConjugateAtTwoPi) {
  const Certificate c = certify(*surface("torus:R=3,r=1"), Curve::straight(Vector{{0.0, 0.0}}, Vector{{0.0, 1.8}}));
  ASSERT_TRUE(c.conjugate_point.has_value());
  EXPECT_NEAR(*c.conjugate_point * 7.2, 2 * M_PI, 1e-3);
}

// A geodesic bent by ε sin(πt) along its unit normal is longer by ε²(π² − K L²)/4L; the excess says so.
TEST(CertificateTest, ExcessIsWhatTheCurveIsTooLongBy) {
  const auto sphere = surface("sphere");
  const double length = 2;
  for (const double epsilon : {1e-2, 1e-3, 1e-4}) {
    const Vector t = uniform_times(129);
    Matrix z(2, t.size());
    z.row(0) = (M_PI / 2 + epsilon * (M_PI * t.array()).sin()).transpose();
    z.row(1) = length * t.transpose();
    const Certificate c = certify(*sphere, Curve::through(z));
    const double expected = epsilon * epsilon * (M_PI * M_PI - length * length) / (4 * length * length);
    EXPECT_NEAR(c.relative_excess, expected, 0.02 * expected);
    EXPECT_NEAR(c.length - length, expected * length, 0.02 * expected * length);
  }
}

TEST(CertificateTest, ExcessDoesNotDependOnTheChartOrTheSpeed) {
  const double shear = 1e6;
  const Vector t = uniform_times(129);
  Matrix z(2, t.size());
  const auto uneven = t.array() + 0.2 * (M_PI * t.array()).sin();
  z.row(0) = (M_PI / 2 + 0.01 * (M_PI * t.array()).sin()).transpose();
  z.row(1) = 2 * t.transpose();
  const Certificate plain = certify(*surface("sphere"), Curve::through(z));
  Matrix inverse = Matrix::Identity(2, 2);
  inverse(0, 1) = -shear;
  const Certificate sheared =
      certify(*surface("sheared-sphere:s=1e6"), Curve::through(z).transformed(inverse, Vector::Zero(2)));
  EXPECT_NEAR(sheared.relative_excess, plain.relative_excess, 1e-5 * plain.relative_excess);
  Matrix fast(2, t.size());
  fast.row(0) = (M_PI / 2 + 0.01 * (M_PI * uneven).sin()).transpose();
  fast.row(1) = 2 * uneven.transpose();
  EXPECT_NEAR(certify(*surface("sphere"), Curve::through(fast)).relative_excess, plain.relative_excess,
              1e-3 * plain.relative_excess);
}

// A solver that claims convergence for whatever it is told to return.
GeodesicResult claim(const std::string& spec, const Vector& from, const Vector& to, const Curve& curve) {
  GeodesicProblem problem;
  problem.manifold = surface(spec);
  problem.from = from;
  problem.to = to;
  return stub_solver("liar",
                     [&](const GeodesicProblem&, SolveContext&) {
                       return RawSolution{curve, Termination::kConverged, "trust me", 1, {}};
                     })
      ->solve(problem);
}

TEST(CertificateTest, RefutesAStraightLineThatIsNoGeodesic) {
  const Vector from{{M_PI / 3, 0.0}};
  const Vector to{{2 * M_PI / 3, 2.0}};
  EXPECT_EQ(claim("sphere", from, to, Curve::straight(from, to)).termination, Termination::kStalled);
}

// A solver that sees Γ = 0 on both sides of the kink returns the chart line.
TEST(CertificateTest, RefutesAGeodesicThatIgnoresAKink) {
  const Vector from{{-1.0, 0.0}};
  const Vector to{{1.0, 2.0}};
  const GeodesicResult result = claim("relu-fold", from, to, Curve::straight(from, to));
  EXPECT_EQ(result.termination, Termination::kStalled) << result.message;
  EXPECT_NEAR(result.certificate.length, 4.730838352728, 1e-3);
}

TEST(CertificateTest, CallsASaddleStationary) {
  const Vector from{{1.0, 0.0}};
  const Vector to{{-1.0, 0.0}};
  Workspace ws;
  const Curve line = constant_speed(*surface("paraboloid"), Curve::straight(from, to), 512, ws);
  const GeodesicResult result = claim("paraboloid", from, to, line);
  EXPECT_EQ(result.termination, Termination::kStationary) << result.message;
  EXPECT_TRUE(result.certificate.conjugate_point.has_value());
}

TEST(CertificateTest, CallsAVanishingMetricDegenerate) {
  const Vector from{{-2.0, 0.0}};
  const Vector to{{2.0, 0.0}};
  const GeodesicResult result = claim("collapsed-disc", from, to, Curve::straight(from, to));
  EXPECT_EQ(result.termination, Termination::kDegenerate) << result.message;
  EXPECT_NEAR(result.certificate.length, 2, 1e-2);
  EXPECT_TRUE(result.certificate.condition.degenerate);
}

TEST(CertificateTest, CallsAJumpWhatItIs) {
  const Vector from{{-1.0, 0.0}};
  const Vector to{{1.0, 0.0}};
  const GeodesicResult result = claim("step:h=0.1", from, to, Curve::straight(from, to));
  EXPECT_EQ(result.termination, Termination::kDegenerate) << result.message;
  EXPECT_NEAR(result.certificate.metric_length, 2, 1e-9);
  EXPECT_NEAR(result.certificate.length, 2.1, result.certificate.length_error);
}

TEST(CertificateTest, RefutesACurveThatEndsElsewhere) {
  const Vector from{{M_PI / 2, 0.0}};
  const Vector to{{M_PI / 2, 1.0}};
  const GeodesicResult result = claim("sphere", from, to, Curve::straight(from, Vector{{M_PI / 2, 0.9}}));
  EXPECT_EQ(result.termination, Termination::kStalled);
  EXPECT_NEAR(result.certificate.endpoint_error, 0.1, 1e-12);
}

TEST(CertificateTest, RefutesACurveThatIsNotANumber) {
  const Vector from{{0.0, 1.0}};
  const Vector to{{1.0, 1.0}};
  Matrix nodes = Matrix::Constant(2, 9, std::nan(""));
  nodes.col(0) = from;
  nodes.col(8) = to;
  EXPECT_EQ(claim("plane", from, to, Curve::through(nodes)).termination, Termination::kNumericalFailure);
  EXPECT_EQ(claim("plane", from, to, {}).termination, Termination::kNumericalFailure);
}

TEST(CertificateTest, AcceptsWhatIsTrue) {
  const Vector from{{M_PI / 2, 0.0}};
  const Vector to{{M_PI / 2, 2.0}};
  const GeodesicResult result = claim("sphere", from, to, Curve::straight(from, to));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_FALSE(result.certificate.shorter_known.has_value());
}

TEST(CertificateTest, ToldOfAShorterCurveItSaysSo) {
  GeodesicProblem problem;
  problem.manifold = surface("torus:R=3,r=1");
  problem.from = Vector{{M_PI, 0.0}};
  problem.to = Vector{{M_PI, 4.0}};
  const Curve line = Curve::straight(problem.from, problem.to);  // the inner equator: minimal in its class
  const auto solver = stub_solver("liar", [&](const GeodesicProblem& given, SolveContext& context) {
    Matrix nodes = given.initial.position(uniform_times(65));
    for (Eigen::Index i = 0; i < nodes.cols(); ++i) nodes(0, i) -= 0.5 * std::sin(M_PI * static_cast<double>(i) / 64);
    context.met_curve(line);
    return RawSolution{Curve::through(nodes), Termination::kStalled, "a detour", 1, {}};
  });
  const GeodesicResult result = solver->solve(problem);
  ASSERT_TRUE(result.certificate.shorter_known.has_value());
  EXPECT_NEAR(*result.certificate.shorter_known, 8, 1e-3);  // (R − r) · 4
}

// The polyline of a curve is shorter than the curve: that alone does not make the same curve a shorter one.
TEST(CertificateTest, DoesNotTakeACurveForShorterThanItself) {
  GeodesicProblem problem;
  problem.manifold = surface("torus:R=3,r=1");
  problem.from = Vector{{M_PI, 0.0}};
  problem.to = Vector{{M_PI, 6.0}};
  const Curve line = Curve::straight(problem.from, problem.to);
  const auto solver = stub_solver("twice", [&](const GeodesicProblem&, SolveContext& context) {
    context.met_curve(line);
    return RawSolution{line, Termination::kConverged, "the inner equator", 1, {}};
  });
  const GeodesicResult result = solver->solve(problem);
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_FALSE(result.certificate.shorter_known.has_value());
}

// The plane with a step of height 2 and width 1/s, which is flat: the line across it is a shortest geodesic and the
// second variation is π², whatever s, but few chords do not see how the line bends.
Certificate across_a_step(double steepness, GeodesicResult* result = nullptr) {
  GeodesicProblem problem;
  problem.manifold =
      std::make_shared<PullbackManifold>(make_generator(2, 3, [steepness]<class T>(const Eigen::VectorX<T>& z) {
        using std::tanh;
        Eigen::VectorX<T> x(3);
        x << z(0), z(1), tanh(steepness * z(0));
        return x;
      }));
  problem.from = Vector{{-1.0, 0.0}};
  problem.to = Vector{{1.0, 0.0}};
  Workspace ws;
  Curve line = Curve::straight(problem.from, problem.to);
  for (int pieces = 2048; pieces <= 8192; pieces *= 2) line = constant_speed(*problem.manifold, line, pieces, ws);
  const auto solver = stub_solver("line", [&](const GeodesicProblem&, SolveContext&) {
    return RawSolution{line, Termination::kConverged, "the line", 1, {}};
  });
  const GeodesicResult solved = solver->solve(problem);
  if (result != nullptr) *result = solved;
  return solved.certificate;
}

TEST(CertificateTest, ResolvesASharpBend) {
  for (const double steepness : {5.0, 50.0, 200.0}) {
    const Certificate c = across_a_step(steepness);
    EXPECT_LE(c.max_turning_angle, 0.1) << steepness;
    EXPECT_NEAR(c.second_variation, M_PI * M_PI, 0.2 * M_PI * M_PI) << steepness;
  }
}

TEST(CertificateTest, SaysWhenABendIsTooSharp) {
  GeodesicResult result;
  EXPECT_GT(across_a_step(1e6, &result).max_turning_angle, 0.1);
  EXPECT_NE(result.termination, Termination::kConverged);
}

TEST(SolverTest, AThrowingAlgorithmIsANumericalFailure) {
  GeodesicProblem problem;
  problem.manifold = surface("plane");
  problem.from = Vector::Zero(2);
  problem.to = Vector::Ones(2);
  const auto throws = stub_solver(
      "bad", [](const GeodesicProblem&, SolveContext&) -> RawSolution { throw std::runtime_error("out of luck"); });
  const GeodesicResult result = throws->solve(problem);
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_NE(result.message.find("out of luck"), std::string::npos);
  const auto odd = stub_solver("odd", [](const GeodesicProblem&, SolveContext&) -> RawSolution { throw 7; });
  EXPECT_EQ(odd->solve(problem).termination, Termination::kNumericalFailure);
}

// A map with kinks is no reason to refuse: on one side of them the straight line is the geodesic, and values show it.
TEST(CertificateTest, AcceptsAGeodesicOfAMapWithKinksThatNoBumpShortens) {
  for (const char* spec : {"relu-fold:s=2", "step:h=1", "pyramid"}) {
    const Vector from{{1.5, 0.2}};
    const Vector to{{2.5, 0.7}};
    const GeodesicResult result = claim(spec, from, to, Curve::straight(from, to));
    EXPECT_EQ(result.termination, Termination::kConverged) << spec << ": " << result.message;
    EXPECT_FALSE(result.certificate.smooth);
    EXPECT_LE(result.certificate.shortening, 1e-9);
  }
}

// A geodesic's path that is run through at another speed solves no geodesic equation.
TEST(CertificateTest, RefutesASpeedThatVaries) {
  const Vector t = uniform_times(65);
  Matrix z = Matrix::Zero(2, t.size());
  z.row(0) = (t.array() + 0.03 * (2 * M_PI * t.array()).sin()).transpose();
  const GeodesicResult result = claim("plane", z.leftCols(1), z.rightCols(1), Curve::through(z));
  EXPECT_EQ(result.termination, Termination::kStalled);
  EXPECT_NEAR(result.certificate.speed_variation, 0.06 * M_PI, 0.01);
  EXPECT_LE(result.certificate.relative_excess, 1e-12);
}

// Chords of the straight line at 2048 periods are all of length 0 or of one period: no curve of that length is known.
TEST(CertificateTest, KnowsOfNoShorterCurveFromChordsThatJump) {
  const Vector from{{0.0, 0.0}};
  const Vector to{{2048 * M_PI, 1.0}};
  const GeodesicResult result = claim("clifford-torus", from, to, Curve::straight(from, to));
  EXPECT_FALSE(result.certificate.shorter_known) << *result.certificate.shorter_known;
  EXPECT_NEAR(result.certificate.length, std::sqrt((to(0) * to(0) + 1) / 2), result.certificate.length_error);
}

// On the half-plane σ changes by as many orders as the heights do, and is singular nowhere.
TEST(CertificateTest, ScalesThatDifferAlongTheCurveAreNoSingularity) {
  const auto plane = half_plane();
  const Vector t = uniform_times(257);
  Matrix z = Matrix::Zero(2, t.size());
  z.row(1) = (-std::log(1e20) * t.array()).exp().matrix().transpose();
  const Certificate c = certify(*plane, Curve::through(z));
  EXPECT_FALSE(c.condition.degenerate);
  EXPECT_NEAR(c.condition.kappa_max, 1, 1e-12);
}

// What was measured before an evaluation throws is there, the rest is not measured.
TEST(CertificateTest, KeepsWhatWasMeasuredBeforeAnEvaluationThrows) {
  const auto plane = surface("plane");
  Workspace ws;
  int values_left = 550;  // enough for the length, and a little
  const CallbackGenerator failing(
      2, 2,
      Callbacks{.value =
                    [&](const ConstMatrixRef& Z) {
                      values_left -= static_cast<int>(Z.cols());
                      return Matrix(Z);
                    },
                .jacobian =
                    [&](const ConstMatrixRef& Z) {
                      if (values_left < 0) throw std::runtime_error("no more");
                      return Matrix(Matrix::Identity(2, 2).replicate(1, Z.cols()));
                    },
                .second_directional = [](const ConstMatrixRef& Z, const ConstMatrixRef&) { return Matrix(0 * Z); }});
  const PullbackManifold manifold(std::shared_ptr<const Generator>(std::shared_ptr<void>(), &failing));
  const Vector from = Vector::Zero(2);
  const Vector to = Vector::Ones(2);
  Certificate c;
  EXPECT_THROW(measure_certificate(manifold, Curve::straight(from, to), from, to, ws, c), std::runtime_error);
  EXPECT_FALSE(c.complete);
  EXPECT_EQ(c.endpoint_error, 0);
  EXPECT_TRUE(std::isnan(c.second_variation));
  EXPECT_NE(judge(c, Termination::kConverged, "").termination, Termination::kConverged);
}

}  // namespace
}  // namespace pullback
