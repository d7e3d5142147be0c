// TorchScript files. The modules are compiled from source text here, so that the test needs no Python.
#include "pullback/generators/torch/torch_generator.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "pullback/base/error.h"
#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/network/network.h"
#include "pullback/generators/torch/tensor_derivatives.h"
#include "torch_fixture.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::TorchTest;
using testing::weight;

// Sums of a few dozen terms in another order.
constexpr double kRounding = 1e-13;

Matrix points(int n, int count, unsigned seed = 7) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  return Matrix::NullaryExpr(n, count, [&] { return normal(random); });
}

// W2 tanh(W1 x + b1) + b2 in double precision, whatever LibTorch does.
Matrix two_layers(const Matrix& Z, const std::function<double(double)>& inner) {
  const auto matrix = [](const at::Tensor& t) {
    Matrix m(t.size(0), t.dim() == 2 ? t.size(1) : 1);
    for (Eigen::Index i = 0; i < m.size(); ++i) m(i / m.cols(), i % m.cols()) = t.data_ptr<float>()[i];
    return m;
  };
  const Matrix hidden =
      ((matrix(weight({8, Z.rows()}, 1)) * Z).colwise() + Vector(matrix(weight({8}, 2)))).unaryExpr(inner);
  return (matrix(weight({6, 8}, 3)) * hidden).colwise() + Vector(matrix(weight({6}, 4)));
}

void expect_right_derivatives(const Generator& f) {
  const DerivativeReport report = check_derivatives(f, points(f.latent_dimension(), 3));
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kAgrees) << report.summary();
}

TEST_F(TorchTest, AStackBecomesANetworkInDoublePrecision) {
  const auto f = read(
      "    h = torch.tanh(torch.linear(x, self.W1, self.b1))\n"
      "    return torch.linear(h, self.W2, self.b2).view([-1, 2, 3])\n");
  EXPECT_NE(dynamic_cast<const Network*>(f.get()), nullptr);
  EXPECT_EQ(f->latent_dimension(), 2);
  EXPECT_EQ(f->ambient_dimension(), 6);
  EXPECT_EQ(f->traits().name, "model");
  const Matrix Z = points(2, 5);
  EXPECT_LT((f->value(Z) - two_layers(Z, [](double x) { return std::tanh(x); })).norm(), kRounding);
  expect_right_derivatives(*f);
}

struct KnownActivation {
  std::string call;
  ActivationKind kind;
  double parameter;
};
class TorchActivationTest : public TorchTest, public ::testing::WithParamInterface<KnownActivation> {};

TEST_P(TorchActivationTest, IsKnownToTheNetwork) {
  std::string forward = "    h = torch.addmm(self.b1, x, self.W1.t())\n    h = ";
  forward += GetParam().call;
  forward += "\n    return torch.matmul(h, self.W2.t()) + self.b2\n";
  const auto f = read(forward);
  const auto* network = dynamic_cast<const Network*>(f.get());
  ASSERT_NE(network, nullptr);
  ASSERT_EQ(network->layers().size(), 2U);
  EXPECT_EQ(network->layers()[0].activation.kind, GetParam().kind);
  EXPECT_EQ(network->layers()[0].activation.parameter, GetParam().parameter);
}

INSTANTIATE_TEST_SUITE_P(
    All, TorchActivationTest,
    ::testing::Values(KnownActivation{"torch.tanh(h)", ActivationKind::kTanh, 0},
                      KnownActivation{"torch.sigmoid(h)", ActivationKind::kSigmoid, 0},
                      KnownActivation{"torch.relu_(h)", ActivationKind::kRelu, 0},
                      KnownActivation{"torch.leaky_relu(h, 0.25)", ActivationKind::kLeakyRelu, 0.25},
                      KnownActivation{"torch.elu(h, 0.5)", ActivationKind::kElu, 0.5},
                      KnownActivation{"torch.softplus(h, 2.0)", ActivationKind::kSoftplus, 2},
                      KnownActivation{"torch.silu(h)", ActivationKind::kSilu, 0},
                      KnownActivation{"torch.gelu(h)", ActivationKind::kGelu, 0},
                      KnownActivation{"torch.gelu(h, approximate='tanh')", ActivationKind::kGeluTanh, 0},
                      KnownActivation{"torch.tanh(torch.dropout(h, 0.5, False))", ActivationKind::kTanh, 0}),
    [](const auto& info) { return "n" + std::to_string(info.index); });

