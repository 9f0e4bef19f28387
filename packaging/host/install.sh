#!/usr/bin/env bash
# Installs printer-uplink into a home folder, in the manner of KIAUH's hosts:
#   curl -fsSL https://github.com/OWNER/printer-uplink/releases/latest/download/install.sh | bash
# or, from an unpacked release, ./install.sh. `--help` names the flag for every question.
# Run again, it repairs or changes what is there, with what it was told before; configuration and pairings stay.
set -euo pipefail

help() {
  cat <<'TEXT'
usage: install.sh [OPTION]...

  --folder PATH           where the program goes (default: where it is, else ~/printer-uplink)
  --data PATH             the printer's data folder (default: the only ~/printer*_data)
  --name NAME             one more daemon for one more printer: service printer-uplink-NAME
  --moonraker ADDRESS     http://host:port or unix:/path (default: the printer's socket)
  --service KIND          systemd, supervisor, initd, cron or none (default: what this host has)
  --asvc yes|no           let Mainsail and Fluidd restart the service (a line in moonraker.asvc)
  --update-manager yes|no a section for Moonraker's update manager
  --nginx yes|no          the status page and what enabled clouds need, beside Mainsail or Fluidd
  --restart-moonraker yes|no
  --start yes|no          start it now
  --as-root yes|no        root itself may own and run it (default: no; hosts without another user)
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
  folder='' data='' name=''
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
      --moonraker | --service | --asvc | --update-manager | --nginx | --restart-moonraker | --start | --as-root) given[${1#--}]=$2 ;;
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
  if [ "$(id -u)" -eq 0 ] && ! agree as-root no "You are root. Shall the daemon, which talks to the clouds, run as root too?"; then
    fail "run this as the printer's user (or say --as-root yes)"
  fi
  [[ $name =~ ^[A-Za-z0-9_-]*$ ]] || fail "--name takes letters, digits, - and _"
  service=printer-uplink${name:+-$name}
  if dpkg-query -W -f='${db:Status-Status}' printer-uplink 2>/dev/null | grep -qx installed; then
    fail "the Debian package printer-uplink is installed: the two ways do not mix (apt-get remove printer-uplink keeps its pairings)"
  fi
  recall "$here"
  repository=${repository_flag:-$(value "$here/release_info.json" project_owner)/$(value "$here/release_info.json" project_name)}

  install_libraries "$here"
  check_program "$here/printer-uplink"
  choose_printer
  # In a subshell: it loads other daemons' records.
  if [ "$here" != "$folder" ]; then (check_files "$here/printer-uplink"); fi
  choose_files
  place "$here"
  write_configuration
  local known=$was_kind
  kind=$(ask service "${known:-$(detect_kind)}" 'What starts it: systemd, supervisor, initd, cron or none?')
  case "$kind" in systemd | supervisor | initd | cron | none) ;; *) fail "--service $kind is unknown" ;; esac
  mkdir -p "$state"
  chmod 0700 "$state"
  # First of all, so that uninstall.sh knows of it whatever comes between.
  save_record
  # Another way than before: the former one must not start it too.
  if [ -n "$known" ] && [ "$known" != "$kind" ]; then service_remove_as "$known"; fi
  service_write
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
            if not answer.url.startswith("https:"):
                sys.exit(f"error: {url}: leads to {answer.url}")
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

