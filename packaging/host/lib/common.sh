# shellcheck shell=bash
# What all three scripts share: words, questions, root, and the record of what was installed.

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Answers that come without asking: flags set ANSWER_<question>, --yes takes the default for the rest.
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

# Writes standard input to a file as root, whole or not at all; asks for root only where something changes.
write_as_root() {
  local mode=$1 path=$2 temporary hidden
  temporary=$(mktemp)
  cat >"$temporary"
  if ! cmp -s "$temporary" "$path"; then
    # A name that no "include folder/*" takes.
    hidden=$(dirname "$path")/.$(basename "$path").new
    as_root install -D -m "$mode" "$temporary" "$hidden"
    as_root mv "$hidden" "$path"
  fi
  rm -f "$temporary"
}

# Paths go into unit files, crontabs and patterns: blanks are served, what has a meaning there is not.
check_path() {
  local refused=$'[\'"\\\\`$%&|;#*?<>!\n\t]'
  case "$1" in /*) ;; *) fail "$1 is no absolute path" ;; esac
  if [[ $1 =~ $refused ]]; then fail "$1: this path has a character that unit files or crontabs take otherwise; choose another folder"; fi
}

refuse_sudo() {
  if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
    fail "run this as $SUDO_USER, without sudo: it asks for root where it needs it"
  fi
}

# What was installed, one file per daemon: KEY=VALUE, read back line by line, never executed.
records=${XDG_CONFIG_HOME:-$HOME/.config}/printer-uplink
record_keys=(service kind data config log state moonraker_conf)

load_record() {
  local key value
  for key in "${record_keys[@]}"; do declare -g "$key="; done
  while IFS='=' read -r key value; do
    case " ${record_keys[*]} " in *" $key "*) declare -g "$key=$value" ;; esac
  done <"$1"
}

save_record() {
  local key
  mkdir -p "$records"
  # shellcheck disable=SC2154 # service and the others are set by the script
  for key in "${record_keys[@]}"; do printf '%s=%s\n' "$key" "${!key}"; done >"$records/$service.new"
  mv "$records/$service.new" "$records/$service.installed"
}

# The records, one path a line; nothing where there is none.
all_records() { find "$records" -maxdepth 1 -name '*.installed' 2>/dev/null | sort; }

# The path of each record, into the array `known_records`.
# shellcheck disable=SC2034
list_records() { mapfile -t known_records < <(all_records); }