TEST_F(TorchTest, BatchNormalisationAndScalingBecomePartOfALayer) {
  const auto f = read(
      "    h = torch.linear(x, self.W1, self.b1)\n"
      "    h = torch.batch_norm(h, self.b1, None, self.b1, self.variance, False, 0.1, 1e-5, False)\n"
      "    return 2 * torch.linear(torch.tanh(h), self.W2) / self.b2 - 1\n",
      [](torch::jit::Module& m) { m.register_buffer("variance", weight({8}, 9).abs()); });
  EXPECT_NE(dynamic_cast<const Network*>(f.get()), nullptr);
}

// Each of these runs in LibTorch.
struct OtherModule {
  std::string name;
  std::string forward;
  int latent_dimension = 2;
  bool smooth = true;
  Derivative second = Derivative::kExact;
};
class TorchModuleTest : public TorchTest, public ::testing::WithParamInterface<OtherModule> {};

TEST_P(TorchModuleTest, HasRightDerivatives) {
  const auto add = [](torch::jit::Module& m) {
    m.register_parameter("K1", weight({2, 3, 4, 4}, 5), false);
    m.register_parameter("K2", weight({3, 1, 4, 4}, 6), false);
    if (GetParam().latent_dimension != 2) {
      m.register_attribute("latent_dimension", c10::IntType::get(), GetParam().latent_dimension);
    }
  };
  const auto f = read(GetParam().forward, add);
  EXPECT_EQ(dynamic_cast<const Network*>(f.get()), nullptr);
  EXPECT_EQ(f->latent_dimension(), GetParam().latent_dimension);
  EXPECT_EQ(f->traits().smooth, GetParam().smooth);
  EXPECT_EQ(f->traits().first, Derivative::kExact);
  EXPECT_EQ(f->traits().second, GetParam().second);
  expect_right_derivatives(*f);
}

INSTANTIATE_TEST_SUITE_P(
    All, TorchModuleTest,
    ::testing::Values(
        OtherModule{"Skip",
                    "    h = torch.tanh(torch.linear(x, self.W1, self.b1))\n"
                    "    return h + h * torch.sin(torch.linear(x, self.W1))\n"},
        OtherModule{"Surface", "    return torch.stack([x[:, 0], x[:, 1], torch.sin(x[:, 0]) * x[:, 1]], dim=1)\n"},
        OtherModule{"Softmax", "    return torch.softmax(torch.linear(x, self.W1, self.b1), 1)\n"},
        OtherModule{"LayerNorm",
                    "    h = torch.linear(x, self.W1, self.b1)\n"
                    "    return torch.layer_norm(torch.tanh(h), [8], None, None, 1e-5)\n"},
        OtherModule{"ResidualWithLayerNorm",
                    "    h = torch.tanh(torch.linear(x, self.W1, self.b1))\n"
                    "    h = h + torch.silu(torch.layer_norm(h, [8], self.b1, self.b1, 1e-5))\n"
                    "    return torch.linear(torch.layer_norm(h, [8], self.b1, None, 1e-5), self.W2, self.b2)\n"},
        OtherModule{"Attention",
                    "    h = torch.linear(x, self.W1, self.b1).view([-1, 4, 2])\n"
                    "    h = torch.layer_norm(h, [2], None, None, 1e-2)\n"
                    "    w = torch.softmax(torch.matmul(h, h.transpose(1, 2)), -1)\n"
                    "    return (h + torch.matmul(w, h)).flatten(1)\n"},
        OtherModule{"GroupNorm",
                    "    h = torch.linear(x, self.W1, self.b1).view([-1, 4, 2])\n"
                    "    return torch.tanh(torch.group_norm(h, 2, None, None, 1e-2, False))\n"},
        OtherModule{"Convolutions",
                    "    h = torch.conv_transpose2d(x.view([-1, 2, 1, 1]), self.K1)\n"
                    "    h = torch.conv_transpose2d(torch.softplus(h), self.K2, None, 2, 1)\n"
                    "    return torch.sigmoid(h)\n"},
        OtherModule{"Upsampled",
                    "    h = torch.linear(x, self.W1, self.b1).view([-1, 2, 2, 2])\n"
                    "    return torch.upsample_bilinear2d(torch.gelu(h), [4, 4], False)\n"},
        OtherModule{"Kinked",
                    "    h = torch.relu(torch.linear(x, self.W1, self.b1))\n"
                    "    return torch.cat([h, h * h], 1)\n",
                    2, false},
        OtherModule{"AnyWidth",
                    "    return torch.cat([x * torch.sin(x), torch.cumsum(self.b1[:x.size(1)] * x, 1)], 1)\n", 3}),
    [](const auto& info) { return info.param.name; });

