# Sourced by tools/dev: makes libweft1 and libweft-dev .deb files in build/debs.

# The version, as meson.build states it.
weft_version() { sed -nE "s/^  version: '([0-9.]+)',?/\1/p" meson.build | head -1; }

# control_file FOLDER PACKAGE DEPENDS TEXT
control_file() {
  local folder=$1
  mkdir -p "$folder/DEBIAN"
  cat >"$folder/DEBIAN/control" <<TEXT
Package: $2
Version: $(weft_version)-1
Architecture: $(dpkg --print-architecture)
Maintainer: the weft project <weft@localhost>
Section: $([ "$2" = libweft-dev ] && echo libdevel || echo libs)
Priority: optional
Installed-Size: $(du -sk "$folder" | cut -f1)
Depends: $3
Description: Go's scheduler for C++20, $4
 Goroutines, channels, select, sync, context and blocking network and file
 calls for C++20 programs, on a scheduler with Go's design.
TEXT
}

# The packages that the shared library FILE needs, by dpkg-shlibdeps.
shared_depends() {
  local work found
  work=$(mktemp -d)
  mkdir "$work/debian"
  printf 'Source: weft\nMaintainer: weft <weft@localhost>\n\nPackage: libweft1\nArchitecture: any\nDescription: weft\n' \
    >"$work/debian/control"
  found=$(cd "$work" && dpkg-shlibdeps -O "$1" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
  rm -rf "$work"
  echo "$found"
}

do_package() {
  local staged=$PWD/build/package/staged lib dev triplet
  [ $# = 0 ] || misuse "package takes nothing"
  need "${build_packages[@]}" dpkg-dev
  command -v dpkg-deb >/dev/null || die "package needs dpkg-deb and dpkg-shlibdeps (Debian: dpkg-dev)"
  if [ ! -f build/package/build.ninja ]; then
    mkdir -p build
    meson setup build/package --prefix /usr -Ddefault_library=both -Dtests=disabled -Dlessons=disabled -Dbench=disabled \
      >build/package.log 2>&1 </dev/null || die "configuring failed, see build/package.log"
  fi
  build package
  rm -rf "$staged" build/debs
  mkdir -p build/debs
  meson install -C build/package --no-rebuild --destdir "$staged/dev" >build/package.log 2>&1
  triplet=$(basename "$(dirname "$(find "$staged/dev/usr/lib" -name libweft.a)")")
  lib=$staged/lib dev=$staged/dev
  mkdir -p "$lib/usr/lib/$triplet" "$lib/usr/share/doc/libweft1" "$dev/usr/share/doc/libweft-dev"
  mv "$dev/usr/lib/$triplet/"libweft.so.1* "$lib/usr/lib/$triplet/"
  cp LICENSE "$lib/usr/share/doc/libweft1/copyright"
  cp LICENSE "$dev/usr/share/doc/libweft-dev/copyright"
  control_file "$lib" libweft1 "$(shared_depends "$lib/usr/lib/$triplet/libweft.so.1")" "shared library"
  printf 'activate-noawait ldconfig\n' >"$lib/DEBIAN/triggers"
  control_file "$dev" libweft-dev "libweft1 (= $(weft_version)-1), liburing-dev, libssl-dev, zlib1g-dev, g++ (>= 4:12)" "for development"
  for folder in "$lib" "$dev"; do
    dpkg-deb --root-owner-group --build "$folder" build/debs >/dev/null
  done
  say "made $(ls build/debs/*.deb | tr '\n' ' ')"
}
