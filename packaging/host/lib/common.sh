# shellcheck shell=bash
# What all three scripts share: words, questions, root, files, and the record of what was installed.

# Debian gives a login no sbin, where nginx and the service managers are.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail_status=1
fail() {
  printf 'error: %s\n' "$*" >&2
  exit "$fail_status"
}

# Answers that come without asking: flags set answers[<question>], --yes takes the default for the rest.
declare -A answers=()
take_defaults=no

# The terminal, also where the script itself came through a pipe (curl … | bash).
# A file /dev/tty exists always; it opens only where there is a terminal.
terminal_in=
if [ -t 0 ]; then
  terminal_in=/dev/stdin
elif (: </dev/tty) 2>/dev/null; then
  terminal_in=/dev/tty
fi

# ask QUESTION-KEY DEFAULT TEXT: the answer on standard output.
ask() {
  local key=$1 default=$2 text=$3 answer=
  if [ -n "${answers[$key]+set}" ]; then
    printf '%s\n' "${answers[$key]}"
    return
  fi
  if [ "$take_defaults" = yes ] || [ -z "$terminal_in" ]; then
    printf '%s\n' "$default"
    return
  fi
  printf '%s [%s] ' "$text" "$default" >&2
  IFS= read -r answer <"$terminal_in" || answer=
  printf '%s\n' "${answer:-$default}"
}

# agree QUESTION-KEY yes|no TEXT: succeeds where the answer is yes.
agree() {
  local answer
  while true; do
    answer=$(ask "$1" "$2" "$3 (yes/no)")
    case "$answer" in
      y | Y | yes | Yes | YES) return 0 ;;
      n | N | no | No | NO) return 1 ;;
    esac
    [ -z "${answers[$1]+set}" ] || fail "--$1 takes yes or no, not '$answer'"
  done
}

# Runs a command as root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this needs root, and there is no sudo: $*"
  fi
}

refuse_sudo() {
  if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
    fail "run this as $SUDO_USER, without sudo: it asks for root where it needs it"
  fi
}

# Files. Whatever happens on the way (a full disk, a kill), a file is the former one or the new one, never a part.

# rewrite FILE COMMAND...: the command's output, with FILE as its input, takes FILE's place, with its owner and mode.
rewrite() {
  local file temporary
  file=$(readlink -f "$1")
  shift
  temporary=$(beside "$file")
  if rm -f "$temporary" && cp -p "$file" "$temporary" && "$@" <"$file" >"$temporary"; then
    mv "$temporary" "$file"
  else
    rm -f "$temporary"
    fail "$file cannot be written; it is as it was"
  fi
}

# Where the new content of a file waits. It has one name, so that the next run finds what an interrupted one left.
beside() { printf '%s/.%s.printer-uplink\n' "$(dirname "$1")" "$(basename "$1")"; }

# append FILE TEXT: as lines of their own; a last line without an end would swallow the first.
append() { rewrite "$1" append_text "$2"; }
# shellcheck disable=SC2317 # called by rewrite
append_text() { awk '{ print }' && printf '%s\n' "$1"; }

# Writes standard input to a file as root; asks for root only where something changes.
write_as_root() {
  local mode=$1 path=$2 temporary hidden
  temporary=$(mktemp) && cat >"$temporary" || return 1
  if ! cmp -s "$temporary" "$path"; then
    # A name that no "include folder/*" takes.
    hidden=$(dirname "$path")/.$(basename "$path").new
    if ! as_root install -D -m "$mode" "$temporary" "$hidden" || ! as_root mv "$hidden" "$path"; then
      rm -f "$temporary"
      return 1
    fi
  fi
  rm -f "$temporary"
}

# Paths go into unit files, crontabs and patterns: blanks are served, what has a meaning there is not.
check_path() {
  local refused=$'[\'"\\\\`$%&|;#*?<>!\n\t]'
  case "$1" in /*) ;; *) fail "$1 is no absolute path" ;; esac
  if [[ $1 =~ $refused ]]; then fail "$1: this path has a character that unit files or crontabs take otherwise; choose another folder"; fi
}

# What was installed, one file per daemon: KEY=VALUE, read back line by line, never executed.
records=${XDG_CONFIG_HOME:-$HOME/.config}/printer-uplink
record_keys=(service kind data config log state moonraker_conf)

# record_value RECORD KEY
record_value() { sed -n "s/^$2=//p" "$1" | head -1; }

# Whether a record says everything: one that a full disk cut off would have "nothing" removed.
is_whole() {
  local key value
  for key in "${record_keys[@]}" folder; do
    value=$(record_value "$1" "$key")
    case "$key" in
      service) [ "$value" = "$(basename "$1" .installed)" ] || return 1 ;;
      kind) case "$value" in systemd | supervisor | initd | cron | none) ;; *) return 1 ;; esac ;;
      *) case "$value" in /?*) ;; *) return 1 ;; esac ;;
    esac
  done
}

load_record() {
  local key
  is_whole "$1" || fail "$1 is damaged: run install.sh again, with --data and, for a further printer, --name"
  for key in "${record_keys[@]}"; do declare -g "$key=$(record_value "$1" "$key")"; done
}

# shellcheck disable=SC2154 # service and the others are set by the scripts
save_record() {
  local key
  mkdir -p "$records"
  for key in "${record_keys[@]}" folder; do printf '%s=%s\n' "$key" "${!key}"; done >"$records/$service.new" ||
    fail "$records cannot be written"
  mv "$records/$service.new" "$records/$service.installed"
}

# The records, one path a line; nothing where there is none.
all_records() { find "$records" -maxdepth 1 -name '*.installed' 2>/dev/null | sort; }

# Those of this folder's daemons, into the array known_records.
# shellcheck disable=SC2154
list_records() {
  local record
  known_records=()
  while IFS= read -r record; do
    is_whole "$record" || fail "$record is damaged: run $folder/install.sh again, with --data and, for a further printer, --name"
    if [ "$(record_value "$record" folder)" = "$folder" ]; then known_records+=("$record"); fi
  done < <(all_records)
}

# Runs a program with the variables that the daemon gets from its env file. Only systemd reads that file.
# shellcheck disable=SC2154
with_environment() (
  if [ "$kind" = systemd ] && [ -f "$records/env" ]; then
    while IFS='=' read -r key value || [ -n "$key" ]; do
      case "$key" in '' | '#'* | *[!A-Za-z0-9_]*) continue ;; esac
      case "$value" in
        '"'*'"' | "'"*"'") value=${value:1:-1} ;;
      esac
      export "$key=$value"
    done <"$records/env"
  fi
  exec "$@"
)