TEST_F(TorchTest, SecondDerivativesThroughANormalisationAreRightInOneWayOnly) {
  const auto F = [](const at::Tensor& z) {
    return at::layer_norm(at::tanh(z.mm(weight({2, 8}, 1).to(at::kDouble))), {8});
  };
  const at::Tensor Z = weight({5, 2}, 2).to(at::kDouble);
  const at::Tensor V = weight({5, 2}, 3).to(at::kDouble);
  const double h = 1e-4;
  const auto slope = [&](const at::Tensor& z) { return internal::reverse_tangents(F, z, V).second; };
  const at::Tensor expected = (slope(Z + h * V) - slope(Z - h * V)) / (2 * h);
  const double size = expected.norm().item<double>();
  EXPECT_LT((internal::second_by_products(F, Z, V) - expected).norm().item<double>(), 1e-6 * size);
  // The other way is why each is judged before it is used. Should it be right one day, it may go.
  EXPECT_GT((internal::second_tangents(F, Z, V) - expected).norm().item<double>(), 1e-3 * size);
}

TEST_F(TorchTest, ForwardAndReverseModeAgree) {
  const auto F = [](const at::Tensor& z) { return at::sin(z.mm(weight({2, 8}, 1).to(at::kDouble))); };
  const at::Tensor Z = weight({5, 2}, 2).to(at::kDouble);
  const at::Tensor V = weight({5, 2}, 3).to(at::kDouble);
  const auto [x, forward] = internal::forward_tangents(F, Z, V);
  const auto [y, reverse] = internal::reverse_tangents(F, Z, V);
  EXPECT_TRUE(at::equal(x, y));
  EXPECT_LT((forward - reverse).norm().item<double>(), kRounding);
  EXPECT_GT(forward.norm().item<double>(), 0.1);
}

TEST_F(TorchTest, ThreadsAgree) {
  const auto f = read("    h = torch.linear(x, self.W1, self.b1)\n    return h * torch.sin(h)\n");
  const Matrix Z = points(2, 20);
  const Matrix expected = f->jacobian(Z);
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) count += (f->jacobian(Z) - expected).norm() > kRounding * expected.norm() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST_F(TorchTest, ALargeBatchIsItsPoints) {
  const auto f = read("    h = torch.linear(x, self.W1, self.b1)\n    return h * torch.sin(h)\n");
  const Matrix Z = points(2, 1500);
  const Matrix J = f->jacobian(Z);
  for (const int k : {0, 511, 512, 1023, 1024, 1499}) {
    EXPECT_LT((J.middleCols(2 * k, 2) - f->jacobian(Z.col(k))).norm(), kRounding * J.norm()) << k;
  }
  EXPECT_EQ(f->value(Matrix(2, 0)).cols(), 0);
}

TEST_F(TorchTest, SinglePrecisionIsStatedInTheName) {
  const auto f =
      read("    h = torch.linear(x.float(), self.W1.float(), self.b1.float())\n    return h * torch.sin(h)\n");
  EXPECT_EQ(f->traits().name, "model (single precision)");
}

TEST_F(TorchTest, ASilentCastToSinglePrecisionIsSeenInTheValues) {
  const auto f =
      read("    h = torch.sin(torch.linear(x, self.W1).float()).double()\n    return torch.cat([x, h * h], 1)\n");
  EXPECT_EQ(f->traits().name, "model (single precision)");
  EXPECT_GT(f->traits().noise, 1e-9);
  EXPECT_LT(f->traits().noise, 1e-6);
  expect_right_derivatives(*f);
  const auto exact = read("    return torch.sin(torch.linear(x, self.W1)) * 2 * x[:, :1]\n");
  EXPECT_EQ(exact->traits().name, "model");
  EXPECT_LT(exact->traits().noise, 1e-14);
}

