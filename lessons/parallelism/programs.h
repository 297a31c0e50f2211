// What the fibers of this lesson do. Each is the main fiber of its run.
#pragma once
#include "lessons/support/lesson.h"

namespace parallelism {

using lesson::settings;

// letters_and_numbers.cc: P1, P2, P3
void letters_and_numbers(const settings& s);
void letters_sleep_first(const settings& s);
void numbers_sleep_first(const settings& s);
// alphabets.cc: P4, P6
void alphabets(const settings& s);
// long_work.cc: P5
void long_work(const settings& s);
void long_work_with_yields(const settings& s);
// count_up_and_down.cc: the exercise
void count_up_and_down(const settings& s);
// halves.cc
void the_whole(const settings& s);
void two_halves(const settings& s);
std::string compare_halves(std::span<const lesson::figures> f);
// crowd.cc
void crowd(const settings& s);

}  // namespace parallelism
