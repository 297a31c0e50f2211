#pragma once
namespace weft::detail {
int default_maxprocs();
int cpu_count();
}
