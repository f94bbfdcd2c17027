#!/usr/bin/env bash
# Where downloads, and what takes long to build, are kept from run to run: sourced by the other scripts;
# run by itself it prints the directory.
#
# An entry is a directory that carries its own manifest: every file's SHA-256, every link's target. An entry is
# used only if it is exactly what its manifest says, and otherwise thrown away and made again. It is complete when it
# has a manifest, which is the last thing that is written.

# Prints the directory: $SWIFTLET_CACHE; otherwise the user's cache directory, which all checkouts share;
# where there is none that can be written, .cache in the checkout.
cache_directory() {
  local directory=${SWIFTLET_CACHE:-}
  if [ -n "$directory" ]; then
    mkdir -p "$directory" || return 73
  else
    directory=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    directory=${directory:+$directory/swiftlet}
    if [ -z "$directory" ] || ! mkdir -p "$directory" 2>/dev/null || [ ! -w "$directory" ]; then
      directory=$(dirname "${BASH_SOURCE[0]}")/../../.cache
      mkdir -p "$directory" || return 73
    fi
  fi
  (cd "$directory" && pwd)
}

cache_manifest() ( # DIRECTORY: prints what its manifest should be
  cd "$1"
  find . -type f ! -path ./.manifest -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
  find . -type l -printf '%l  %p\n' | LC_ALL=C sort
)

cache_seal() { # DIRECTORY: writes its manifest; whoever changes an entry unseals it before and seals it after
  cache_manifest "$1" >"$1/.manifest.new"
  sed -i '/  \.\/\.manifest\.new$/d' "$1/.manifest.new"
  mv "$1/.manifest.new" "$1/.manifest"
}

cache_unseal() { # DIRECTORY
  rm -f "$1/.manifest"
}

cache_is_intact() { # DIRECTORY
  [ -f "$1/.manifest" ] && cache_manifest "$1" | cmp -s - "$1/.manifest"
}

cache_entry() { # DIRECTORY COMMAND...: makes it, unless it is intact, with COMMAND... WORK, which fills WORK
  local entry=$1 work status=0
  shift
  mkdir -p "$(dirname "$entry")"
  # One maker at a time; who waited finds what the other has made.
  exec {cache_lock}>"$entry.lock"
  flock -n "$cache_lock" || { echo "cache: somebody else is making $entry; waiting" >&2 && flock "$cache_lock"; }
  if ! cache_is_intact "$entry"; then
    [ ! -e "$entry" ] || echo "cache: $entry is damaged and is made again" >&2
    # What a killed maker has left goes, too.
    rm -rf "$entry" "$entry".work.*
    work=$(mktemp -d "$entry.work.XXXXXX")
    chmod 755 "$work"
    # In a condition the maker's own "set -e" would not hold.
    set +e
    (set -e && "$@" "$work")
    status=$?
    set -e
    if [ "$status" = 0 ]; then
      cache_seal "$work"
      mv -T "$work" "$entry"
    else
      rm -rf "$work"
    fi
  fi
  exec {cache_lock}>&-
  return "$status"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || cache_directory
