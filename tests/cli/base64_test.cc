#include "pullback/cli/base64.h"

#include <gtest/gtest.h>

namespace pullback::cli {
namespace {

// The examples of RFC 4648, section 10.
TEST(Base64, AsInTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace pullback::cli
