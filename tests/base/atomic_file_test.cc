#include "pullback/base/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "pullback/base/error.h"
#include "tests/base/folder.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;
using pullback::testing::Folder;
using pullback::testing::read_file;
using ::testing::ElementsAre;

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
    write_atomically({{path, "new"}});
    EXPECT_EQ(mode_of(path), mode);
  }
  const mode_t mask = umask(0);
  umask(mask);
  write_atomically({{folder / "fresh.json", "new"}});
  EXPECT_EQ(mode_of(folder / "fresh.json"), 0666 & ~mask);
}

TEST(AtomicFile, ReplacesWhatALinkPointsTo) {
  const Folder folder;
  const std::string path = folder.put("out.json", "old");
  fs::create_symlink("out.json", folder / "link");
  fs::create_symlink(folder / "link", folder / "again");
  write_atomically({{folder / "again", "new"}});
  EXPECT_TRUE(fs::is_symlink(folder / "link") && fs::is_symlink(folder / "again"));
  EXPECT_FALSE(fs::is_symlink(path));
  EXPECT_EQ(read_file(path), "new");
  fs::create_symlink("nowhere.json", folder / "dangling");
  write_atomically({{folder / "dangling", "made"}});
  EXPECT_EQ(read_file(folder / "nowhere.json"), "made");
  fs::create_symlink("round", folder / "round");
  EXPECT_THROW(write_atomically({{folder / "round", "x"}}), Error);
  fs::remove(folder / "round");
  EXPECT_THAT(folder.list(), ::testing::SizeIs(5)) << "two files and three links";
}

TEST(AtomicFile, DoesNotWriteThroughWhatWasPlanted) {
  const Folder folder;
  const std::string victim = folder.put("victim", "precious");
  for (int i = 0; i < 100; ++i) {
    fs::create_symlink(victim, folder / ("out.json." + std::to_string(getpid() + i) + ".tmp"));
  }
  write_atomically({{folder / "out.json", "new"}});
  EXPECT_EQ(read_file(victim), "precious");
  EXPECT_EQ(read_file(folder / "out.json"), "new");
}

TEST(AtomicFile, TakesNamesAsLongAsTheyCanBe) {
  const Folder folder;
  const std::string path = folder / std::string(255, 'n');
  write_atomically({{path, "new"}});
  EXPECT_EQ(read_file(path), "new");
}

TEST(WriteAtomically, AllAreOldWhereOneCannotBeWritten) {
  const Folder folder;
  const std::string results = folder.put("results.json", "old");
  EXPECT_THROW(write_atomically({{results, "new"}, {folder / "absent/report.html", "new"}}), Error);
  EXPECT_EQ(read_file(results), "old");
  EXPECT_THAT(folder.list(), ElementsAre("results.json"));
}

// A limit on the size of files stands for a full disk: the second file does not fit.
TEST(WriteAtomically, AllAreOldWhereTheDiskIsFull) {
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
      write_atomically({{results, "new"}, {report, std::string(2000, 'x')}});
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

}  // namespace
}  // namespace pullback
