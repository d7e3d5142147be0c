// Every family makes problems that the judge can judge, and what a hunt finds can be repeated.
#include "tests/hunt/hunt.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/hunt/path.h"
#include "tests/plugins/problems.h"

namespace pullback::hunt {
namespace {

using pullback::testing::registries;

TEST(Families, AreAtLeastThirtyWithNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Family& family : all_families("")) names.insert(family.name);
  EXPECT_EQ(names.size(), all_families("").size());
  EXPECT_GE(names.size(), 30U);
}

// What is known of a problem must be true of the straight way, which joins the ends.
TEST(Families, KnowNothingThatTheStraightWayRefutes) {
  for (const Family& family : all_families("")) {
    for (std::uint64_t k = 0; k < 20; ++k) {
      const Problem p = make_problem(family, 7, k);
      ASSERT_EQ(p.geodesic.from.size(), p.truth->dimension()) << family.name;
      ASSERT_EQ(p.geodesic.manifold->dimension(), p.truth->dimension()) << family.name;
      if (!p.known.infimum) continue;
      const Arc arc = measure_path(*p.truth, Path(Curve::straight(p.geodesic.from, p.geodesic.to)));
      EXPECT_GE(static_cast<double>(arc.length), static_cast<double>(*p.known.infimum * (1 - 1e-9L) - arc.error))
          << family.name << " problem " << k;
    }
  }
}

// The solvers' metric and the judge's are the same, but where the Jacobian is meant to be wrong or comes by
// differences.
TEST(Families, ShowTheSolversWhatTheJudgeSees) {
  for (const Family& family : all_families("")) {
    if (family.name == "wrong-jacobian" || family.name == "callback-values") continue;
    for (std::uint64_t k = 0; k < 5; ++k) {
      const Problem p = make_problem(family, 3, k);
      const Vector v = Vector::Ones(p.geodesic.from.size());
      const RealVector z = p.geodesic.from.cast<Real>();
      const Real speed = p.truth->speed(z.data(), RealVector(v.cast<Real>()).data());
      EXPECT_NEAR(p.geodesic.manifold->norm(p.geodesic.from, v), static_cast<double>(speed), 1e-6 * speed)
          << family.name << " problem " << k;
    }
  }
}

TEST(Families, AreFunctionsOfTheSeedAndTheNumber) {
  for (const Family& family : all_families("")) {
    EXPECT_EQ(make_problem(family, 5, 9).geodesic.to, make_problem(family, 5, 9).geodesic.to) << family.name;
    EXPECT_NE(make_problem(family, 5, 9).geodesic.to, make_problem(family, 5, 10).geodesic.to) << family.name;
  }
}

TEST(Hunt, IsTheSameOnAnyNumberOfThreads) {
  std::vector<Family> families = all_families("");
  std::erase_if(families, [](const Family& f) { return f.name != "sphere" && f.name != "circle"; });
  HuntOptions options;
  options.solves = 16;
  options.time_limit = 0;
  options.solvers = {{"newton"}, {"energy"}};
  options.threads = 1;
  const Tally one = run_hunt(registries().solvers, families, options);
  options.threads = 3;
  const Tally three = run_hunt(registries().solvers, families, options);
  ASSERT_EQ(one.cells().size(), 2U);
  for (const auto& [family, row] : one.cells()) {
    for (const auto& [solver, cell] : row) {
      const Cell& other = three.cells().at(family).at(solver);
      EXPECT_EQ(cell.solves, other.solves);
      EXPECT_EQ(cell.claims, other.claims);
      EXPECT_EQ(cell.false_claims, other.false_claims);
    }
  }
}

}  // namespace
}  // namespace pullback::hunt
