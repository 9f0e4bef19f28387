#!/usr/bin/env bash
# Updates printer-uplink where Moonraker's update manager does not:
#   update.sh [--check] [--version V] [--rollback] [--archive FILE]
# A release that does not come up is taken back by itself.
set -euo pipefail

help() {
  cat <<'TEXT'
usage: update.sh [OPTION]...

  --check         say whether there is a newer release: exit 1 where there is one, 0 where not, 2 where nobody says
  --version V     this release instead of the latest
  --archive FILE  this archive instead of GitHub's
  --rollback      back to the release before
  --help
TEXT
}

main() {
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  # shellcheck source=packaging/host/lib/common.sh
  . "$folder/lib/common.sh"
  # shellcheck source=packaging/host/lib/release.sh
  . "$folder/lib/release.sh"
  # shellcheck source=packaging/host/lib/service.sh
  . "$folder/lib/service.sh"
  local what=update version=latest archive=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --help) help; exit 0 ;;
      --check) what=check ;;
      --rollback) what=rollback ;;
      --version) version=${2:?--version takes a release}; shift ;;
      --archive) archive=${2:?--archive takes a file}; shift ;;
      *) echo "error: $1 is unknown; see --help" >&2; exit 2 ;;
    esac
    shift
  done
  [ -f "$folder/release_info.json" ] || fail "$folder is no installed release"
  refuse_sudo
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  local installed repository
  installed=$(value "$folder/release_info.json" version)
  repository=$(value "$folder/release_info.json" project_owner)/$(value "$folder/release_info.json" project_name)

  case $what in
    check)
      check
      return
      ;;
    rollback)
      if former_version >/dev/null; then
        unmark
        put_in_place "$folder.former"
        prove
        return
      fi
      # Moonraker replaced it and kept nothing: the release before comes from GitHub again.
      version=$(previous_release "$repository" "$installed")
      say "The release before is not kept here: fetching $version."
      ;;
    update)
      if is_unproven; then
        say "The last update was interrupted before $installed had answered."
        prove
      fi
      ;;
  esac
  if [ -z "$archive" ]; then
    local offered
    release_facts "$repository" "$version" "$work/facts.json"
    offered=$(value "$work/facts.json" tag_name)
    if [ "$offered" = "$installed" ] || { [ "$version" = latest ] && ! is_newer "$offered" "$installed"; }; then
      say "$installed is installed, the latest is $offered: nothing to do."
      return
    fi
    archive=$(download_release "$work/facts.json" "$work")
  fi
  unpack "$archive" "$work/release"
  install_libraries "$work/release"
  check_program "$work/release/printer-uplink"
  check_files "$work/release/printer-uplink"
  rm -rf "$folder.new"
  cp -a "$work/release" "$folder.new"
  put_in_place "$folder.new"
  prove
}

check() {
  # shellcheck disable=SC2034 # fail reads it
  fail_status=2
  local offered
  release_facts "$repository" latest "$work/facts.json"
  offered=$(value "$work/facts.json" tag_name)
  if is_newer "$offered" "$installed"; then
    say "$installed is installed; $offered is there: $folder/update.sh"
    exit 1
  fi
  say "$installed is installed, the latest is $offered: nothing to do."
}

# Starts the release that lies in place now; one that does not answer is taken back.
prove() {
  local version former=''
  version=$(value "$folder/release_info.json" version)
  if [ -f "$folder.former/release_info.json" ]; then former=$(value "$folder.former/release_info.json" version); fi
  if restart_all ''; then
    unmark
    say "$version runs; ${former:-nothing} is kept in $folder.former (update.sh --rollback)"
    return
  fi
  warn "$version does not come up. It said:"
  last_words
  [ -n "$former" ] || fail "there is no former release to go back to: update.sh --version"
  put_back
  if restart_all ''; then fail "$former was put back, and runs"; fi
  fail "$former was put back, and does not run either: mend what it says above"
}

# Read as a whole before it runs: it replaces its own folder.
main "$@"; exit
