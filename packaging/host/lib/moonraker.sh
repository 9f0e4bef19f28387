# shellcheck shell=bash
# Moonraker's list of services, and its update manager.
# shellcheck disable=SC2154

# moonraker.asvc names the services that the frontends may restart. Moonraker reads it at its start only.
asvc_add() {
  local file=$data/moonraker.asvc
  grep -qx "$service" "$file" 2>/dev/null && return 1
  append "$file" "$service"
}

# append FILE TEXT: whole or not at all; a last line without an end would swallow ours.
append() {
  local end=
  if [ -s "$1" ] && [ -n "$(tail -c 1 "$1")" ]; then end=$'\n'; fi
  printf '%s' "$end$2"$'\n' >>"$1"
}

asvc_remove() {
  local file=$data/moonraker.asvc
  [ -f "$file" ] || return 0
  remove_lines "$file" "^$service\$"
}

# remove_lines FILE PATTERN: in place, keeping owner and mode.
remove_lines() {
  local temporary
  temporary=$(mktemp)
  grep -v -- "$2" "$1" >"$temporary" || true
  cat "$temporary" >"$1"
  rm -f "$temporary"
}

# The section goes by the service's name: Moonraker lets a section restart only the service of its own name.
# update_section_add yes|no: whether Moonraker may restart the service.
update_section_add() {
  local file=$moonraker_conf service_line="managed_services: $service"
  [ "$1" = yes ] || service_line='is_system_service: False'
  [ -w "$file" ] || { warn "$file cannot be written: no update_manager section"; return 1; }
  if grep -qsE "^\[update_manager $service\]" "$data"/config/*.conf; then return 1; fi
  append "$file" "# $service: begin (uninstall.sh takes it out)
$(sed -e "s|@SERVICE@|$service|" -e "s|@REPOSITORY@|$repository|" -e "s|@FOLDER@|$folder|" \
    -e "s|^managed_services:.*|$service_line|" "$folder/config/moonraker/update_manager.conf")
# $service: end"
}

update_section_remove() {
  local file=$moonraker_conf
  [ -f "$file" ] && grep -q "^# $service: begin" "$file" || return 0
  local temporary
  temporary=$(mktemp)
  sed "/^# $service: begin/,/^# $service: end/d" "$file" >"$temporary"
  cat "$temporary" >"$file"
  rm -f "$temporary"
}

moonraker_port() {
  local port
  port=$(sed -nE '/^\[server\]/,/^\[/s/^port *[:=] *([0-9]+).*/\1/p' "$moonraker_conf" 2>/dev/null | head -1)
  echo "${port:-7125}"
}

is_printing() {
  command -v curl >/dev/null || return 1
  curl -sf -m 5 "http://127.0.0.1:$(moonraker_port)/printer/objects/query?print_stats=state" 2>/dev/null |
    grep -qE '"state": *"(printing|paused)"'
}

moonraker_restart() {
  if is_printing; then
    say "A print is running: restart Moonraker when it has ended (it reads the changes only then)."
  elif [ -d /run/systemd/system ] && systemctl --quiet is-active moonraker; then
    as_root systemctl restart moonraker
    say "Moonraker was restarted."
  else
    say "Restart Moonraker: it reads the changes only then."
  fi
}
