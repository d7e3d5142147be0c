// The journal of a study: as it comes, and after the first line that this study writes.
#include <memory>

#include "pullback/analysis/studies/study_fields.h"
#include "pullback/cli/conditioning_journal.h"
#include "pullback/cli/fields_json.h"
#include "pullback/cli/journal.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

namespace {

// The smallest study that there is; its entries are put into a copy of it.
const cli::JournaledStudy& study() {
  static const cli::JournaledStudy made = [] {
    Opener opener({});
    cli::JournaledStudy journaled;
    ConditioningStudy& out = journaled.study;
    out.settings.solvers = {"energy:nodes=8,max_nodes=8"};
    out.settings.families = {"sphere"};
    out.settings.dimensions = {2};
    out.settings.kappas = {1, 10};
    out.settings.pairs = 1;
    out.settings.seed = 1;
    out.settings.time_limit = 1;
    out.panels = make_conditioning_panels(opener, out.settings);
    out.runs.resize(run_count(out));
    journaled.texts.resize(out.runs.size());
    return journaled;
  }();
  return made;
}

void read(const std::filesystem::path& path, const cli::Json& header) {
  expect_read_or_refused([&] {
    cli::JournaledStudy target = study();
    const cli::Journal journal(path, header, [&](const cli::JsonView& entry) { cli::take_entry(target, entry); });
  });
}

}  // namespace

void read_input(std::string_view input) {
  const std::string text(input);
  const cli::Json header = {{"schema", "pullback-conditioning-1"},
                            {"settings", cli::fields_json(study().study.settings)}};
  read(put("journal.jsonl", text), header);
  read(put("journal.jsonl", header.dump() + "\n" + text), header);
}

}  // namespace pullback::fuzz
