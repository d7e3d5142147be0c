#include "generator_contract.h"

#include <array>
#include <limits>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace pullback {

Matrix scattered_points(int dimension, int count, double lower, double upper) {
  std::mt19937_64 random(20);
  return Matrix::NullaryExpr(dimension, count,
                             [&] { return lower + (upper - lower) * static_cast<double>(random() >> 11) * 0x1p-53; });
}

namespace {

// Everything that f calculates, for one batch with directions and weights made from it.
struct Everything {
  Everything(const Generator& f, const Matrix& Z, Workspace& ws)
      : V(directions(f.latent_dimension(), Z.cols())),
        W(directions(f.ambient_dimension(), Z.cols())),
        X(f.ambient_dimension(), Z.cols()),
        J(f.ambient_dimension(), Z.size()),
        D(X),
        G(Z),
        H(f.latent_dimension(), Z.size()),
        T(X),
        P(Z) {
    f.value(Z, X, ws);
    f.value_and_jacobian(Z, X, J, ws);
    f.second_directional(Z, V, D, ws);
    f.vjp(Z, W, G, ws);
    f.weighted_hessian(Z, W, H, ws);
    f.jvp(Z, V, X, T, ws);
    f.hessian_product(Z, W, V, W, P, ws);
    f.second_order(Z, V, X, J, D, ws);
  }

  // Every column the same, so that a point has the same direction in every batch.
  static Matrix directions(Eigen::Index rows, Eigen::Index columns) {
    return Vector::LinSpaced(rows, 0.4, 1.0).replicate(1, columns);
  }

  bool operator==(const Everything& o) const {
    return X == o.X && J == o.J && D == o.D && G == o.G && H == o.H && T == o.T && P == o.P;
  }

  Matrix V, W, X, J, D, G, H, T, P;
};

}  // namespace

TEST_P(GeneratorContract, DerivativesAgreeWithDifferences) {
  const DerivativeReport report = check_derivatives(f(), points(), GetParam().options);
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kAgrees) << report.summary();
}

TEST_P(GeneratorContract, ABatchOfAnySizeEqualsSinglePoints) {
  // Sums of up to 1000 terms in another order; where derivatives are differences, over their smallest step.
  const double kRounding = f().traits().second == Derivative::kExact ? 1e-12 : 1e-6;
  Workspace ws;
  for (const int count : {1, 3, 33, 70}) {
    Matrix Z(n(), count);
    for (int k = 0; k < count; ++k) Z.col(k) = points().col(k % points().cols());
    const Everything batch(f(), Z, ws);
    for (int k = 0; k<count; k += count> 3 ? 11 : 1) {
      const Everything one(f(), Z.col(k), ws);
      const double size = 1 + one.J.cwiseAbs().maxCoeff();
      EXPECT_LE((batch.X.col(k) - one.X).cwiseAbs().maxCoeff(), kRounding * (1 + one.X.cwiseAbs().maxCoeff())) << k;
      EXPECT_LE((batch.J.middleCols(n() * k, n()) - one.J).cwiseAbs().maxCoeff(), kRounding * size) << k;
      EXPECT_LE((batch.G.col(k) - one.G).cwiseAbs().maxCoeff(), kRounding * size * double(N())) << k;
      const double curvature = size + one.D.cwiseAbs().maxCoeff() + one.H.cwiseAbs().maxCoeff();
      EXPECT_LE((batch.D.col(k) - one.D).cwiseAbs().maxCoeff(), kRounding * curvature) << k;
      EXPECT_LE((batch.H.middleCols(n() * k, n()) - one.H).cwiseAbs().maxCoeff(), kRounding * curvature * double(N()));
      EXPECT_LE((batch.T.col(k) - one.T).cwiseAbs().maxCoeff(), kRounding * size * double(n())) << k;
      EXPECT_LE((batch.P.col(k) - one.P).cwiseAbs().maxCoeff(), kRounding * curvature * double(N() * n())) << k;
    }
  }
}

TEST_P(GeneratorContract, ProductsAreThoseOfJacobiansAndHessians) {
  // Sums in another order; where derivatives are differences, over their smallest step.
  const double kRounding = f().traits().second == Derivative::kExact ? 1e-12 : 1e-6;
  Workspace ws;
  const Everything at(f(), points(), ws);
  for (Eigen::Index k = 0; k < points().cols(); ++k) {
    const auto J = at.J.middleCols(n() * k, n());
    const auto H = at.H.middleCols(n() * k, n());
    const Vector tangent = J * at.V.col(k);
    const Vector product = J.transpose() * at.W.col(k) + H * at.V.col(k);
    const double first = 1 + J.cwiseAbs().maxCoeff();
    const double second = first + H.cwiseAbs().maxCoeff();
    EXPECT_LE((at.T.col(k) - tangent).cwiseAbs().maxCoeff(), kRounding * first * double(n())) << k;
    EXPECT_LE((at.P.col(k) - product).cwiseAbs().maxCoeff(), kRounding * second * double(N() + n())) << k;
  }
}

