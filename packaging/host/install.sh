#!/usr/bin/env bash
# Installs printer-uplink into a home folder, in the manner of KIAUH's hosts:
#   curl -fsSL https://github.com/OWNER/printer-uplink/releases/latest/download/install.sh | bash
# or, from an unpacked release, ./install.sh. `--help` names the flag for every question.
# Run again, it repairs or changes what is there; configuration and pairings stay.
set -euo pipefail

help() {
  cat <<'TEXT'
usage: install.sh [OPTION]...

  --folder PATH           where the program goes (default: ~/printer-uplink)
  --data PATH             the printer's data folder (default: the only ~/printer*_data)
  --name NAME             one more daemon for one more printer: service printer-uplink-NAME
  --moonraker ADDRESS     http://host:port or unix:/path (default: the printer's socket)
  --service KIND          systemd, supervisor, initd, cron or none (default: what this host has)
  --asvc yes|no           let Mainsail and Fluidd restart the service (a line in moonraker.asvc)
  --update-manager yes|no a section for Moonraker's update manager
  --nginx yes|no          the status page and what enabled clouds need, beside Mainsail or Fluidd
  --restart-moonraker yes|no
  --start yes|no          start it now
  --version V             this release instead of the latest
  --archive FILE          this archive instead of GitHub's
  --repository OWNER/NAME where the releases are
  --yes                   the default for every question
  --help
TEXT
}

