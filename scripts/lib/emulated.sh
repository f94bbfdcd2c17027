#!/usr/bin/env bash
# What an emulated Pi and a card are made of: sourced by the scripts that make them, which have set `root` and `cache`.

is_fresh() { # PROGRAM: is it newer than all it is made from?
  [ -x "$1" ] && [ -z "$(find "$root/Sources" "$root/Package.swift" "$root/toolchains" -newer "$1" -print -quit)" ]
}

# Debian's kernel for arm64. Only the package that linux-image-arm64 stands for: what else it needs is for installing it.
fetch_kernel() { # SUITE DIRECTORY
  local file package
  ! grep -qs '^  linux-image-[0-9]' "$2/.debian-fetch" || return 0
  "$root/scripts/debian-fetch" --suite "$1" --arch arm64 --into "$2" linux-image-arm64
  file=$(sed -n 's/^  \(linux-image-arm64_.*\)/\1/p' "$2/.debian-fetch")
  package=$(dpkg-deb --field "$cache/debian/packages/$file" Depends | sed 's/ .*//')
  "$root/scripts/debian-fetch" --suite "$1" --arch arm64 --into "$2" "$package"
}
