// TorchScript files of strangers: what they try to do must not happen, and what is wrong with them must be said.
#include <ATen/Functions.h>
#include <caffe2/serialize/inline_container.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>

#include "pullback/base/error.h"
#include "pullback/generators/torch/pickle.h"
#include "pullback/generators/torch/source_scan.h"
#include "pullback/generators/torch/torch_generator.h"
#include "pullback/generators/torch/zip.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// The content of a record, or nothing where it is to be left out.
using Change = std::function<std::optional<std::string>(const std::string& name, std::string content)>;

class StrangeFileTest : public ::testing::Test {
 protected:
  StrangeFileTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("pullback_strange_" + std::to_string(::getpid()) + "_" + info->name());
    fs::create_directories(folder_);
  }
  ~StrangeFileTest() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name) const { return folder_ / name; }
  // What a program tries to write; its text as it stands in a program.
  fs::path target() const { return folder_ / "written"; }
  std::string target_text() const { return '"' + target().string() + '"'; }

  fs::path save(const std::string& forward, const std::string& more = "") const {
    torch::jit::Module module("Model");
    module.register_parameter("W", at::ones({3, 2}), false);
    module.define("def forward(self, x: Tensor) -> Tensor:\n" + forward + more);
    module.save(file("model.pt").string());
    return file("model.pt");
  }
  fs::path plain() const { return save("    return torch.linear(torch.tanh(x), self.W)\n"); }

  // The file with changed records.
  fs::path rewrite(const fs::path& path, const Change& change) const {
    caffe2::serialize::PyTorchStreamReader reader(path.string());
    const fs::path out = file("rewritten.pt");
    caffe2::serialize::PyTorchStreamWriter writer(out.string());
    for (const std::string& name : reader.getAllRecords()) {
      if (name == "version" || name == ".data/version") continue;
      const auto [data, size] = reader.getRecord(name);
      const auto content = change(name, std::string(static_cast<const char*>(data.get()), size));
      if (content) writer.writeRecord(name, content->data(), content->size());
    }
    writer.writeEndOfFile();
    return out;
  }

  // The program with one piece of its text replaced.
  fs::path edit(const fs::path& path, const std::string& from, const std::string& to) const {
    bool done = false;
    const fs::path out = rewrite(path, [&](const std::string& name, std::string content) {
      if (name.ends_with(".py") && content.find(from) != std::string::npos) {
        content.replace(content.find(from), from.size(), to);
        done = true;
      }
      return std::optional(content);
    });
    EXPECT_TRUE(done) << from;
    return out;
  }

  // One line that starts with the path; nothing may have been written.
  std::string refusal(const fs::path& path) const {
    std::string message;
    try {
      read_torchscript(path);
      ADD_FAILURE() << path << " was not refused";
    } catch (const Error& error) {
      message = error.what();
      EXPECT_THAT(message, AllOf(StartsWith(path.string() + ": "), Not(HasSubstr("\n"))));
    }
    EXPECT_FALSE(fs::exists(target())) << message;
    return message;
  }

  fs::path folder_;
};

TEST_F(StrangeFileTest, OperatorsThatTouchFilesAreRefusedByName) {
  EXPECT_THAT(refusal(save("    torch.save(x, " + target_text() + ")\n    return torch.linear(x, self.W)\n")),
              AllOf(HasSubstr("save"), HasSubstr("line ")));
  EXPECT_THAT(refusal(save("    y = torch.from_file(" + target_text() + ", True, 6)\n    return x + y.sum()\n")),
              HasSubstr("from_file"));
  // In a block that is never entered, and in a method that forward calls.
  EXPECT_THAT(refusal(save("    if x.size(0) > 1000000:\n        torch.save(x, " + target_text() +
                           ")\n    return torch.linear(x, self.W)\n")),
              HasSubstr("save"));
  EXPECT_THAT(
      refusal(save("    return torch.linear(self.helper(x), self.W)\n",
                   "def helper(self, x: Tensor) -> Tensor:\n    torch.save(x, " + target_text() + ")\n    return x\n")),
      HasSubstr("save"));
}

// What only the compiled program shows, by its operators and its objects.
TEST_F(StrangeFileTest, TheCompiledProgramIsLookedThrough) {
  EXPECT_THAT(refusal(save("    return torch.linear(x, self.W) + torch._cast_Half(x).sum()\n")),
              AllOf(HasSubstr("forward calls aten::_cast_Half"), HasSubstr("line ")));
  EXPECT_THAT(refusal(save("    return torch.linear(self.helper(x), self.W)\n",
                           "def helper(self, x: Tensor) -> Tensor:\n    if x.size(0) > 99:\n"
                           "        x = torch._cast_Half(x)\n    return x\n")),
              HasSubstr("helper calls aten::_cast_Half"));

  torch::jit::Module module("Model");
  module.register_parameter("W", at::ones({3, 2}), false);
  module.register_attribute("n", c10::IntType::get(), 77);
  module.define("def forward(self, x: Tensor) -> Tensor:\n    return torch.linear(x, self.W) * self.n\n");
  module.save(file("number.pt").string());
  const fs::path changed = rewrite(file("number.pt"), [](const std::string& name, std::string content) {
    const std::size_t at = content.find("KM");  // the number 77
    if (name == "data.pkl" && at != std::string::npos) content.replace(at, 2, "\x88");
    return std::optional(content);
  });
  EXPECT_THAT(refusal(changed), HasSubstr("the attribute 'n' of Model is a Bool"));
}

