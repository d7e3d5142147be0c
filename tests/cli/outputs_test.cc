// What the tool writes, and what it must not write over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
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

#include "pullback/base/atomic_file.h"
#include "pullback/base/error.h"
#include "pullback/cli/files.h"
#include "pullback/cli/streams.h"
#include "tool.h"

namespace pullback::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(AtomicFile, KeepsTheModeOfItsTarget) {
  const Folder folder;
  const std::string path = folder.put("out.json", "old");
  for (const mode_t mode : {0600U, 0640U, 0755U}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    write_file(path, "new");
    EXPECT_EQ(mode_of(path), mode);
  }
  const mode_t mask = umask(0);
  umask(mask);
  write_file(folder / "fresh.json", "new");
  EXPECT_EQ(mode_of(folder / "fresh.json"), 0666 & ~mask);
}

TEST(AtomicFile, ReplacesWhatALinkPointsTo) {
  const Folder folder;
  const std::string path = folder.put("out.json", "old");
  fs::create_symlink("out.json", folder / "link");
  fs::create_symlink(folder / "link", folder / "again");
  write_file(folder / "again", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link") && fs::is_symlink(folder / "again"));
  EXPECT_FALSE(fs::is_symlink(path));
  EXPECT_EQ(read_file(path), "new");
  fs::create_symlink("nowhere.json", folder / "dangling");
  write_file(folder / "dangling", "made");
  EXPECT_EQ(read_file(folder / "nowhere.json"), "made");
  fs::create_symlink("round", folder / "round");
  EXPECT_THROW(write_file(folder / "round", "x"), Error);
  fs::remove(folder / "round");
  EXPECT_THAT(folder.list(), ::testing::SizeIs(5)) << "two files and three links";
}

TEST(AtomicFile, DoesNotWriteThroughWhatWasPlanted) {
  const Folder folder;
  const std::string victim = folder.put("victim", "precious");
  for (int i = 0; i < 100; ++i) {
    fs::create_symlink(victim, folder / ("out.json." + std::to_string(getpid() + i) + ".tmp"));
  }
  write_file(folder / "out.json", "new");
  EXPECT_EQ(read_file(victim), "precious");
  EXPECT_EQ(read_file(folder / "out.json"), "new");
}

TEST(AtomicFile, TakesNamesAsLongAsTheyCanBe) {
  const Folder folder;
  const std::string path = folder / std::string(255, 'n');
  write_file(path, "new");
  EXPECT_EQ(read_file(path), "new");
}

TEST(WriteFiles, AllAreOldWhereOneCannotBeWritten) {
  const Folder folder;
  const std::string results = folder.put("results.json", "old");
  EXPECT_THROW(write_files({{results, "new"}, {folder / "absent/report.html", "new"}}), Error);
  EXPECT_EQ(read_file(results), "old");
  EXPECT_THAT(folder.list(), ElementsAre("results.json"));
}

// A limit on the size of files stands for a full disk: the second file does not fit.
TEST(WriteFiles, AllAreOldWhereTheDiskIsFull) {
  const Folder folder;
  const std::string results = folder.put("results.json", "old");
  const std::string report = folder.put("report.html", "old");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_files({{results, "new"}, {report, std::string(2000, 'x')}});
      _exit(0);
    } catch (const Error&) {
      _exit(3);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(read_file(results), "old");
  EXPECT_EQ(read_file(report), "old");
  EXPECT_THAT(folder.list(), ElementsAre("report.html", "results.json"));
}

TEST(SameFile, SeesThroughLinks) {
  const Folder folder;
  const std::string path = folder.put("a", "");
  fs::create_symlink("a", folder / "symbolic");
  fs::create_hard_link(path, folder / "hard");
  fs::create_directory(folder / "sub");
  EXPECT_TRUE(same_file(path, folder / "symbolic"));
  EXPECT_TRUE(same_file(path, folder / "hard"));
  EXPECT_TRUE(same_file(path, folder / "sub/../a"));
  EXPECT_FALSE(same_file(path, folder.put("b", "")));
  EXPECT_TRUE(same_file(folder / "new", folder / "sub/../new")) << "not there yet";
  EXPECT_FALSE(same_file(folder / "new", folder / "newer"));
  EXPECT_FALSE(same_file("/dev/null", "/dev/null")) << "what is no file may be read and written";
}

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
