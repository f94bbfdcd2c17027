#!/usr/bin/env bash
# Finds a QEMU with the Pi's I2C controller: sourced by the scripts that emulate a Pi.

# Sets `qemu`: a program of version 10 or newer, or DIRECTORY, into which one is fetched with its libraries.
find_qemu() { # DIRECTORY
  local version suite
  qemu=$(command -v qemu-system-aarch64 || true)
  version=$([ -z "$qemu" ] || "$qemu" --version | sed -nE '1s/.* version ([0-9]+).*/\1/p')
  [ "${version:-0}" -lt 10 ] || return 0
  # shellcheck source=/dev/null
  case $(. /etc/os-release && echo "${VERSION_CODENAME:-}") in
    bookworm) suite=bookworm-backports ;;
    trixie) suite=trixie ;;
    *) die 69 "QEMU 10 or newer is needed, and this machine has ${version:-none}." \
      "Install it so that qemu-system-aarch64 is in PATH (Debian: package qemu-system-arm)." ;;
  esac
  qemu=$1
  scripts/debian-fetch --suite "$suite" --depends --into "$qemu" qemu-system-arm
}
