// A folder of TorchScript files that a test writes. The modules are compiled from source text, so that no Python is
// needed.
#pragma once

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pullback/base/error.h"
#include "pullback/generators/torch/torch_generator.h"

namespace pullback::testing {

inline at::Tensor weight(std::vector<std::int64_t> shape, unsigned seed) {
  at::Tensor t = at::empty(shape, at::kFloat);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.5);
  for (std::int64_t i = 0; i < t.numel(); ++i) t.data_ptr<float>()[i] = normal(random);
  return t;
}

class TorchTest : public ::testing::Test {
 protected:
  TorchTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = ("pullback_torch_" + std::to_string(::getpid()) + "_" + info->name());
    std::ranges::replace(name, '/', '_');
    folder_ = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directories(folder_);
  }
  ~TorchTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  // A module with parameters W1 [8, n], b1 [8], W2 [6, 8], b2 [6] and the given methods.
  std::filesystem::path save(const std::string& source, const std::function<void(torch::jit::Module&)>& add = {},
                             int n = 2) const {
    torch::jit::Module module("Model");
    module.register_parameter("W1", weight({8, n}, 1), false);
    module.register_parameter("b1", weight({8}, 2), false);
    module.register_parameter("W2", weight({6, 8}, 3), false);
    module.register_parameter("b2", weight({6}, 4), false);
    if (add) add(module);
    module.define(source);
    module.save(file("model.pt").string());
    return file("model.pt");
  }

  std::shared_ptr<const Generator> read(const std::string& forward,
                                        const std::function<void(torch::jit::Module&)>& add = {}, int n = 2) const {
    return read_torchscript(save("def forward(self, x: Tensor) -> Tensor:\n" + forward, add, n));
  }

  std::shared_ptr<const Generator> read_with(int dimension, const std::string& forward) const {
    return read_torchscript(save("def forward(self, x: Tensor) -> Tensor:\n" + forward), {.dimension = dimension});
  }

  // The message, which must be one line that starts with the path.
  static std::string refusal(const std::filesystem::path& path) {
    try {
      read_torchscript(path);
    } catch (const Error& error) {
      std::string message = error.what();
      EXPECT_THAT(message, ::testing::StartsWith(path.string() + ": "));
      EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr("\n")));
      return message.substr(path.string().size() + 2);
    }
    ADD_FAILURE() << path << " was not refused";
    return "";
  }

  static std::string bytes(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path put(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }

  std::filesystem::path folder_;
};

}  // namespace pullback::testing
