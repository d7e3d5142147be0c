#include "pullback/cli/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "pullback/base/error.h"
#include "tool.h"

namespace pullback::cli {
namespace {

using ::testing::ElementsAre;

Matrix read(const std::string& content, int columns) {
  const Folder folder;
  return read_table(folder.put("table.csv", content), columns, "a point");
}

TEST(ReadTable, MakesColumnsOfRows) {
  Matrix expected(2, 3);
  expected << 1, 3, 5, 2, 4, 6;
  EXPECT_EQ(read("1,2\n3,4\n5,6", 2), expected);
}

TEST(ReadTable, PassesOverWhatIsNotARow) {
  Matrix expected(2, 2);
  expected << 1, 3, 2, 4;
  EXPECT_EQ(read("x,y\n1,2\n3,4\n", 2), expected) << "header";
  EXPECT_EQ(read("\"1\",\"2\"\n3,\"4\"\n", 2), expected) << "quoted, the first row too";
  EXPECT_EQ(read("\xEF\xBB\xBFx,y\r\n1, 2\r\n\r\n 3 ,4\r\n", 2), expected) << "as spreadsheets write it";
  EXPECT_EQ(read("# note\n1,2\n# note\n3,4", 2), expected) << "comments";
}

TEST(ReadTable, TakesOnlyTheFirstLineForAHeader) {
  EXPECT_THROW(read("1,2\nx,y\n", 2), Error);
  EXPECT_THROW(read("x,y\nx,y\n1,2\n", 2), Error);
  EXPECT_THROW(read("x,2\n1,2\n", 2), Error) << "half a header is a damaged row";
}

TEST(WriteFile, ReplacesAndLeavesNothingBeside) {
  const Folder folder;
  const std::string path = folder.put("out.json", "old");
  write_file(path, "new");
  EXPECT_EQ(read_file(path), "new");
  EXPECT_THAT(folder.list(), ElementsAre("out.json"));
}

TEST(WriteFile, KeepsTheOldWhereItCannotWrite) {
  const Folder folder;
  EXPECT_THROW(write_file(folder / "absent/out.json", "new"), Error);
  EXPECT_THAT(folder.list(), ElementsAre());
}

TEST(WriteFile, SaysThatTheDiskIsFull) { EXPECT_THROW(write_file("/dev/full", "content"), Error); }

TEST(RequireWritable, LeavesNothing) {
  const Folder folder;
  require_writable(folder / "new.json");
  require_writable(folder.put("old.json", "old"));
  EXPECT_THAT(folder.list(), ElementsAre("old.json"));
  EXPECT_EQ(read_file(folder / "old.json"), "old");
  EXPECT_THROW(require_writable(folder.path()), Error);
}

}  // namespace
}  // namespace pullback::cli