// From a record, whose columns are points, as from the points themselves: to the last bit, for any weights and in
// parts.
TEST_P(GeneratorContract, RecordsGiveTheSameJacobiansAndHessians) {
  Workspace ws;
  const Eigen::Index K = points().cols();
  const Everything at(f(), points(), ws);
  Matrix X(N(), K);
  Matrix J(N(), n() * K);
  Matrix record(f().record_size(), K);
  f().record(points(), X, J, record, ws);
  EXPECT_EQ(X, at.X);
  EXPECT_EQ(J, at.J);
  for (const double scale : {1.0, -2.0}) {
    const Matrix W = scale * at.W;
    Matrix H(n(), n() * K);
    f().recorded_hessian(points(), record, W, H, ws);
    EXPECT_TRUE(H.isApprox(scale * at.H, 1e-14) || at.H.isZero(0)) << scale;
    Matrix last(n(), n());
    f().recorded_hessian(points().rightCols(1), record.rightCols(1), W.rightCols(1), last, ws);
    EXPECT_EQ(last, H.rightCols(n()));
  }
}

TEST_P(GeneratorContract, AnEmptyBatchIsFine) {
  Workspace ws;
  const Everything nothing(f(), Matrix(n(), 0), ws);
  EXPECT_EQ(nothing.J.cols(), 0);
  EXPECT_EQ(ws.counts().values + ws.counts().jacobians + ws.counts().second_derivatives + ws.counts().products, 0);
}

TEST_P(GeneratorContract, HessiansAreSymmetric) {
  Workspace ws;
  const Everything at(f(), points(), ws);
  for (Eigen::Index k = 0; k < points().cols(); ++k) {
    const Matrix H = at.H.middleCols(n() * k, n());
    EXPECT_EQ(H, Matrix(H.transpose())) << "point " << k;
  }
}

TEST_P(GeneratorContract, TwoThreadsGetWhatOneGets) {
  constexpr int kRepeats = 20;
  Workspace ws;
  const Everything expected(f(), points(), ws);
  std::array<int, 2> different{};
  std::vector<std::jthread> threads;
  threads.reserve(different.size());
  for (int& count : different) {
    threads.emplace_back([&] {
      Workspace own;
      for (int repeat = 0; repeat < kRepeats; ++repeat) count += Everything(f(), points(), own) == expected ? 0 : 1;
    });
  }
  threads.clear();
  EXPECT_EQ(different[0] + different[1], 0);
}