TEST_F(StrangeFileTest, NothingRunsOnLoading) {
  const std::string evil = "torch.from_file(" + target_text() + ", True, 6)";
  EXPECT_THAT(refusal(edit(plain(), "x: Tensor)", "x: Tensor, y: Tensor=" + evil + ")")), HasSubstr("from_file"));
  EXPECT_THAT(refusal(edit(plain(), "return", "y = getattr(torch, \"from_file\")(\"a\", True, 6)\n    return")),
              HasSubstr("from_file"));
  EXPECT_THAT(refusal(edit(plain(), "return", "y = getattr(torch, \"from_\" \"file\")(\"a\", True, 6)\n    return")),
              HasSubstr("pieces"));
  EXPECT_THAT(refusal(edit(plain(), "return", "y = ops.quantized.linear(x)\n    return")), HasSubstr("ops.quantized"));
  const std::string states =
      "def __getstate__(self) -> int:\n    return 1\n"
      "def __setstate__(self, x: int) -> None:\n    torch.save(x, " +
      target_text() + ")\n";
  EXPECT_THAT(refusal(save("    return torch.linear(x, self.W)\n", states)), HasSubstr("state__"));
}

TEST_F(StrangeFileTest, WhatPrintsIsSilent) {
  const fs::path path = save("    print(\"hello\")\n    return torch.linear(torch.tanh(x), self.W)\n");
  ::testing::internal::CaptureStdout();
  const auto generator = read_torchscript(path);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), IsEmpty());
  EXPECT_EQ(generator->ambient_dimension(), 3);
}

TEST_F(StrangeFileTest, LoopsEnd) {
  for (const char* loop :
       {"    i = 0\n    while i < 1:\n        x = x + 1\n",
        "    for i in range(1000000000):\n        for k in range(1000000000):\n            x = x + 1\n",
        "    n = int(x.sum().item() * 0) + 1000000000000\n    for i in range(n):\n        x = x * 1.5\n"}) {
    EXPECT_THAT(refusal(save(std::string(loop) + "    return torch.linear(x, self.W)\n")), HasSubstr("does not end"))
        << loop;
  }
}

TEST_F(StrangeFileTest, LoopsThatEndAreRead) {
  const auto generator =
      read_torchscript(save("    i = 0\n    while i < 20:\n        x = torch.sin(x)\n        i = i + 1\n"
                            "    return torch.linear(x, self.W)\n"));
  EXPECT_EQ(generator->latent_dimension(), 2);
}

TEST_F(StrangeFileTest, AHugeTensorIsAnError) {
  EXPECT_THAT(refusal(save("    y = torch.zeros([100000000000])\n    return torch.linear(x, self.W) + y.sum()\n")),
              HasSubstr("bytes"));
}

TEST_F(StrangeFileTest, CallsThatUnfoldWithoutEndAreRefused) {
  std::string methods;
  for (int i = 0; i < 40; ++i) {
    methods +=
        "def f" + std::to_string(i) + "(self, x: Tensor) -> Tensor:\n    return " +
        (i == 0 ? "torch.sin(x)" : "self.f" + std::to_string(i - 1) + "(x) + self.f" + std::to_string(i - 1) + "(x)") +
        "\n";
  }
  EXPECT_THAT(refusal(save("    return torch.linear(self.f39(x), self.W)\n", methods)), HasSubstr("unfold"));
}

TEST_F(StrangeFileTest, RecordsMustHoldTheirTensors) {
  const auto weights = [](const std::string& content) {
    return [content](const std::string& name, std::string old) {
      return std::optional(name.starts_with("data/") || name.starts_with("constants/") ? content : std::move(old));
    };
  };
  EXPECT_THAT(refusal(rewrite(plain(), weights(""))), HasSubstr("its record has 0 bytes"));
  EXPECT_THAT(refusal(rewrite(plain(), weights("1234"))), HasSubstr("its record has 4 bytes"));
  EXPECT_THAT(refusal(rewrite(plain(),
                              [](const std::string& name, std::string old) {
                                return name.starts_with("data/") ? std::nullopt : std::optional(std::move(old));
                              })),
              HasSubstr("is missing"));
  for (const char* name : {"data.pkl", "constants.pkl"}) {
    for (const char* content : {"", "\x80\x02.", "\x80\x02N.", "\x80\x02K\x01)R.", "\x80\x02h\x05."}) {
      EXPECT_THAT(refusal(rewrite(plain(),
                                  [&](const std::string& record, std::string old) {
                                    return std::optional(record == name ? std::string(content) : std::move(old));
                                  })),
                  HasSubstr("refused"))
          << name;
    }
  }
}

