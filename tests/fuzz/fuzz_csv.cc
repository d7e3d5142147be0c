// Tables of points and pairs. The first byte chooses how many columns are asked for.
#include "pullback/cli/files.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

void read_input(std::string_view input) {
  const int columns = 1 + take_byte(input) % 8;
  const auto path = put("input.csv", input);
  expect_read_or_refused([&] {
    const Matrix table = cli::read_table(path, columns, "a point");
    if (table.rows() != columns || table.cols() == 0 || !table.allFinite()) std::abort();
  });
}

}  // namespace pullback::fuzz