# What an earlier run was told counts where no flag says otherwise.
recall() {
  local record=$records/$service.installed other
  was_kind=''
  if [ -f "$record" ] && ! is_whole "$record"; then
    warn "$record was damaged: asking anew"
    rm -f "$record"
  fi
  if [ -f "$record" ]; then
    was_kind=$(record_value "$record" kind)
    data=${data:-$(record_value "$record" data)}
    other=$(record_value "$record" folder)
    if [ -n "$folder" ] && [ "$folder" != "$other" ]; then warn "the program in $other stays; nothing uses it for $service any more"; fi
    folder=${folder:-$other}
  fi
  if [ -z "$folder" ]; then
    # The folder of the other daemons of this host: the one that this script lies in, else any.
    folder=$HOME/printer-uplink
    while IFS= read -r other; do
      if is_whole "$other"; then folder=$(record_value "$other" folder); fi
      [ "$folder" != "$1" ] || break
    done < <(all_records)
  fi
  case "$folder" in /*) ;; *) folder=$PWD/$folder ;; esac
  check_path "$folder"
}

# Whose printer a data folder is already; fails where it is nobody's but ours.
taken_by() {
  local record
  while IFS= read -r record; do
    if [ "$(record_value "$record" service)" != "$service" ] && [ "$(record_value "$record" data)" -ef "$1" ]; then
      record_value "$record" service
      return
    fi
  done < <(all_records)
  return 1
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
      if [ -d "$candidate" ] && ! taken_by "$candidate" >/dev/null; then found+=("$candidate"); fi
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
  local other
  if other=$(taken_by "$data"); then fail "$data is $other's printer: give --data for another, or leave --name out"; fi
  moonraker_conf=$data/config/moonraker.conf
  # Where the pairings live, outside of what Moonraker hands out.
  state=${XDG_STATE_HOME:-$HOME/.local/state}/$service
  check_path "$state"
}

choose_files() {
  config=$data/config/printer-uplink.yaml
  log=$data/logs/printer-uplink.log
  [ -e "$config" ] || [ ! -e "$data/config/printer-uplink.conf" ] || config=$data/config/printer-uplink.conf
}

write_configuration() {
  if [ -e "$config" ]; then
    say "configuration: $config (kept)"
    return
  fi
  local address
  address=http://127.0.0.1:$(moonraker_port)
  # The socket needs no key, and works also where Moonraker trusts nobody.
  if [ -S "$data/comms/moonraker.sock" ]; then address=unix:$data/comms/moonraker.sock; fi
  address=$(ask moonraker "$address" "Where is Moonraker?")
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
  listen: 127.0.0.1:$(free_port)
log:
  file: $(as_yaml "$log")
backends: []
TEXT
  mv "$config.new" "$config"
  say "configuration: $config"
}

# The first port from 7180 on that no other daemon's file names, and on which nobody listens.
free_port() {
  local record named=()
  while IFS= read -r record; do
    if [ -f "$(record_value "$record" config)" ]; then named+=("$(port_of '^control:' "$(record_value "$record" config)")"); fi
  done < <(all_records)
  python3 - ${named[@]+"${named[@]}"} <<'PYTHON'
import socket, sys
for port in range(7180, 7280):
    with socket.socket() as probe:
        # What has just ended does not count; what listens does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
    if str(port) not in sys.argv[1:]:
        break
print(port)
PYTHON
}

# A text with blanks in quotes; check_path has seen to it that there are none in it.
as_yaml() { case "$1" in *' '*) printf '"%s"' "$1" ;; *) printf '%s' "$1" ;; esac; }

tell_moonraker() {
  [ -f "$moonraker_conf" ] || return 0
  local changed=no default=yes managed=no pending=$records/restart-moonraker
  # An earlier run changed something, and was ended before Moonraker could know of it.
  if [ -f "$pending" ]; then changed=yes; fi
  : >"$pending"
  rm -f "$(beside "$data/moonraker.asvc")" "$(beside "$(readlink -f "$moonraker_conf")")"
  # Moonraker restarts what systemd or Supervisor runs, and nothing else.
  case "$kind" in systemd | supervisor) managed=yes ;; esac
  if [ $managed = yes ] && agree asvc yes "May Mainsail and Fluidd restart $service?"; then
    if asvc_add; then changed=yes; fi
  fi
  # A daemon that Moonraker cannot restart must not stand there as if it could.
  if [ $managed = no ] && asvc_remove; then changed=yes; fi
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
  if ! command -v nginx >/dev/null; then
    [ "${given[nginx]:-}" != yes ] || warn "no nginx is on this host: nothing was added to it"
    if [ "$kind" = systemd ] && enabled_types | grep -qx cura; then
      say "Cura calls port 80, and no nginx is here: see \"Port 80\" in $folder/docs/install.md"
    fi
    return
  fi
  local type types='' default=no
  if [ "$service" = printer-uplink ]; then types=$(enabled_types) || true; fi
  for type in $types; do
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
  local replaced=no
  if is_unproven; then replaced=yes; fi
  if service_do restart && comes_up; then
    unmark
    say "It runs."
    # The other daemons of the folder run the former program still.
    if [ $replaced = yes ] && ! (restart_all "$service"); then warn "another daemon of $folder does not come up"; fi
    return
  fi
  warn "it does not come up. It said:"
  last_words
  if is_unproven && [ -f "$folder.former/release_info.json" ]; then
    put_back
    renew_service
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
  say "      The daemon takes the file over by itself when it is saved. Step by step: $folder/docs/first-ten-minutes.md"
}

main "$@"
