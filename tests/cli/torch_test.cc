// The tool opens TorchScript files, and pays for LibTorch only then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include <cstdlib>
#include <string>

#include "tool.h"

namespace pullback::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string save_saddle(const Folder& folder) {
  torch::jit::Module module("Saddle");
  module.define(
      "def forward(self, x):\n"
      "    return torch.stack([x[:, 0], x[:, 1], x[:, 0] * x[:, 1]], dim=1)\n");
  module.save(folder / "saddle.pt");
  return folder / "saddle.pt";
}

TEST(Torch, AGeodesicOfATorchScriptFile) {
  const Folder folder;
  // The z = xy saddle is ruled: its rulings are straight in space, so this geodesic has length √2.
  const Finished finished =
      run_tool({"geodesic", save_saddle(folder), "--from", "1,0", "--to", "1,1", "--solver", "energy"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("1.41421")) << finished.err;
}

TEST(Torch, ATruncatedFileIsSaidInOneLine) {
  const Folder folder;
  const std::string whole = read_file(save_saddle(folder));
  const Finished finished = run_tool({"inspect", folder.put("short.pt", whole.substr(0, whole.size() / 2))});
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(count(finished.err, "\n"), 1) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("short.pt: is truncated, damaged or not TorchScript"));
}

TEST(Torch, AnUnsaidDimensionComesWithTheOptionsThatSayIt) {
  const Folder folder;
  torch::jit::Module module("Sum");
  module.define("def forward(self, x):\n    return torch.cat([x, x.sum(1, keepdim=True)], dim=1)\n");
  module.save(folder / "sum.pt");
  const Finished finished = run_tool({"inspect", folder / "sum.pt", "--grid", "2"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_THAT(finished.err, HasSubstr("--from, --pairs or --points, or --dimension N"));
  EXPECT_EQ(run_tool({"inspect", folder / "sum.pt", "--grid", "2", "--dimension", "2"}).status, 0);
}

// The dynamic loader says on standard error which libraries it opens.
TEST(Torch, IsLoadedOnlyForItsFiles) {
  const Folder folder;
  const std::string file = save_saddle(folder);
  ::setenv("LD_DEBUG", "files", 1);
  const Finished listing = run_tool({"solvers"});
  const Finished inspection = run_tool({"inspect", file, "--grid", "2"});
  ::unsetenv("LD_DEBUG");
  EXPECT_THAT(listing.err, HasSubstr("libpullback_generators"));
  EXPECT_THAT(listing.err, Not(HasSubstr("libtorch")));
  EXPECT_THAT(inspection.err, HasSubstr("libtorch"));
}

}  // namespace
}  // namespace pullback::cli
