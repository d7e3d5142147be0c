// The pages in a real browser: everything is there, and nothing complains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "tool.h"

namespace pullback::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kChromium[] = PULLBACK_CHROMIUM;

// The page after its scripts have run, and what the browser's console said.
struct Rendered {
  std::string document;
  std::string console;
};

Rendered render(const std::string& page, const std::string& size) {
  const Folder profile;
  const Finished finished =
      run_program(kChromium, {"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                              "--disable-background-networking", "--disable-component-update", "--disable-sync",
                              "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + profile.path().string(),
                              "--virtual-time-budget=20000", "--enable-logging=stderr", "--window-size=" + size,
                              "--dump-dom", "file://" + page});
  Rendered rendered{finished.out, ""};
  static const std::regex kConsole("[^\n]*CONSOLE[^\n]*\n");
  for (std::sregex_iterator i(finished.err.begin(), finished.err.end(), kConsole), end; i != end; ++i)
    rendered.console += i->str();
  return rendered;
}

// The document's element with this id, up to the start of the next section.
std::string part_of(const std::string& document, const std::string& id) {
  const auto begin = document.find("id=\"" + id + "\"");
  if (begin == std::string::npos) return "";
  return document.substr(begin, document.find("<section", begin) - begin);
}

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (*kChromium == '\0') GTEST_SKIP() << "chromium is not installed";
  }

  Folder folder_;
};

TEST_F(ReportTest, ShowsEveryMapStripChartAndProfile) {
  ASSERT_EQ(run_tool({"compare", "mnist-vae", "mnist-vae-8d", "half-plane", "--solver", "energy:nodes=8,max_nodes=8",
                      "--solver", "energy:nodes=12,max_nodes=12", "--pairs", "2", "--out", folder_ / "out"})
                .status,
            0);
  const Rendered page = render(folder_ / "out/report.html", "1280,900");
  EXPECT_THAT(page.console, IsEmpty());
  EXPECT_THAT(page.document, HasSubstr("data-ready=\"true\""));
  EXPECT_EQ(count(part_of(page.document, "summary"), "<table"), 3);
  for (const char* map : {"map-magnification", "map-condition"}) {
    const std::string figure = part_of(page.document, map);
    EXPECT_THAT(figure, HasSubstr("<svg")) << map;
    EXPECT_THAT(figure, HasSubstr("<image")) << map;
    EXPECT_THAT(figure, HasSubstr("data:image/png")) << map;
    EXPECT_THAT(figure, HasSubstr("role-legend")) << map;
    EXPECT_GE(count(figure, "mark-line role-mark"), 3) << map << ": the straight line and the solvers' curves";
  }
  EXPECT_EQ(count(part_of(page.document, "strips"), "<canvas"), 3) << "straight line and two solvers";
  EXPECT_THAT(part_of(page.document, "strips"), HasSubstr("straight line"));
  EXPECT_THAT(part_of(page.document, "maps"), HasSubstr("two sevens"));
  EXPECT_GE(count(part_of(page.document, "convergence"), "stroke-width=\"2.2\""), 2);
  EXPECT_EQ(count(part_of(page.document, "profiles"), "<svg"), 3);
  EXPECT_EQ(count(part_of(page.document, "endings"), "<svg"), 3);
  EXPECT_THAT(part_of(page.document, "terms"), HasSubstr("<dt>solved</dt>"));
  EXPECT_THAT(part_of(page.document, "environment"), HasSubstr("compiler"));
}

TEST_F(ReportTest, ShowsAPanelForEachFamilyAndDimension) {
  ASSERT_EQ(run_tool({"study", "conditioning", "--only", "--solver", "energy:nodes=16", "--solver", "graph", "--family",
                      "hill", "--family", "sphere", "--dimension", "2,3", "--kappa", "1,1e4", "--pairs", "1", "--out",
                      folder_ / "out"})
                .status,
            0);
  for (const char* size : {"1280,900", "390,844"}) {
    const Rendered page = render(folder_ / "out/study.html", size);
    EXPECT_THAT(page.console, IsEmpty()) << size;
    EXPECT_THAT(page.document, HasSubstr("data-ready=\"true\""));
    for (const char* figure : {"overview-solved", "overview-false", "overview-cost"}) {
      const std::string part = part_of(page.document, "overview");
      EXPECT_THAT(part, HasSubstr("id=\"" + std::string(figure) + "\""));
    }
    EXPECT_EQ(count(part_of(page.document, "overview"), "class=\"marks\""), 3);
    EXPECT_EQ(count(part_of(page.document, "panels"), "class=\"marks\""), 2 * 4) << "share and cost";
    EXPECT_EQ(count(part_of(page.document, "panels"), "<h3"), 2);
    EXPECT_THAT(part_of(page.document, "panels"), HasSubstr("3 dimensions, 1 pair"));
    EXPECT_GE(count(part_of(page.document, "panels"), "mark-area role-mark"), 2 * 4) << "bands";
    EXPECT_THAT(part_of(page.document, "panels"), HasSubstr("10⁴"));
    EXPECT_THAT(part_of(page.document, "terms"), HasSubstr("<dt>false claim</dt>"));
    EXPECT_THAT(part_of(page.document, "environment"), HasSubstr("compiler"));
  }
}

