#!/bin/sh
# Run by `meson install`: removes the debug info of the installed library. Arguments: strip, folder below the prefix, file.
set -eu
exec "$1" --strip-debug "$MESON_INSTALL_DESTDIR_PREFIX/$2/$3"
