#include "pullback/solvers/plugin_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "pullback/base/error.h"

namespace pullback {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

namespace fs = std::filesystem;

const fs::path kPlugins = PULLBACK_BAD_PLUGINS;  // where CMake put them

class PluginLoader : public testing::Test {
 protected:
  PluginLoader() {
    registrar_.solvers.add_unavailable("energy", "a name that is taken", "does nothing");
    directory_ = fs::path(testing::TempDir()) /
                 ("plugin_loader_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~PluginLoader() override { fs::remove_all(directory_); }

  static fs::path plugin(const std::string& name) { return kPlugins / ("bad_" + name + ".so"); }

  fs::path write(const std::string& name, const std::string& content) {
    const fs::path path = directory_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  // Refused with the path and this reason, and without a trace in the registries.
  void expect_refused(const fs::path& path, const std::string& reason) {
    SCOPED_TRACE(path);
    EXPECT_THAT([&] { load_plugin(path, registrar_); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr(reason))));
    EXPECT_EQ(solvers_.entries().size(), 1u);
    EXPECT_EQ(solvers_.origin(), "built in");
    EXPECT_EQ(generators_.list().size(), readers_at_first_);
  }

  SolverRegistry solvers_;
  GeneratorRegistry generators_;
  PluginRegistrar registrar_{solvers_, generators_};
  std::size_t readers_at_first_ = generators_.list().size();
  fs::path directory_;
};

TEST_F(PluginLoader, RegistersWhatAPluginBringsWithItsOrigin) {
  load_plugin(plugin("good"), registrar_);
  ASSERT_TRUE(solvers_.entries().contains("good"));
  EXPECT_EQ(solvers_.entries().at("good").origin, plugin("good").string());
  EXPECT_EQ(solvers_.entries().at("energy").origin, "built in");
  EXPECT_EQ(solvers_.origin(), "built in");
  EXPECT_EQ(generators_.list().size(), readers_at_first_ + 1);
}

TEST_F(PluginLoader, LoadsByARelativePath) {
  load_plugin(fs::relative(plugin("good")), registrar_);
  EXPECT_TRUE(solvers_.entries().contains("good"));
}

TEST_F(PluginLoader, RefusesToLoadTheSameTwice) {
  load_plugin(plugin("good"), registrar_);
  EXPECT_THAT([&] { load_plugin(plugin("good"), registrar_); },
              ThrowsMessage<Error>(HasSubstr("'good' is registered already")));
  EXPECT_EQ(solvers_.entries().size(), 2u);
}

TEST_F(PluginLoader, RefusesWhatIsNoSharedObject) {
  expect_refused(directory_ / "absent.so", "No such file");
  expect_refused(directory_, "not a file");
  expect_refused(write("text.so", "this is a text\n"), "is not a shared object");
  expect_refused(write("empty.so", ""), "is not a shared object");
  expect_refused(write("magic.so", "\177ELF and no more of it"), "shorter than its own headers say");
}

TEST_F(PluginLoader, RefusesATruncatedSharedObject) {
  const fs::path path = directory_ / "truncated.so";
  for (const double share : {0.001, 0.05, 0.5, 0.9, 0.9999}) {
    fs::copy_file(plugin("good"), path, fs::copy_options::overwrite_existing);
    fs::resize_file(path, static_cast<std::uintmax_t>(share * static_cast<double>(fs::file_size(path))));
    expect_refused(path, "shorter than its own headers say");
  }
}

TEST_F(PluginLoader, RefusesASharedObjectWithoutTheEntryPoint) {
  expect_refused(plugin("no_entry"), "has no entry point 'pullback_plugin'");
}

TEST_F(PluginLoader, RefusesAnotherApiVersion) {
  expect_refused(plugin("other_api"), "was made for plugin API version 2, this program has 1");
}

TEST_F(PluginLoader, RefusesAnotherEigenAlignment) {
  expect_refused(plugin("other_alignment"), "it was built with Eigen alignment 64, this program with " +
                                                std::to_string(EIGEN_MAX_ALIGN_BYTES) +
                                                ": compile it without -march=native and EIGEN_MAX_ALIGN_BYTES");
}

TEST_F(PluginLoader, RefusesAnotherMinorVersionOfTheLibrary) {
  expect_refused(plugin("next_minor"),
                 "it was built with pullback version code " PULLBACK_NEXT_VERSION_CODE
                 ", this program with " PULLBACK_VERSION_CODE ": build it against this version of pullback");
}

// Whatever was built against one release of a minor version runs with all of them.
TEST_F(PluginLoader, LoadsAPluginOfAnotherPatchVersion) {
  load_plugin(plugin("next_patch"), registrar_);
  EXPECT_TRUE(solvers_.entries().contains("good"));
}

TEST_F(PluginLoader, RefusesClassesOfOtherSizes) {
  expect_refused(plugin("other_layout"), "it was built with classes of layout");
}

TEST_F(PluginLoader, RefusesADescriptionWithoutACallback) {
  expect_refused(plugin("null_callback"), "has no callback");
}

TEST_F(PluginLoader, TakesBackWhatWasRegisteredBeforeAnException) {
  expect_refused(plugin("throws"), "threw while registering: the licence server is on fire");
  expect_refused(plugin("throws_int"), "threw something that is not a std::exception while registering");
  expect_refused(plugin("duplicate"), "a solver named 'energy' is registered already (built in)");
}

TEST_F(PluginLoader, GoesOnPastABadFileOfADirectory) {
  fs::copy_file(plugin("throws"), directory_ / "a.so");
  fs::copy_file(plugin("good"), directory_ / "b.so");
  write("c.so", "not a plugin");
  write("notes.txt", "not looked at");
  const std::vector<std::string> failures = load_plugin_directory(directory_, registrar_);
  EXPECT_THAT(failures, ElementsAre(HasSubstr("a.so"), HasSubstr("c.so")));
  EXPECT_TRUE(solvers_.entries().contains("good"));
  EXPECT_EQ(solvers_.entries().size(), 2u);
}

TEST_F(PluginLoader, RefusesADirectoryThatCannotBeRead) {
  EXPECT_THAT([&] { load_plugin_directory(directory_ / "absent", registrar_); },
              ThrowsMessage<Error>(AllOf(HasSubstr((directory_ / "absent").string()), HasSubstr("No such file"))));
}

TEST_F(PluginLoader, KnowsTheVersionOfTheProject) {
  EXPECT_EQ(this_build().library_version, static_cast<std::uint32_t>(std::stoi(PULLBACK_VERSION_CODE)));
}

}  // namespace
}  // namespace pullback
