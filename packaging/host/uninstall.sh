#!/usr/bin/env bash
# Takes printer-uplink out again: service, moonraker.asvc, update_manager section, nginx snippet, program.
#   uninstall.sh [--yes] [--config-only] [--purge] [--name NAME]
# Configuration and pairings stay, unless --purge.
set -euo pipefail

help() {
  cat <<'TEXT'
usage: uninstall.sh [OPTION]...

  --yes           ask nothing
  --config-only   take it out of Moonraker's and nginx's configuration only; service and program stay
  --purge         remove configuration, log and pairings too (the clouds have to be paired anew)
  --name NAME     only the daemon that was installed under this name
  --help
TEXT
}

main() {
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  # shellcheck source=packaging/host/lib/common.sh
  . "$folder/lib/common.sh"
  # shellcheck source=packaging/host/lib/service.sh
  . "$folder/lib/service.sh"
  # shellcheck source=packaging/host/lib/moonraker.sh
  . "$folder/lib/moonraker.sh"
  # shellcheck source=packaging/host/lib/nginx.sh
  . "$folder/lib/nginx.sh"
  # shellcheck source=packaging/host/lib/shell.sh
  . "$folder/lib/shell.sh"
  local config_only=no purge=no only=
  while [ $# -gt 0 ]; do
    case "$1" in
      --help) help; exit 0 ;;
      --yes) take_defaults=yes ;;
      --config-only) config_only=yes ;;
      --purge) purge=yes ;;
      --name) only=printer-uplink-${2:?--name takes a name}; shift ;;
      *) echo "error: $1 is unknown; see --help" >&2; exit 2 ;;
    esac
    shift
  done
  refuse_sudo
  [ -f "$folder/release_info.json" ] || fail "$folder is no installed release"
  local record
  list_records
  for record in ${known_records[@]+"${known_records[@]}"}; do
    load_record "$record"
    [ -z "$only" ] || [ "$service" = "$only" ] || continue
    if [ "$take_defaults" = no ] && ! agree remove no "Remove $service?"; then continue; fi
    asvc_remove || true
    update_section_remove
    nginx_remove
    say "$service: out of moonraker.asvc, moonraker.conf and nginx"
    [ $config_only = no ] || continue
    service_remove
    say "$service: the service is gone"
    if [ $purge = yes ]; then
      local path
      # shellcheck disable=SC2154 # from the record
      for path in "${config:?}" "${state:?}" "${log:?}" "$log".*; do
        [ -e "$path" ] || continue
        say "purging $path"
        rm -rf "$path"
      done
    else
      say "kept: $config and the pairings in $state"
    fi
    rm -f "$record"
  done
  [ $config_only = no ] || return 0
  list_records
  if [ ${#known_records[@]} -eq 0 ]; then
    shell_help_remove
    if [ -f "$records/env" ]; then
      if [ $purge = yes ]; then
        say "purging $records/env"
        rm -f "$records/env"
      else
        say "kept: $records/env"
      fi
    fi
    rm -f "$records/restart-moonraker"
    rmdir "$records" 2>/dev/null || true
    say "removing $folder"
    # Out of the way first: what an interrupted removal leaves must not look like an installation.
    rm -rf "$folder.former" "$folder.new" "$folder.unproven" "$folder.going"
    mv "$folder" "$folder.going"
    rm -rf "$folder.going"
  fi
  say "Restart Moonraker to have it out of its lists."
}

# Read as a whole before it runs: it removes its own folder.
main "$@"; exit
