// Opening a file by a fiber, without a thread that waits in open(2).
//
// open(2) of a named pipe waits for the other end, which may be for as long as the program runs. A
// thread for each of these waits would use up the threads for files, and the other end could then
// not be opened. So a fiber opens with O_NONBLOCK and waits itself. The kernel reports the other
// end's arrival by no event; the fiber checks after 1 ms and then after pauses of an eighth of the
// time that it has waited, up to 100 ms.
//
// Refused: O_RDWR, which would be the other end; inotify, which does not report an open(2) that
// waits.
#pragma once
#include <weft/fs.h>

#include <functional>

#include "net/fs/file_requests.h"

namespace weft::fs {

// `attempt` opens with the flags that it is given and returns the descriptor, or an error number
// below 0. Blocks until the file is open. From fibers, and from plain threads, whose open(2) waits.
result<file> open_by(int flags, const std::function<int(int flags)>& attempt);

}  // namespace weft::fs
