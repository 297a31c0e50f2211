// lessons/parallelism: concurrency is not parallelism. See README.md.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "lessons/parallelism/programs.h"
#include "lessons/support/report.h"

namespace {

using namespace parallelism;
using lesson::paper;

// After the story: p1, p5 without and with yields, the whole and the halves.
std::string closing(std::span<const lesson::figures> f) {
  const lesson::figures &p1 = f[0], &whole = f[3], &halves = f[4];
  const auto percent = [](const lesson::figures& x) { return std::lround(x.at_once_share * 100); };
  const double ratio = static_cast<double>(halves.wall.count()) / static_cast<double>(whole.wall.count());
  if (halves.maxprocs == 1)
    return "One P: the fibers took turns, and 0 % of the time two ran at once, with or without yields. "
           "Concurrent, not parallel. Now the same programs with --maxprocs=2.";
  const std::string at_once = fmt::format("the halves ran at once for {} % of the time and took {:.2f} of the whole's.",
                                          percent(halves), ratio);
  const std::string moral = ratio < 0.75
                                ? " Parallel: it takes a second P, and not a changed line in the program."
                                : " No gain: a second P needs a CPU that is free. Run it again on a quieter one.";
  if (p1.maxprocs == 1)
    return "One P: letters and numbers took turns; 0 % of the time two ran at once. Two Ps: " + at_once + moral +
           " Now compare --maxprocs=1 with --maxprocs=2.";
  return fmt::format("{}: letters and numbers ran at once for {} % of the time, and ", lesson::shown_ps(p1.maxprocs),
                     percent(p1)) +
         at_once + moral;
}

const std::array programs{
    lesson::program{"p1", "letters and numbers", 1, {{"letters and numbers", letters_and_numbers}}},
    lesson::program{
        "p2",
        "as p1, and one fiber sleeps 1 us first",
        1,
        {{"the letters sleep 1 us first", letters_sleep_first}, {"the numbers sleep 1 us first", numbers_sleep_first}}},
    lesson::program{"p3", "as p1 with two Ps", 2, {{"letters and numbers", letters_and_numbers}}},
    lesson::program{"p4", "two alphabets, three times each", 1, {{"two alphabets", alphabets}}},
    lesson::program{"p5",
                    "long work, without and with yields",
                    1,
                    {{"long work, nobody yields", long_work, paper::condensed},
                     {"long work, with yields", long_work_with_yields, paper::condensed}}},
    lesson::program{"p6", "as p4 with two Ps", 2, {{"two alphabets", alphabets}}},
    lesson::program{"exercise", "counting down and up", 1, {{"counting down and up", count_up_and_down}}},
    lesson::program{"halves",
                    "one piece of work, whole and in two halves",
                    2,
                    {{"the whole", the_whole}, {"two halves", two_halves}},
                    compare_halves},
    lesson::program{"crowd", "100,000 fibers", 1, {{"100,000 fibers", crowd}}},
};

const lesson::about about{.id = "parallelism",
                          .title = "Concurrency is not parallelism",
                          .story = {"p1", "p5", "halves"},
                          .closing = closing,
                          .work = 200'000};

}  // namespace

int main(int argc, char** argv) { return lesson::main(argc, argv, about, programs); }