TEST_F(ReportTest, ShowsAMapOfEachLabelsJacobian) {
  ASSERT_EQ(run_tool({"study", "jacobian", "VAE=mnist-vae", "VAE=mnist-vae", "DAE=mnist-dae", "--points", "50",
                      "--grid", "8", "--out", folder_ / "out"})
                .status,
            0);
  for (const char* size : {"1280,900", "390,844"}) {
    const Rendered page = render(folder_ / "out/report.html", size);
    EXPECT_THAT(page.console, IsEmpty()) << size;
    EXPECT_THAT(page.document, HasSubstr("data-ready=\"true\""));
    EXPECT_EQ(count(part_of(page.document, "overview"), "class=\"marks\""), 2) << "smoothness and condition";
    EXPECT_EQ(count(part_of(page.document, "table"), "<tr"), 3) << "the head and two labels";
    EXPECT_EQ(count(part_of(page.document, "maps"), "<canvas"), 4) << "two for each label";
    EXPECT_THAT(part_of(page.document, "terms"), HasSubstr("<dt>smoothness</dt>"));
    EXPECT_THAT(part_of(page.document, "environment"), HasSubstr("compiler"));
  }
}

TEST_F(ReportTest, FetchesNothing) {
  ASSERT_EQ(run_tool({"compare", "sphere", "--solver", "energy", "--pairs", "1", "--out", folder_ / "out"}).status, 0);
  const std::string page = read_file(folder_ / "out/report.html");
  static const std::regex kReference("<(script|link|img|iframe)[^>]*(src|href)|@import|url\\(\\s*['\"]?(https?:)?//");
  EXPECT_FALSE(std::regex_search(page.substr(0, page.find("id=\"data\"")), kReference));
  EXPECT_EQ(count(page, "<script src"), 0);
  EXPECT_EQ(count(page, "<link"), 0);
}

TEST_F(ReportTest, IsDrawnForAPhone) {
  ASSERT_EQ(run_tool({"compare", "sphere", "--solver", "energy", "--pairs", "1", "--out", folder_ / "out"}).status, 0);
  const Rendered page = render(folder_ / "out/report.html", "390,844");
  EXPECT_THAT(page.console, IsEmpty());
  EXPECT_THAT(page.document, HasSubstr("data-ready=\"true\""));
  EXPECT_THAT(part_of(page.document, "strips"), HasSubstr("does not make images"));
}

TEST_F(ReportTest, SurvivesNamesThatLookLikeMarkup) {
  // The generator's name is what was typed: a path.
  const std::string name = folder_ / "<b>{{vega}}&.safetensors";
  std::filesystem::copy_file(std::string(PULLBACK_MODELS_FOLDER) + "/mnist-vae.safetensors", name);
  ASSERT_EQ(run_tool({"inspect", name, "--grid", "8", "--out", folder_ / "out"}).status, 0);
  const Rendered page = render(folder_ / "out/inspect.html", "1280,900");
  EXPECT_THAT(page.console, IsEmpty());
  EXPECT_THAT(page.document, HasSubstr("data-ready=\"true\""));
  EXPECT_THAT(part_of(page.document, "map-magnification"), HasSubstr("<svg"));
  EXPECT_THAT(part_of(page.document, "map-condition"), HasSubstr("<svg"));
  EXPECT_EQ(count(part_of(page.document, "quantiles"), "<table"), 4);  // box and codes; at the data and around them
  EXPECT_THAT(page.document, HasSubstr("&lt;b&gt;{{vega}}&amp;"));
  EXPECT_THAT(page.document, Not(HasSubstr("<b>{{vega}}")));
}

}  // namespace
}  // namespace pullback::cli
