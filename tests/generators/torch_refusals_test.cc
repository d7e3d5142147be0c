// What is refused of TorchScript files, and how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "torch_fixture.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TorchTest;
using testing::weight;

TEST_F(TorchTest, AnOperatorOfALaterPyTorchIsNamed) {
  EXPECT_THAT(refusal(fs::path(PULLBACK_TORCH_FILES) / "rms_norm.pt"),
              HasSubstr("it uses the operator aten::rms_norm, which LibTorch"));
}

TEST_F(TorchTest, AModuleThatIsNoFunctionOfPointsIsRefused) {
  const std::map<std::string, std::string> cases = {
      {"    return torch.linear(x, self.W1).sum(0)\n", "expected [3, ...]"},
      {"    return torch.linear(x, self.W1) - torch.linear(x, self.W1).sum(0)\n",
       "rows of a batch influence one another"},
      {"    return torch.linear(x, self.W1) + torch.rand_like(self.b1)\n", "two evaluations of the same points differ"},
      {"    return torch.linear(x, self.W1) > 0\n", "expected floating point"},
      {"    return torch.linear(x, self.W1).data * torch.sin(torch.linear(x, self.W1))\n", "contradict its values"},
      {"    return x * torch.sin(x)\n", "integer attribute latent_dimension"},
      // Right at most points, and so it must be judged at each.
      {"    h = torch.linear(x, self.W1)\n    return torch.where(h > 2, h.data * h.data, h * h)\n", "of 24 probes"},
      {"    return torch.round(100 * torch.linear(x, self.W1)) / 100\n", "aten::round"},
      {"    self.b1 = x[0]\n    return x * self.b1\n", "changes its own attribute 'b1'"},
      {"    assert x.size(1) > 5, 'odd things'\n    return torch.linear(x, self.W1)\n", "odd things"},
      {"    return torch.linear(torch.linear(x, self.W1), self.W1)\n", "shapes cannot be multiplied"},
  };
  for (const auto& [forward, message] : cases) {
    EXPECT_THAT(refusal(save("def forward(self, x: Tensor) -> Tensor:\n" + forward)), HasSubstr(message)) << forward;
  }
}

TEST_F(TorchTest, AModuleOfAnotherFormIsRefused) {
  EXPECT_THAT(refusal(save("def forward(self, x: Tensor, y: Tensor) -> Tensor:\n    return x + y\n")),
              HasSubstr("takes 2 arguments"));
  EXPECT_THAT(refusal(save("def forward(self, x: int) -> int:\n    return x\n")), HasSubstr("takes a int"));
  EXPECT_THAT(refusal(save("def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:\n    return x, x\n")),
              HasSubstr("returns Tuple"));
  EXPECT_THAT(refusal(save("def decode(self, x: Tensor) -> Tensor:\n    return x\n")), HasSubstr("no forward"));
  const auto bad = [](torch::jit::Module& m) { m.register_parameter("nan", at::full({2}, NAN), false); };
  EXPECT_THAT(refusal(save("def forward(self, x: Tensor) -> Tensor:\n    return torch.linear(x, self.W1)\n", bad)),
              HasSubstr("NaN or infinite"));
}

TEST_F(TorchTest, AFileThatIsNoTorchScriptIsRefused) {
  EXPECT_THAT(refusal(file("absent.pt")), HasSubstr("No such file"));
  EXPECT_THAT(refusal(folder_), HasSubstr("is a folder"));
  EXPECT_THAT(refusal(put("empty.pt", "")), HasSubstr("is empty"));
  EXPECT_THAT(refusal(put("text.pt", "not a model")), HasSubstr("not a zip archive"));
  EXPECT_THAT(refusal(put("legacy.pt", std::string("\x80\x02\x8a\x0a", 4))), HasSubstr("pickled Python object"));
  EXPECT_THAT(refusal(put("zip.pt", std::string("PK\x05\x06") + std::string(18, '\0'))), HasSubstr("not TorchScript"));
  const std::vector<char> pickled = torch::jit::pickle_save(weight({3}, 1));
  EXPECT_THAT(refusal(put("tensor.pt", {pickled.begin(), pickled.end()})), HasSubstr("pickled Python object"));
}

TEST_F(TorchTest, ADamagedFileIsRefused) {
  const std::string whole =
      bytes(save("def forward(self, x: Tensor) -> Tensor:\n    return torch.linear(x, self.W1)\n"));
  for (const double part : {0.001, 0.1, 0.5, 0.9, 0.999}) {
    const auto size = static_cast<std::size_t>(part * static_cast<double>(whole.size()));
    EXPECT_THAT(refusal(put("short.pt", whole.substr(0, size))), Not(::testing::IsEmpty())) << part;
  }
  // A weight is the bytes of a tensor; damage there leaves a module that loads.
  const at::Tensor first = weight({8, 2}, 1);
  const std::string needle(reinterpret_cast<const char*>(first.data_ptr<float>()), 16);
  const std::size_t at = whole.find(needle);
  ASSERT_NE(at, std::string::npos);
  std::string flipped = whole;
  flipped[at + 1] = static_cast<char>(flipped[at + 1] ^ 0x10);
  EXPECT_THAT(refusal(put("flipped.pt", flipped)), HasSubstr("damaged"));
}

}  // namespace
}  // namespace pullback
