#include "pullback/solvers/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pullback/base/error.h"
#include "stub_solver.h"

namespace pullback {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::ThrowsMessage;

// Remembers the options that solvers were made with, in order.
class Registry : public testing::Test {
 protected:
  void add(const std::string& name) {
    SolverEntry entry;
    entry.name = name;
    entry.make = [this, name](const SolverRecipe& recipe) {
      made_.emplace_back(name, recipe.values);
      return stub_solver(name, nullptr);
    };
    registry_.add(std::move(entry));
  }

  void expect_refused(const std::string& chain, const std::string& part) {
    EXPECT_THAT([&] { registry_.make(chain); }, ThrowsMessage<std::invalid_argument>(HasSubstr(part)));
  }

  SolverRegistry registry_;
  std::vector<std::pair<std::string, OptionValues>> made_;
};

TEST_F(Registry, MakesASolverWithItsOptions) {
  add("energy");
  EXPECT_EQ(registry_.make("energy:nodes=64,tolerance=1e-8")->name(), "energy");
  EXPECT_THAT(made_, ElementsAre(Pair("energy", OptionValues{{"nodes", "64"}, {"tolerance", "1e-8"}})));
}

TEST_F(Registry, MakesChains) {
  add("graph");
  add("energy");
  EXPECT_EQ(registry_.make("graph:neighbours=10+energy")->name(), "graph+energy");
  EXPECT_THAT(made_, ElementsAre(Pair("graph", OptionValues{{"neighbours", "10"}}), Pair("energy", OptionValues{})));
}

TEST_F(Registry, LetsAPlusInANumberBe) {
  add("graph");
  add("energy");
  EXPECT_EQ(registry_.make("energy:a=1e+3+graph:b=2e+0")->name(), "energy+graph");
  EXPECT_THAT(made_,
              ElementsAre(Pair("energy", OptionValues{{"a", "1e+3"}}), Pair("graph", OptionValues{{"b", "2e+0"}})));
}

TEST_F(Registry, RefusesMalformedChains) {
  add("energy");
  expect_refused("", "empty stage");
  expect_refused("energy+", "empty stage");
  expect_refused("+energy", "empty stage");
  expect_refused("energy++energy", "empty stage");
  expect_refused(":nodes=3", "empty stage");
  expect_refused("energy:", "NAME=VALUE");
  expect_refused("energy:nodes", "'nodes'");
  expect_refused("energy:=3", "'=3'");
  expect_refused("energy:nodes=3,", "NAME=VALUE");
  expect_refused("energy:nodes=3,nodes=4", "'nodes' is given twice");
}

TEST_F(Registry, ListsTheSolversWhenOneIsUnknown) {
  add("graph");
  add("energy");
  registry_.add_unavailable("torch", "needs a library", "not built");
  EXPECT_THAT([&] { registry_.make("graph+magic"); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("'magic'"), HasSubstr("energy, graph"), Not(HasSubstr("torch")))));
}

TEST_F(Registry, GivesTheReasonOfAnUnavailableSolver) {
  registry_.add_unavailable("torch", "needs a library", "built without LibTorch");
  expect_refused("torch", "built without LibTorch");
  EXPECT_EQ(registry_.entries().at("torch").description, "needs a library");
}

TEST_F(Registry, RefusesNamesThatAreTakenOrMalformed) {
  add("energy");
  EXPECT_THAT([&] { add("energy"); }, ThrowsMessage<std::invalid_argument>(HasSubstr("registered already (built in)")));
  for (const char* name : {"", "a+b", "a:b", "a=b", "a,b", "3d", "a b", "-a"}) {
    EXPECT_THAT([&] { add(name); }, ThrowsMessage<std::invalid_argument>(HasSubstr("not a solver's name"))) << name;
  }
  EXPECT_EQ(registry_.entries().size(), 1u);
}

TEST_F(Registry, RefusesAnEntryThatMakesNothing) {
  SolverEntry entry;
  entry.name = "hollow";
  EXPECT_THROW(registry_.add(entry), std::invalid_argument);
  entry.make = [](const SolverRecipe&) { return nullptr; };
  registry_.add(entry);
  EXPECT_THAT([&] { registry_.make("hollow"); }, ThrowsMessage<Error>(HasSubstr("'hollow' (built in) made nothing")));
}

struct CountOptions {
  int count = 3;
  template <class V>
  void visit(V&& visit) {
    visit("count", count, "how many", 1, 9);
  }
};

class CountingSolver final : public GeodesicSolver {
 public:
  explicit CountingSolver(CountOptions options) : GeodesicSolver("counting"), options(options) {}
  CountOptions options;

 private:
  RawSolution run(const GeodesicProblem&, SolveContext&) const override { return {}; }
};

TEST_F(Registry, RegistersClassesWithTheirOptions) {
  registry_.set_origin("here.so");
  registry_.add<CountingSolver, CountOptions>("counting", "counts", "nobody (2000)");
  const SolverEntry& entry = registry_.entries().at("counting");
  EXPECT_EQ(entry.origin, "here.so");
  EXPECT_EQ(entry.reference, "nobody (2000)");
  ASSERT_EQ(entry.options.size(), 1u);
  EXPECT_EQ(entry.options[0].default_value, "3");
  const auto solver = registry_.make("counting:count=7");
  EXPECT_EQ(dynamic_cast<const CountingSolver&>(*solver).options.count, 7);
  expect_refused("counting:count=10", "solver 'counting', option 'count': expected a whole number from 1 to 9");
  expect_refused("counting:cuont=1", "solver 'counting' has no option 'cuont'; it has count");
}

class AroundSolver final : public GeodesicSolver {
 public:
  AroundSolver(CountOptions options, std::unique_ptr<const GeodesicSolver> inner)
      : GeodesicSolver("around(" + inner->name() + ")"), options(options) {}
  CountOptions options;

 private:
  RawSolution run(const GeodesicProblem&, SolveContext&) const override { return {}; }
};

TEST_F(Registry, MakesWhatAWrapperRuns) {
  add("graph");
  add("energy");
  registry_.add_wrapper<AroundSolver, CountOptions>("around", "wraps", "", "energy");
  EXPECT_EQ(registry_.make("around")->name(), "around(energy)");
  EXPECT_EQ(registry_.make("graph+around(graph:a=1+energy:b=2e+0)+energy")->name(),
            "graph+around(graph+energy)+energy");
  EXPECT_EQ(registry_.make("around(around(graph))")->name(), "around(around(graph))");
  const auto solver = registry_.make("around:count=5(graph)");
  EXPECT_EQ(dynamic_cast<const AroundSolver&>(*solver).options.count, 5);
}

TEST_F(Registry, RefusesParenthesesThatDoNotBelong) {
  add("energy");
  registry_.add_wrapper<AroundSolver, CountOptions>("around", "wraps", "", "energy");
  expect_refused("energy(energy)", "solver 'energy' runs no other solver: leave out '(energy)'");
  expect_refused("around(energy", "a '(' without its ')'");
  expect_refused("around energy)", "a ')' without its '('");
  expect_refused("around(energy)x", "expected '+' or the end after ')', got 'x'");
  expect_refused("around()", "empty stage");
  expect_refused("around(magic)", "unknown solver 'magic'");
  const auto nested = [](int depth) {
    std::string chain = "energy";
    for (int i = 0; i < depth; ++i) chain = "around(" + chain + ")";
    return chain;
  };
  EXPECT_NO_THROW(registry_.make(nested(16)));
  expect_refused(nested(17), "at most 16 parentheses inside one another");
}

}  // namespace
}  // namespace pullback
