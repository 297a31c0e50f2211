#include "runtime/cpu_count.h"
#include <thread>
namespace weft::detail {
int cpu_count() { return static_cast<int>(std::thread::hardware_concurrency()); }
int default_maxprocs() { return cpu_count(); }
}
