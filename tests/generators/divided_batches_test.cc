// Ending an evaluation from within, and dividing the batches of slow generators.
#include "pullback/base/stop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "pullback/generators/formula/callback.h"
#include "pullback/generators/generator.h"

namespace pullback {
namespace {

// f(z) = 2z in one dimension that notes the sizes of its batches and takes a time for each point and each call.
class Recording final : public Generator {
 public:
  Recording(std::chrono::milliseconds a_point, std::chrono::milliseconds a_call)
      : Generator(1, 1, {.name = "recording"}), a_point_(a_point), a_call_(a_call) {}
  mutable std::vector<Eigen::Index> sizes;

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& /*ws*/) const override {
    sizes.push_back(Z.cols());
    std::this_thread::sleep_for(a_call_ + a_point_ * Z.cols());
    X = 2 * Z;
  }
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override {
    do_value(Z, X, ws);
    J.setConstant(2);
  }
  std::chrono::milliseconds a_point_, a_call_;
};

constexpr std::chrono::milliseconds kNothing{0};
const Matrix kPoints = Matrix::Random(1, 64);

bool never() { return false; }

Eigen::Index total(const std::vector<Eigen::Index>& sizes) {
  Eigen::Index sum = 0;
  for (const Eigen::Index size : sizes) sum += size;
  return sum;
}

TEST(Stopping, EndsAnEvaluationAndLeavesTheWorkspaceAsItWas) {
  const Recording f(kNothing, kNothing);
  Workspace ws;
  Matrix X(1, 64);
  {
    const StopScope scope([] { return true; });
    EXPECT_THROW(f.value(kPoints, X, ws), StopRequested);
  }
  EXPECT_TRUE(f.sizes.empty());
  EXPECT_EQ(ws.counts().values, 0);
  f.value(kPoints, X, ws);
  EXPECT_EQ(ws.counts().values, 64);
}

TEST(Parts, AreOneWhereTheThreadMayNotBeStopped) {
  const Recording slow(std::chrono::milliseconds(1), kNothing);
  Workspace ws;
  Matrix X(1, 64);
  slow.value(kPoints, X, ws);
  slow.value(kPoints, X, ws);
  EXPECT_EQ(slow.sizes, (std::vector<Eigen::Index>{64, 64}));
}

TEST(Parts, OfAFastGeneratorAreOnePointAndThenWholeBatches) {
  const Recording fast(kNothing, kNothing);
  Workspace ws;
  Matrix X(1, 64);
  const StopScope scope(never);
  for (int i = 0; i < 3; ++i) fast.value(kPoints, X, ws);
  // A disturbed first measurement takes a second one.
  ASSERT_GE(fast.sizes.size(), 4);
  EXPECT_LE(fast.sizes.size(), 5);
  EXPECT_EQ(fast.sizes.front(), 1);
  EXPECT_EQ(fast.sizes.back(), 64);
  EXPECT_EQ(ws.counts().values, 3 * 64);
}

TEST(Parts, OfASlowGeneratorTakeAboutAsLongAsTheyMay) {
  const Recording slow(std::chrono::milliseconds(10), kNothing);
  Workspace ws;
  Matrix X(1, 64);
  const StopScope scope(never);
  slow.value(kPoints, X, ws);
  EXPECT_EQ(X, 2 * kPoints);
  EXPECT_EQ(total(slow.sizes), 64);
  for (const Eigen::Index size : slow.sizes) EXPECT_LE(size, 10);  // 0.1 s
}

TEST(Parts, OfACallThatTakesLongByItselfGrow) {
  const Recording slow(kNothing, std::chrono::milliseconds(40));
  Workspace ws;
  Matrix X(1, 64);
  const StopScope scope(never);
  slow.value(kPoints, X, ws);
  EXPECT_EQ(X, 2 * kPoints);
  EXPECT_LT(slow.sizes.size(), 20);
}

TEST(Parts, EndASlowBatchBetweenThem) {
  const Recording slow(std::chrono::milliseconds(10), kNothing);
  Workspace ws;
  Matrix X(1, 64);
  const StopScope scope([&slow] { return total(slow.sizes) >= 5; });
  EXPECT_THROW(slow.value(kPoints, X, ws), StopRequested);
  EXPECT_LE(total(slow.sizes), 4 + 10);
}

TEST(Parts, OfCallbacksDivideTheirDifferences) {
  // 256 coordinates: a Jacobian by differences takes 1,024 values in one call.
  Eigen::Index largest = 0;
  Callbacks callbacks;
  callbacks.value = [&largest](const ConstMatrixRef& Z) {
    largest = std::max(largest, Z.cols());
    std::this_thread::sleep_for(std::chrono::microseconds(500) * Z.cols());
    return Matrix(2 * Z.topRows(1));
  };
  const CallbackGenerator f(256, 1, std::move(callbacks));
  const StopScope scope(never);
  const Matrix J = f.jacobian(Matrix::Random(256, 1));
  EXPECT_NEAR(J(0, 0), 2, 1e-9);
  EXPECT_LE(largest, 200);
}

TEST(Parts, LetPassWhatAGeneratorThrows) {
  Callbacks callbacks;
  callbacks.value = [](const ConstMatrixRef& /*Z*/) -> Matrix { throw std::runtime_error("no"); };
  const CallbackGenerator f(1, 1, std::move(callbacks));
  Workspace ws;
  Matrix X(1, 64);
  const StopScope scope(never);
  EXPECT_THROW(f.value(kPoints, X, ws), std::runtime_error);
  // The evaluation after it is an outermost one again.
  const std::int64_t before = ws.counts().values;
  const Recording fast(kNothing, kNothing);
  fast.value(kPoints, X, ws);
  EXPECT_EQ(ws.counts().values, before + 64);
}

}  // namespace
}  // namespace pullback