TEST_P(GeneratorContract, WrongShapesThrow) {
  const Eigen::Index K = points().cols();
  Workspace ws;
  const Matrix& Z = points();
  const Matrix V = Z;
  const Matrix W = Matrix::Ones(N(), K);
  Matrix X(N(), K), J(N(), n() * K), D(N(), K), G(n(), K), H(n(), n() * K);
  // One row too many and one column too few of each argument in turn.
  for (const auto& [row, column] : {std::pair{1, 0}, std::pair{0, -1}}) {
    const auto bad = [&, row = row, column = column](const Matrix& M) {
      return Matrix(Matrix::Zero(M.rows() + row, M.cols() + column));
    };
    Matrix bX = bad(X), bJ = bad(J), bD = bad(D), bG = bad(G), bH = bad(H);
    const Matrix bV = bad(V), bW = bad(W);
    EXPECT_THROW(f().value(Z, bX, ws), std::invalid_argument);
    EXPECT_THROW(f().value(bad(Z), X, ws), std::invalid_argument);
    EXPECT_THROW(f().value_and_jacobian(bad(Z), X, J, ws), std::invalid_argument);
    EXPECT_THROW(f().value_and_jacobian(Z, bX, J, ws), std::invalid_argument);
    EXPECT_THROW(f().value_and_jacobian(Z, X, bJ, ws), std::invalid_argument);
    EXPECT_THROW(f().second_directional(bad(Z), V, D, ws), std::invalid_argument);
    EXPECT_THROW(f().second_directional(Z, bV, D, ws), std::invalid_argument);
    EXPECT_THROW(f().second_directional(Z, V, bD, ws), std::invalid_argument);
    EXPECT_THROW(f().vjp(bad(Z), W, G, ws), std::invalid_argument);
    EXPECT_THROW(f().vjp(Z, bW, G, ws), std::invalid_argument);
    EXPECT_THROW(f().vjp(Z, W, bG, ws), std::invalid_argument);
    EXPECT_THROW(f().weighted_hessian(bad(Z), W, H, ws), std::invalid_argument);
    EXPECT_THROW(f().weighted_hessian(Z, bW, H, ws), std::invalid_argument);
    EXPECT_THROW(f().weighted_hessian(Z, W, bH, ws), std::invalid_argument);
    EXPECT_THROW(f().jvp(bad(Z), V, X, D, ws), std::invalid_argument);
    EXPECT_THROW(f().jvp(Z, bV, X, D, ws), std::invalid_argument);
    EXPECT_THROW(f().jvp(Z, V, bX, D, ws), std::invalid_argument);
    EXPECT_THROW(f().jvp(Z, V, X, bD, ws), std::invalid_argument);
    EXPECT_THROW(f().hessian_product(bad(Z), W, V, W, G, ws), std::invalid_argument);
    EXPECT_THROW(f().hessian_product(Z, bW, V, W, G, ws), std::invalid_argument);
    EXPECT_THROW(f().hessian_product(Z, W, bV, W, G, ws), std::invalid_argument);
    EXPECT_THROW(f().hessian_product(Z, W, V, bW, G, ws), std::invalid_argument);
    EXPECT_THROW(f().hessian_product(Z, W, V, W, bG, ws), std::invalid_argument);
    EXPECT_THROW(f().second_order(bad(Z), V, X, J, D, ws), std::invalid_argument);
    EXPECT_THROW(f().second_order(Z, bV, X, J, D, ws), std::invalid_argument);
    EXPECT_THROW(f().second_order(Z, V, bX, J, D, ws), std::invalid_argument);
    EXPECT_THROW(f().second_order(Z, V, X, bJ, D, ws), std::invalid_argument);
    EXPECT_THROW(f().second_order(Z, V, X, J, bD, ws), std::invalid_argument);
  }
}

TEST_P(GeneratorContract, EachCallCountsItsPointsOnce) {
  const auto K = static_cast<std::int64_t>(points().cols());
  const Matrix W = Matrix::Ones(N(), K);
  Matrix X(N(), K), J(N(), n() * K), D(N(), K), G(n(), K), H(n(), n() * K);
  const auto counts = [](auto call) {
    Workspace ws;
    call(ws);
    const EvaluationCounts& c = ws.counts();
    return std::vector<std::int64_t>{c.values, c.jacobians, c.second_derivatives, c.products, c.metrics};
  };
  using Counts = std::vector<std::int64_t>;
  EXPECT_EQ(counts([&](Workspace& ws) { f().value(points(), X, ws); }), (Counts{K, 0, 0, 0, 0}));
  EXPECT_EQ(counts([&](Workspace& ws) { f().value_and_jacobian(points(), X, J, ws); }), (Counts{0, K, 0, 0, 0}));
  EXPECT_EQ(counts([&](Workspace& ws) { f().second_directional(points(), points(), D, ws); }), (Counts{0, 0, K, 0, 0}));
  EXPECT_EQ(counts([&](Workspace& ws) { f().vjp(points(), W, G, ws); }), (Counts{0, 0, 0, K, 0}));
  EXPECT_EQ(counts([&](Workspace& ws) { f().weighted_hessian(points(), W, H, ws); }), (Counts{0, 0, K, 0, 0}));
  EXPECT_EQ(counts([&](Workspace& ws) { f().jvp(points(), points(), X, D, ws); }), (Counts{0, 0, 0, K, 0}));
  EXPECT_EQ(counts([&](Workspace& ws) { f().hessian_product(points(), W, points(), W, G, ws); }),
            (Counts{0, 0, 0, K, 0}));
  EXPECT_EQ(counts([&](Workspace& ws) { f().second_order(points(), points(), X, J, D, ws); }), (Counts{0, K, K, 0, 0}));
}

TEST_P(GeneratorContract, NaNGivesNaNAndLeavesTheOtherPointsAlone) {
  Workspace ws;
  const Everything clean(f(), points(), ws);
  for (Eigen::Index i = 0; i < n(); ++i) {
    Matrix Z = points();
    Z(i, 0) = std::numeric_limits<double>::quiet_NaN();
    const Everything at(f(), Z, ws);
    EXPECT_TRUE(at.X.col(0).hasNaN()) << "coordinate " << i;
    EXPECT_EQ(at.X.rightCols(Z.cols() - 1), clean.X.rightCols(Z.cols() - 1));
    EXPECT_EQ(at.J.rightCols(n() * (Z.cols() - 1)), clean.J.rightCols(n() * (Z.cols() - 1)));
  }
}

}  // namespace pullback