# Everything is in a function: a script that was cut off on its way does nothing.
main() {
  local original=("$@")
  local version=latest archive='' repository_flag=''
  folder=$HOME/printer-uplink
  data='' name=''
  declare -A given=()
  local defaults=no
  while [ $# -gt 0 ]; do
    case "$1" in
      --help) help; exit 0 ;;
      --yes) defaults=yes; shift; continue ;;
    esac
    [ $# -ge 2 ] || { echo "error: $1 takes a value, or is unknown; see --help" >&2; exit 2; }
    case "$1" in
      --folder) folder=$2 ;;
      --data) data=$2 ;;
      --name) name=$2 ;;
      --version) version=$2 ;;
      --archive) archive=$2 ;;
      --repository) repository_flag=$2 ;;
      --moonraker | --service | --asvc | --update-manager | --nginx | --restart-moonraker | --start) given[${1#--}]=$2 ;;
      *) echo "error: $1 is unknown; see --help" >&2; exit 2 ;;
    esac
    shift 2
  done
  command -v python3 >/dev/null || { echo 'error: python3 is missing (Klipper needs it too): apt-get install python3' >&2; exit 1; }

  # Beside the release that this script came in? Then that one is installed.
  local here=''
  case "${BASH_SOURCE[0]:-}" in
    */*) here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) ;;
  esac
  if [ -z "$here" ] || [ ! -f "$here/release_info.json" ] || [ -n "$archive" ] || [ "$version" != latest ]; then
    bootstrap "$version" "$archive" "${repository_flag:-@REPOSITORY@}" "${original[@]}"
  fi

  # shellcheck source=packaging/host/lib/common.sh
  . "$here/lib/common.sh"
  # shellcheck source=packaging/host/lib/release.sh
  . "$here/lib/release.sh"
  # shellcheck source=packaging/host/lib/service.sh
  . "$here/lib/service.sh"
  # shellcheck source=packaging/host/lib/moonraker.sh
  . "$here/lib/moonraker.sh"
  # shellcheck source=packaging/host/lib/nginx.sh
  . "$here/lib/nginx.sh"
  # shellcheck source=packaging/host/lib/shell.sh
  . "$here/lib/shell.sh"
  # shellcheck disable=SC2034 # ask reads both
  {
    take_defaults=$defaults
    local key
    for key in "${!given[@]}"; do answers[$key]=${given[$key]}; done
  }
  refuse_sudo
  case "$folder" in /*) ;; *) folder=$PWD/$folder ;; esac
  check_path "$folder"
  [[ $name =~ ^[A-Za-z0-9_-]*$ ]] || fail "--name takes letters, digits, - and _"
  service=printer-uplink${name:+-$name}
  if dpkg-query -W -f='${db:Status-Status}' printer-uplink 2>/dev/null | grep -qx installed; then
    fail "the Debian package printer-uplink is installed: the two ways do not mix (apt-get remove printer-uplink keeps its pairings)"
  fi
  repository=${repository_flag:-$(value "$here/release_info.json" project_owner)/$(value "$here/release_info.json" project_name)}

  install_libraries "$here"
  check_program "$here/printer-uplink"
  choose_printer
  place "$here"
  write_configuration
  local known=''
  if [ -f "$records/$service.installed" ]; then known=$(sed -n 's/^kind=//p' "$records/$service.installed"); fi
  kind=$(ask service "${known:-$(detect_kind)}" 'What starts it: systemd, supervisor, initd, cron or none?')
  case "$kind" in systemd | supervisor | initd | cron | none) ;; *) fail "--service $kind is unknown" ;; esac
  # Another way than before: the former one must not start it too.
  if [ -n "$known" ] && [ "$known" != "$kind" ]; then service_remove_as "$known"; fi
  mkdir -p "$state"
  chmod 0700 "$state"
  service_write
  save_record
  say "service: $service, started by $kind"
  shell_help_add
  tell_moonraker
  tell_nginx
  bring_up
  closing_words
}

# Fetches a release, or takes the archive, and goes on with the install.sh in it.
bootstrap() {
  local version=$1 archive=$2 repository=$3 work
  shift 3
  work=$(mktemp -d)
  if [ -z "$archive" ]; then
    archive=$(bootstrap_download "$repository" "$version" "$work")
  fi
  python3 - "$archive" "$work/release" <<'PYTHON'
import pathlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        path = pathlib.Path(archive.extract(entry, sys.argv[2]))
        if not entry.is_dir():
            path.chmod((entry.external_attr >> 16) & 0o777 or 0o644)
PYTHON
  # What chose the release has been obeyed; the rest goes along.
  local rest=()
  while [ $# -gt 0 ]; do
    case "$1" in
      --version | --archive) shift 2 ;;
      *) rest+=("$1"); shift ;;
    esac
  done
  local status=0
  bash "$work/release/install.sh" ${rest[@]+"${rest[@]}"} || status=$?
  rm -rf "$work"
  exit $status
}

# What lib/release.sh does, for a script that came alone.
bootstrap_download() {
  python3 - "$1" "$2" "$3" <<'PYTHON'
import hashlib, json, pathlib, platform, struct, sys, urllib.request
repository, version, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine())
if machine is None or struct.calcsize("P") != 8:
    sys.exit("error: this system is not supported: run printer-uplink on another host and point printer.moonraker at "
             "this printer (docs/platforms.md)")
name = f"printer-uplink-linux-{machine}.zip"
path = "releases/latest" if version == "latest" else f"releases/tags/{version}"
def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()
    except OSError as error:
        sys.exit(f"error: {url}: {error}")
release = json.loads(fetch(f"https://api.github.com/repos/{repository}/{path}"))
assets = {asset["name"]: asset["browser_download_url"] for asset in release.get("assets", [])}
for wanted in (name, "SHA256SUMS"):
    if wanted not in assets:
        sys.exit(f"error: release {release.get('tag_name')} has no {wanted}")
sums = dict(reversed(line.split()) for line in fetch(assets["SHA256SUMS"]).decode().splitlines() if line.strip())
content = fetch(assets[name])
if sums.get(name) != hashlib.sha256(content).hexdigest():
    sys.exit(f"error: {name} is not what SHA256SUMS says: nothing was changed")
(folder / name).write_bytes(content)
print(folder / name)
PYTHON
}

# Puts the release into its folder; the one before stays beside it until this one has come up.
place() {
  [ "$1" != "$folder" ] || return 0
  if [ -e "$folder" ] && [ ! -f "$folder/release_info.json" ]; then
    fail "$folder is something else: move it away, or give --folder"
  fi
  rm -rf "$folder.new" "$folder.going"
  mkdir -p "$(dirname "$folder")"
  cp -a "$1" "$folder.new"
  put_in_place "$folder.new"
  say "program: $folder ($(value "$folder/release_info.json" version))"
}

choose_printer() {
  local found=() candidate
  if [ -z "$data" ]; then
    for candidate in "$HOME"/printer_data "$HOME"/printer_*_data; do
      [ -d "$candidate" ] && found+=("$candidate")
    done
    case ${#found[@]} in
      0) data=$(ask data "$HOME/printer_data" "No printer_data folder was found. Where is the printer's data folder?") ;;
      1) data=${found[0]} ;;
      *)
        say "Several printers: ${found[*]}"
        data=$(ask data "${found[0]}" "Which one? (install once more with --name for the next)")
        ;;
    esac
  fi
  [ -d "$data/config" ] || fail "$data/config is no folder: give --data PATH"
  data=$(cd "$data" && pwd)
  check_path "$data"
  moonraker_conf=$data/config/moonraker.conf
  # Where the pairings live, outside of what Moonraker hands out.
  state=${XDG_STATE_HOME:-$HOME/.local/state}/$service
  check_path "$state"
}

write_configuration() {
  config=$data/config/printer-uplink.yaml
  log=$data/logs/printer-uplink.log
  [ -e "$config" ] || [ ! -e "$data/config/printer-uplink.conf" ] || config=$data/config/printer-uplink.conf
  if [ -e "$config" ]; then
    say "configuration: $config (kept)"
    return
  fi
  local address count
  address=http://127.0.0.1:$(moonraker_port)
  # The socket needs no key, and works also where Moonraker trusts nobody.
  if [ -S "$data/comms/moonraker.sock" ]; then address=unix:$data/comms/moonraker.sock; fi
  address=$(ask moonraker "$address" "Where is Moonraker?")
  count=$(all_records | grep -cv "/$service.installed\$" || true)
  mkdir -p "$data/logs"
  cat >"$config.new" <<TEXT
# printer-uplink. Every setting, explained: $folder/config/printer-uplink.yaml
# The smallest entry of each cloud:          $folder/config/examples/
# After a change: printer-uplink validate "$config"
version: 1
state_directory: $(as_yaml "$state")
printer:
  name: ${name:-Printer}
  moonraker: $(as_yaml "$address")
control:
  listen: 127.0.0.1:$((7180 + count))
log:
  file: $(as_yaml "$log")
backends: []
TEXT
  mv "$config.new" "$config"
  say "configuration: $config"
}

# A text with blanks in quotes; check_path has seen to it that there are none in it.
as_yaml() { case "$1" in *' '*) printf '"%s"' "$1" ;; *) printf '%s' "$1" ;; esac; }

tell_moonraker() {
  [ -f "$moonraker_conf" ] || return 0
  local changed=no default=yes managed=no pending=$records/restart-moonraker
  # An earlier run changed something, and was ended before Moonraker could know of it.
  if [ -f "$pending" ]; then changed=yes; fi
  : >"$pending"
  # Moonraker restarts what systemd or Supervisor runs, and nothing else.
  case "$kind" in systemd | supervisor) managed=yes ;; esac
  if [ $managed = yes ] && agree asvc yes "May Mainsail and Fluidd restart $service?"; then
    if asvc_add; then changed=yes; fi
  fi
  grep -qsx "$service" "$data/moonraker.asvc" || managed=no
  # One folder, one section: a further printer's daemon is updated along with the first. And what Moonraker cannot
  # restart is better updated by update.sh, which can.
  if [ -n "$name" ] || [ $managed = no ]; then default=no; fi
  if agree update-manager $default "Shall Moonraker's update manager update it?"; then
    if update_section_add $managed; then changed=yes; fi
  fi
  if [ $changed = yes ] && agree restart-moonraker yes "Restart Moonraker, so that it sees that?"; then moonraker_restart; fi
  rm -f "$pending"
}

tell_nginx() {
  command -v nginx >/dev/null || return 0
  local type default=no
  for type in $(enabled_types); do
    if snippet_of "$type" >/dev/null; then default=yes; fi
  done
  if agree nginx $default "Add the status page (/$service/) and what your clouds need to the web server?"; then
    if nginx_add; then say "nginx: http://$(hostname)/$service/"; fi
  fi
}

bring_up() {
  if [ "$kind" = none ] || ! agree start yes "Start it now?"; then
    unmark
    return
  fi
  if service_do restart && comes_up; then
    unmark
    say "It runs."
    return
  fi
  warn "it does not come up. It said:"
  last_words
  if is_unproven && [ -f "$folder.former/release_info.json" ]; then
    put_back
    service_write
    if service_do restart && comes_up; then fail "the former version was put back, and runs: $(value "$folder/release_info.json" version)"; fi
    fail "the former version was put back, and does not run either: mend what it says above"
  fi
  fail "mend what it says, then run this again"
}

closing_words() {
  say ""
  say "Next: add your clouds below 'backends:' in $config"
  say "      (in Mainsail or Fluidd it is among the configuration files), then"
  say "      printer-uplink validate \"$config\"      (in a new shell; the program is $folder/printer-uplink)"
  say "      The daemon takes the file over by itself when it is saved."
}

main "$@"