// Every byte of the pickle of weights changed in turn is an error or another module, and never the end of the process.
TEST_F(StrangeFileTest, DamagedPicklesDoNotEndTheProcess) {
  const fs::path path = plain();
  std::string pickle;
  rewrite(path, [&](const std::string& name, std::string old) {
    if (name == "data.pkl") pickle = old;
    return std::optional(old);
  });
  ASSERT_FALSE(pickle.empty());
  for (std::size_t i = 2; i < pickle.size(); i += 7) {
    const fs::path changed = rewrite(path, [&](const std::string& name, std::string old) {
      if (name == "data.pkl") old[i] = static_cast<char>(old[i] ^ 0x11);
      return std::optional(old);
    });
    try {
      read_torchscript(changed);
    } catch (const Error&) {
    }
  }
}

TEST_F(StrangeFileTest, ASmallFileDoesNotUnpackToALargeOne) {
  const fs::path path = plain();
  caffe2::serialize::PyTorchStreamReader reader(path.string());
  const fs::path bomb = file("bomb.pt");
  {
    caffe2::serialize::PyTorchStreamWriter writer(bomb.string());
    for (const std::string& name : reader.getAllRecords()) {
      if (name == "version" || name == ".data/version") continue;
      const auto [data, size] = reader.getRecord(name);
      writer.writeRecord(name, data.get(), size);
    }
    const std::string zeros(std::size_t{40} << 20, '\0');
    writer.writeRecord("extra/zeros", zeros.data(), zeros.size(), true);
    writer.writeEndOfFile();
  }
  ASSERT_LT(fs::file_size(bomb), 1U << 20);
  EXPECT_THAT(refusal(bomb), HasSubstr("unpacks to more than"));
}

TEST_F(StrangeFileTest, DeepProgramsAreRefused) {
  const std::string deep = std::string(100'000, '(') + "x" + std::string(100'000, ')');
  EXPECT_THAT(refusal(edit(plain(), "return", "y = " + deep + "\n    return")), HasSubstr("nested too deeply"));
  std::string sum = "x";
  for (int i = 0; i < 100'000; ++i) sum += " + x";
  EXPECT_THAT(refusal(edit(plain(), "return", "y = " + sum + "\n    return")), HasSubstr("nested too deeply"));
}

TEST_F(StrangeFileTest, APipeIsNoFile) {
  ASSERT_EQ(::mkfifo(file("pipe.pt").c_str(), 0600), 0);
  EXPECT_THAT(refusal(file("pipe.pt")), HasSubstr("not a regular file"));
}

TEST(Pickle, RefusesWhatContainsItself) {
  const auto read = [](const char* instructions) {
    try {
      internal::read_pickle(std::string("\x80\x02") + instructions);
      return std::string();
    } catch (const internal::ArchiveFailure& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(read("]q\x01h\x01"
                   "a."),
              HasSubstr("contains itself"));
  std::string deep(300, ']');
  for (int i = 1; i < 300; ++i) deep += 'a';
  EXPECT_THAT(read((deep + ".").c_str()), HasSubstr("too deeply"));
  EXPECT_THAT(read("]]]a."), HasSubstr("other than one value"));
  EXPECT_THAT(read("(."), HasSubstr("other than one value"));
  EXPECT_THAT(read("cos\nsystem\n."), IsEmpty()) << "a name alone calls nothing";
  EXPECT_THAT(read("i"), HasSubstr("does not write"));
}

TEST(Zip, RefusesWhatIsNoPlainArchive) {
  const auto read = [](const std::string& bytes) {
    try {
      internal::read_zip(bytes);
      return std::string();
    } catch (const internal::ArchiveFailure& error) {
      return std::string(error.what());
    }
  };
  const std::string end = std::string("PK\x05\x06") + std::string(18, '\0');
  EXPECT_THAT(read(end), IsEmpty());
  EXPECT_THAT(read(end + "x"), HasSubstr("bytes follow"));
  EXPECT_THAT(read(""), HasSubstr("no directory"));
  std::string far = end;
  far[16] = '\x40';
  EXPECT_THAT(read(far), HasSubstr("outside"));
}

TEST(SourceScan, KnowsNamesFromTexts) {
  const auto scan = [](const std::string& text) {
    try {
      internal::scan_source(text, "code/a.py");
      return std::string();
    } catch (const internal::ArchiveFailure& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(scan("x = \"save\"\n# save\ny = x.saved\n"), IsEmpty());
  EXPECT_THAT(scan("x = getattr(getattr(self, \"0\"), \"weight\")\n"), IsEmpty());
  EXPECT_THAT(scan("x = 1\n\ny = torch.save(x)\n"), AllOf(HasSubstr("code/a.py line 3"), HasSubstr("save")));
  EXPECT_THAT(scan("y = getattr((torch), \"s\\x61ve\")(x)\n"), HasSubstr("getattr"));
  EXPECT_THAT(scan("y = getattr(getattr(a, \"b\"), \"save\")(x)\n"), HasSubstr("save"));
}

}  // namespace
}  // namespace pullback