TEST_F(TorchTest, AWidthThatIsNotSaidIsTakenFromTheOptions) {
  // The stereographic chart of the sphere, in as many dimensions as one likes.
  const std::string sphere =
      "    r = (x * x).sum(1, keepdim=True)\n    return torch.cat([2 * x, 1 - r], 1) / (1 + r)\n";
  for (const int n : {1, 2, 5, 40}) {
    const auto f = read_with(n, sphere);
    EXPECT_EQ(f->latent_dimension(), n);
    EXPECT_EQ(f->ambient_dimension(), n + 1);
    expect_right_derivatives(*f);
  }
  // What is wide enough for any number of coordinates is no evidence of one: the layer is given a sum.
  const std::string sum = "    return torch.cat([x, torch.linear(x.sum(1, keepdim=True), self.b1.view([8, 1]))], 1)\n";
  EXPECT_EQ(read_with(3, sum)->latent_dimension(), 3);
  const auto unsaid = save("def forward(self, x: Tensor) -> Tensor:\n" + sum);
  EXPECT_THAT(refusal(unsaid), HasSubstr("give the dimension as it is opened"));
  EXPECT_THROW(read_torchscript(unsaid), UnknownDimension);
  // The largest coordinate depends on each, at one point or another.
  EXPECT_EQ(read_with(4, "    return torch.cat([x.amax(1, keepdim=True), (x * x).sum(1, keepdim=True)], 1)\n")
                ->latent_dimension(),
            4);
}

TEST_F(TorchTest, AWidthThatTheModuleSaysIsNotOverruled) {
  const std::string pair = "    return torch.stack([x[:, 0], x[:, 1], x[:, 0] * x[:, 1]], dim=1)\n";
  // Features of two coordinates: the first layer's three columns are not the latent dimension.
  const std::string features =
      "    h = torch.stack([x[:, 0], x[:, 1], x[:, 0] * x[:, 1]], dim=1)\n"
      "    return torch.linear(h, self.b2.view([2, 3])) + x\n";
  for (const int dimension : {0, 1, 2, 3}) {
    EXPECT_EQ(read_with(dimension, pair)->latent_dimension(), 2) << dimension;
    EXPECT_EQ(read_with(dimension, features)->latent_dimension(), 2) << dimension;
  }
  EXPECT_EQ(read_with(3, "    return torch.tanh(torch.linear(x, self.W1))\n")->latent_dimension(), 2);
}

// Files of a current PyTorch (data/README.md).
TEST_F(TorchTest, NoGradIsNoObstacle) {
  // Values are what a generator is: forward mode differentiates what no_grad hides from reverse mode.
  const auto f = read_torchscript(fs::path(PULLBACK_TORCH_FILES) / "no_grad.pt");
  EXPECT_EQ(f->traits().first, Derivative::kExact);
  EXPECT_EQ(f->traits().second, Derivative::kFiniteDifference);
  expect_right_derivatives(*f);
}

TEST_F(TorchTest, NetworksWithLayerNormHaveExactSecondDerivatives) {
  for (const char* name : {"residual.pt", "transformer.pt"}) {
    const auto f = read_torchscript(fs::path(PULLBACK_TORCH_FILES) / name);
    EXPECT_EQ(f->traits().second, Derivative::kExact) << name;
    expect_right_derivatives(*f);
  }
}

TEST_F(TorchTest, AnOperationWithoutDerivativesIsDifferenced) {
  const auto f = read("    return torch.special_bessel_j0(torch.linear(x, self.W1, self.b1))\n");
  EXPECT_EQ(f->traits().first, Derivative::kFiniteDifference);
  EXPECT_EQ(f->traits().second, Derivative::kFiniteDifference);
  expect_right_derivatives(*f);
}

TEST_F(TorchTest, AStepIsNoMistakeOfTheDerivatives) {
  const auto f = read("    return torch.stack([x[:, 0], x[:, 1], (x[:, 0] > 0.1).double()], dim=1)\n");
  EXPECT_FALSE(f->traits().smooth);
  EXPECT_EQ(f->traits().first, Derivative::kExact);
}

}  // namespace
}  // namespace pullback
