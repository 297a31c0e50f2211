// The picture of a run as a page for a browser.
#pragma once
#include <string>
#include <string_view>

#include "lessons/support/figures.h"

namespace lesson {

// HTML that needs nothing but itself: a lane per P or per fiber, a colour per fiber name, details where the mouse is,
// the printed lines at their times, and the figures.
std::string html_page(std::string_view title, const record& r);

}  // namespace lesson
