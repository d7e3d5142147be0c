// What the tool must not write over, and pipes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tool.h"

namespace pullback::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Commands whose output is one of their inputs: refused before anything is done, with the file as it was.
struct Clash {
  std::string name;
  std::function<std::vector<std::string>(const Folder& folder, const std::string& output)> arguments;
};

void PrintTo(const Clash& clash, std::ostream* out) { *out << clash.name; }

class ClashTest : public ::testing::TestWithParam<Clash> {};

TEST_P(ClashTest, IsRefusedUnderEveryName) {
  const Folder folder;
  const std::string input = folder.put("input", "1,1,1.2,1.1\n");
  fs::create_symlink("input", folder / "symbolic");
  fs::create_hard_link(input, folder / "hard");
  for (const std::string& output : {input, folder / "symbolic", folder / "hard", folder / "./input"}) {
    const Finished finished = run_tool(GetParam().arguments(folder, output));
    EXPECT_EQ(finished.status, 2) << output << finished.err;
    EXPECT_THAT(finished.out, IsEmpty());
    EXPECT_THAT(finished.err, HasSubstr("choose another name"));
    EXPECT_EQ(read_file(input), "1,1,1.2,1.1\n");
  }
}

std::vector<Clash> clashes() {
  const auto in = [](const Folder& folder) { return folder / "input"; };
  return {
      {"PairsAndJson",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"geodesic", "sphere", "--pairs", in(f), "--json", out};
       }},
      {"PointsAndJson",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"geodesic", "sphere",   "--from", "1,1",    "--to",
                                         "1,2",      "--points", in(f),    "--json", out};
       }},
      {"ModelAndJson",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"geodesic", in(f), "--from", "1,1", "--to", "1,2", "--json", out};
       }},
      {"PluginAndJson",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"geodesic", "sphere",   "--from", "1,1",    "--to",
                                         "1,2",      "--plugin", in(f),    "--json", out};
       }},
      {"TableAndOut",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"distances", "sphere", in(f), "--out", out};
       }},
      {"OutAndJson",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"distances", "sphere", f.put("points.csv", "1,1\n"), "--out", in(f),
                                         "--json",    out};
       }},
      {"InspectedPoints",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"inspect", "sphere", "--points", in(f), "--json", out};
       }},
      {"VerifiedResults",
       [=](const Folder& f, const std::string& out) {
         return std::vector<std::string>{"verify", in(f), "--json", out};
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(Commands, ClashTest, ::testing::ValuesIn(clashes()),
                         [](const auto& info) { return info.param.name; });

TEST(Clash, OfAFolderIsRefused) {
  const Folder folder;
  fs::create_directory(folder / "out");
  const std::string results = folder / "out/report.html";
  std::ofstream(results) << "{}";
  const Finished finished = run_tool({"study", "jacobian", "--from", results, "--out", folder / "out"});
  EXPECT_EQ(finished.status, 2) << finished.err;
  EXPECT_EQ(read_file(results), "{}");
}

TEST(Pipes, AreReadAndWritten) {
  const Folder folder;
  ASSERT_EQ(mkfifo((folder / "pairs").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((folder / "out").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(folder / "pairs") << "1,1,1.2,1.1\n"; });
  std::string written;
  std::thread reader([&] { written = read_file(folder / "out"); });
  const Finished finished =
      run_tool({"geodesic", "sphere", "--solver", "newton", "--pairs", folder / "pairs", "--json", folder / "out"});
  writer.join();
  reader.join();
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(written, HasSubstr("\"converged\""));
}

// One signal ends the wait for the other side of a pipe.
TEST(Pipes, AreGivenUpOnOneSignal) {
  const Folder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const bool input : {true, false}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const std::string pipe = folder / "pipe";
      const std::vector<const char*> arguments =
          input ? std::vector<const char*>{PULLBACK_TOOL, "geodesic", "sphere", "--pairs", pipe.c_str(), nullptr}
                : std::vector<const char*>{PULLBACK_TOOL, "geodesic", "sphere", "--from", "1,1",        "--to",
                                           "1,1.1",       "--solver", "newton", "--json", pipe.c_str(), nullptr};
      execv(PULLBACK_TOOL, const_cast<char* const*>(arguments.data()));
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::seconds(2));
    ASSERT_EQ(kill(child, SIGINT), 0);
    int status = 0;
    for (int i = 0; i < 200 && waitpid(child, &status, WNOHANG) == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_EQ(kill(child, 0), -1) << "it waits on";
    kill(child, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 1) << input;
  }
}

}  // namespace
}  // namespace pullback::cli
