#include "pullback/generators/network/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "network_reference.h"
#include "network_results.h"

namespace {

std::atomic<long> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t a) { return counted(size, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return counted(size, static_cast<std::size_t>(a)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace pullback {
namespace {

using testing::all_activations;
using testing::evaluate;
using ::testing::HasSubstr;
using testing::InstructionSet;
using testing::network_reference;
using testing::NetworkReference;
using testing::print;
using testing::random_layers;
using testing::random_matrix;
using testing::Real;
using testing::Results;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// A network of three layers sums 3·40 products with a rounding of half a unit each, some 60 units in the worst case,
// and scales them a dozen times.
constexpr double kNetworkTolerance = 100 * kEpsilon;

Results evaluate_reference(const std::vector<Layer>& layers, const Matrix& Z, const Matrix& V, const Matrix& W) {
  const Eigen::Index n = Z.rows(), N = W.rows(), K = Z.cols();
  Results r;
  r.X.setZero(N, K);
  r.J.setZero(N, n * K);
  r.D.setZero(N, K);
  r.G.setZero(n, K);
  r.H.setZero(n, n * K);
  for (Eigen::Index k = 0; k < K; ++k) {
    const NetworkReference f = network_reference(layers, Z.col(k));
    for (Eigen::Index m = 0; m < N; ++m) {
      const auto output = static_cast<std::size_t>(m);
      r.X(m, k) = static_cast<double>(f.value[output]);
      for (Eigen::Index i = 0; i < n; ++i) {
        const Real slope = f.jacobian[output][static_cast<std::size_t>(i)];
        r.J(m, n * k + i) = static_cast<double>(slope);
        r.G(i, k) += static_cast<double>(W(m, k) * slope);
        for (Eigen::Index j = 0; j < n; ++j) {
          const Real h = f.hessian[output][static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
          r.D(m, k) += static_cast<double>(V(i, k) * V(j, k) * h);
          r.H(i, n * k + j) += static_cast<double>(W(m, k) * h);
        }
      }
    }
  }
  return r;
}

void expect_near(const Matrix& got, const Matrix& want, double scale, const char* what) {
  EXPECT_LE((got - want).cwiseAbs().maxCoeff(), kNetworkTolerance * (scale + want.cwiseAbs().maxCoeff())) << what;
}

void expect_reference(const std::vector<Layer>& layers, int points) {
  const Network f(layers);
  const Matrix Z = random_matrix(f.latent_dimension(), points, 5);
  const Matrix V = random_matrix(f.latent_dimension(), points, 6);
  const Matrix W = random_matrix(f.ambient_dimension(), points, 7);
  const Results got = evaluate(f, Z, V, W);
  const Results want = evaluate_reference(layers, Z, V, W);
  expect_near(got.value, want.X, 1, "value");
  expect_near(got.X, want.X, 1, "value with the Jacobian");
  expect_near(got.J, want.J, 1, "Jacobian");
  expect_near(got.D, want.D, 1, "second_directional");
  expect_near(got.X2, want.X, 1, "value of second_order");
  expect_near(got.J2, want.J, 1, "Jacobian of second_order");
  expect_near(got.D2, want.D, 1, "second derivative of second_order");
  // Sums over the outputs, each with a weight of order 1.
  expect_near(got.G, want.G, f.ambient_dimension(), "vjp");
  expect_near(got.H, want.H, f.ambient_dimension(), "weighted_hessian");
}

// Widths around the tiles of the kernels, so that full and partial panels, packets and groups all occur.
TEST(Network, AgreesWithTheReferenceForEveryActivationAndInstructionSet) {
  for (const std::string_view isa : available_instruction_sets()) {
    const InstructionSet set{std::string(isa)};
    SCOPED_TRACE(isa);
    for (const Activation& activation : all_activations()) {
      SCOPED_TRACE(print(activation));
      expect_reference(random_layers({2, 25, 37, 29}, activation, activation), 11);
    }
  }
}

TEST(Network, AgreesWithTheReferenceForEveryShape) {
  const Activation tanh = parse_activation("tanh"), sigmoid = parse_activation("sigmoid");
  for (const std::string_view isa : available_instruction_sets()) {
    const InstructionSet set{std::string(isa)};
    SCOPED_TRACE(isa);
    expect_reference(random_layers({1, 1}, tanh, tanh), 3);
    expect_reference(random_layers({3, 5}, tanh, sigmoid), 1);
    expect_reference(random_layers({5, 24, 48}, tanh, sigmoid), 9);
    expect_reference(random_layers({2, 40, 3}, tanh, sigmoid), 200);  // several chunks
    expect_reference(random_layers({40, 7, 12}, tanh, sigmoid), 9);   // more columns than a group has room for
  }
}

TEST(Network, AgreesWithFiniteDifferences) {
  const Network f(random_layers({3, 33, 20}, parse_activation("softplus"), parse_activation("silu")));
  const Matrix Z = random_matrix(3, 4, 1);
  const double step = std::cbrt(kEpsilon);
  // Truncation and rounding of a central difference are both of the order of step².
  const double tolerance = 100 * step * step;
  const Matrix J = f.jacobian(Z);
  for (int i = 0; i < 3; ++i) {
    Matrix shift = Matrix::Zero(3, 4);
    shift.row(i).setConstant(step);
    const Matrix difference = (f.value(Z + shift) - f.value(Z - shift)) / (2 * step);
    for (Eigen::Index k = 0; k < 4; ++k)
      EXPECT_LE((difference.col(k) - J.col(3 * k + i)).cwiseAbs().maxCoeff(), tolerance);
  }
}

TEST(Network, ABatchIsBitByBitItsPoints) {
  const int points = 150;
  const Matrix Z = random_matrix(2, points, 1), V = random_matrix(2, points, 2), W = random_matrix(61, points, 3);
  for (const std::string_view isa : available_instruction_sets()) {
    const InstructionSet set{std::string(isa)};
    const Network f(random_layers({2, 32, 40, 61}, parse_activation("tanh"), parse_activation("gelu")));
    const Results all = evaluate(f, Z, V, W);
    for (Eigen::Index k = 0; k < points; ++k) {
      const Results one = evaluate(f, Z.col(k), V.col(k), W.col(k));
      ASSERT_EQ(all.value.col(k), one.value);
      ASSERT_EQ(all.X.col(k), one.X);
      ASSERT_EQ(all.J.middleCols(2 * k, 2), one.J);
      ASSERT_EQ(all.D.col(k), one.D);
      ASSERT_EQ(all.D2.col(k), one.D2);
      ASSERT_EQ(all.G.col(k), one.G);
      ASSERT_EQ(all.H.middleCols(2 * k, 2), one.H);
    }
    EXPECT_EQ(all.value, all.X);
    EXPECT_EQ(all.X, all.X2);
    EXPECT_EQ(all.J, all.J2);
  }
}

TEST(Network, WritesIntoPartsOfLargerMatricesOnly) {
  const double untouched = -77;
  const Network f(random_layers({2, 9, 29}, parse_activation("tanh"), parse_activation("tanh")));
  const Matrix Z = random_matrix(2, 13, 1), V = random_matrix(2, 13, 2), W = random_matrix(29, 13, 3);
  const Results want = evaluate(f, Z, V, W);
  Matrix big = Matrix::Constant(40, 100, untouched);
  Matrix inputs = Matrix::Constant(35, 60, std::nan(""));
  inputs.block(3, 1, 2, 13) = Z;
  inputs.block(3, 20, 2, 13) = V;
  inputs.block(3, 40, 29, 13) = W;
  Workspace ws;
  auto X = big.block(5, 1, 29, 13), D = big.block(5, 15, 29, 13), J = big.block(5, 30, 29, 26);
  f.second_order(inputs.block(3, 1, 2, 13), inputs.block(3, 20, 2, 13), X, J, D, ws);
  EXPECT_EQ(Matrix(X), want.X);
  EXPECT_EQ(Matrix(J), want.J);
  EXPECT_EQ(Matrix(D), want.D2);
  auto G = big.block(3, 60, 2, 13), H = big.block(3, 74, 2, 26);
  f.vjp(inputs.block(3, 1, 2, 13), inputs.block(3, 40, 29, 13), G, ws);
  f.weighted_hessian(inputs.block(3, 1, 2, 13), inputs.block(3, 40, 29, 13), H, ws);
  EXPECT_EQ(Matrix(G), want.G);
  EXPECT_EQ(Matrix(H), want.H);
  X.setConstant(untouched);
  D.setConstant(untouched);
  J.setConstant(untouched);
  G.setConstant(untouched);
  H.setConstant(untouched);
  EXPECT_TRUE((big.array() == untouched).all());
}

// The widest sum has 40 terms; fused and separate multiply-adds differ by a rounding each.
TEST(Network, InstructionSetsAgree) {
  const auto layers = random_layers({2, 32, 40, 61}, parse_activation("tanh"), parse_activation("sigmoid"));
  const Matrix Z = random_matrix(2, 20, 1), V = random_matrix(2, 20, 2), W = random_matrix(61, 20, 3);
  std::optional<Results> first;
  for (const std::string_view isa : available_instruction_sets()) {
    const InstructionSet set{std::string(isa)};
    EXPECT_EQ(active_instruction_set(), isa);
    const Network f(layers);
    EXPECT_EQ(f.instruction_set(), isa);
    const Results r = evaluate(f, Z, V, W);
    if (!first) first = r;
    expect_near(r.X, first->X, 1, "value");
    expect_near(r.J, first->J, 1, "Jacobian");
    expect_near(r.D, first->D, 1, "second derivative");
    expect_near(r.G, first->G, 61, "vjp");
    expect_near(r.H, first->H, 61, "weighted Hessian");
  }
}

TEST(Network, UnknownInstructionSetIsRefusedWithTheChoices) {
  const InstructionSet set("sse9");
  EXPECT_THAT([] { active_instruction_set(); },
              ::testing::ThrowsMessage<std::invalid_argument>(HasSubstr("'sse9' is not an instruction set of this "
                                                                        "processor; choices: baseline")));
  EXPECT_THROW(Network({{Matrix::Ones(1, 1), Vector::Zero(1), {}}}), std::invalid_argument);
}

TEST(Network, AllocatesNothingFromTheSecondCallOn) {
  const Network f(random_layers({2, 32, 40, 61}, parse_activation("tanh"), parse_activation("sigmoid")));
  const int points = 150;
  const Matrix Z = random_matrix(2, points, 1), V = random_matrix(2, points, 2), W = random_matrix(61, points, 3);
  Matrix X(61, points), J(61, 2 * points), D(61, points), G(2, points), H(2, 2 * points);
  Workspace ws;
  long before = 0;
  for (int call = 0; call < 2; ++call) {
    before = allocations;
    f.value(Z, X, ws);
    f.value_and_jacobian(Z, X, J, ws);
    f.second_directional(Z, V, D, ws);
    f.second_order(Z, V, X, J, D, ws);
    f.vjp(Z, W, G, ws);
    f.weighted_hessian(Z, W, H, ws);
    if (call == 0) {
      EXPECT_GT(allocations, before);
    }
  }
  EXPECT_EQ(allocations, before);
}

TEST(Network, ThreadsDoNotDisturbOneAnother) {
  const Network f(random_layers({2, 32, 40, 61}, parse_activation("tanh"), parse_activation("elu")));
  const Matrix Z = random_matrix(2, 20, 1), V = random_matrix(2, 20, 2), W = random_matrix(61, 20, 3);
  const Matrix other = random_matrix(2, 20, 4);
  const Results want[] = {evaluate(f, Z, V, W), evaluate(f, other, V, W)};
  std::atomic<int> wrong{0};
  const auto repeat = [&](const Matrix& z, const Results& expected) {
    for (int i = 0; i < 50; ++i) {
      const Results r = evaluate(f, z, V, W);
      if (r.X != expected.X || r.J != expected.J || r.D != expected.D || r.G != expected.G || r.H != expected.H)
        ++wrong;
    }
  };
  std::thread first(repeat, Z, want[0]), second(repeat, other, want[1]);
  first.join();
  second.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Network, ANaNStaysInItsPoint) {
  for (const std::string_view isa : available_instruction_sets()) {
    const InstructionSet set{std::string(isa)};
    for (const Activation& activation : all_activations()) {
      SCOPED_TRACE(print(activation));
      const Network f(random_layers({2, 9, 11}, activation, activation));
      Matrix Z = random_matrix(2, 10, 1);
      Z(1, 4) = std::nan("");
      const Results r = evaluate(f, Z, Matrix::Ones(2, 10), Matrix::Ones(11, 10));
      for (Eigen::Index k = 0; k < 10; ++k) {
        EXPECT_EQ(r.X.col(k).array().isNaN().all(), k == 4);
        EXPECT_EQ(r.X.col(k).array().isNaN().any(), k == 4);
        EXPECT_EQ(r.D.col(k).array().isNaN().any(), k == 4 && activation.kind != ActivationKind::kIdentity);
        EXPECT_EQ(r.J.middleCols(2 * k, 2).array().isNaN().any(),
                  k == 4 && activation.kind != ActivationKind::kIdentity);
      }
    }
  }
}

TEST(Network, SaysWhetherItIsSmooth) {
  const auto smooth = [](const char* name) {
    return Network(random_layers({2, 3, 4}, parse_activation(name), parse_activation("sigmoid"))).traits().smooth;
  };
  for (const char* name : {"identity", "tanh", "sigmoid", "softplus", "silu", "gelu", "gelu_tanh"}) {
    EXPECT_TRUE(smooth(name)) << name;
  }
  for (const char* name : {"relu", "leaky_relu", "elu"}) EXPECT_FALSE(smooth(name)) << name;
}

void expect_refused(std::vector<Layer> layers, const char* message) {
  EXPECT_THAT([&] { Network(layers, "net"); }, ::testing::ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
}

TEST(Network, RefusesLayersThatMakeNoSense) {
  const auto good = random_layers({2, 3, 4}, parse_activation("tanh"), parse_activation("tanh"));
  expect_refused({}, "network 'net' has no layer");
  auto layers = good;
  layers[1].weight.resize(4, 2);
  layers[1].weight.setZero();
  expect_refused(layers,
                 "network 'net', layer 1: the weight must have 3 columns, as many as the layer before has "
                 "outputs, got 4×2");
  layers = good;
  layers[0].weight.resize(0, 2);
  expect_refused(layers, "layer 0: the weight is empty");
  layers = good;
  layers[0].bias.setZero(2);
  expect_refused(layers, "layer 0: the bias must have 3 elements, one for each row of the weight, got 2");
  layers = good;
  layers[1].weight(2, 1) = std::numeric_limits<double>::infinity();
  expect_refused(layers, "layer 1: weight and bias must be finite");
  layers = good;
  layers[1].bias(0) = std::nan("");
  expect_refused(layers, "layer 1: weight and bias must be finite");
  layers = good;
  layers[0].activation = {ActivationKind::kSoftplus, -1};
  expect_refused(layers, "activation 'softplus': its parameter must be a finite positive number, got -1");
}

}  // namespace
}  // namespace pullback
