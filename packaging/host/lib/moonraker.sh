# shellcheck shell=bash
# Moonraker's list of services, and its update manager.
# shellcheck disable=SC2154

# moonraker.asvc names the services that the frontends may restart. Moonraker reads it at its start only.
asvc_add() {
  local file=$data/moonraker.asvc
  if [ ! -f "$file" ]; then
    # A file of ours alone would keep Moonraker from writing its defaults into it.
    warn "$file is not there yet: Moonraker writes it at its first start. Run this again after that"
    return 1
  fi
  grep -qx "$service" "$file" && return 1
  append "$file" "$service"
}

# Succeeds where there was something to take out.
asvc_remove() {
  local file=$data/moonraker.asvc
  grep -qsx "$service" "$file" || return 1
  rewrite "$file" lines_without "^$service\$"
}

# shellcheck disable=SC2317 # called by rewrite
lines_without() { grep -v -- "$1" || [ $? -eq 1 ]; }

# The section goes by the service's name: Moonraker lets a section restart only the service of its own name.
# update_section_add yes|no: whether Moonraker may restart the service.
update_section_add() {
  local file=$moonraker_conf service_line="managed_services: $service" text
  [ "$1" = yes ] || service_line='is_system_service: False'
  [ -w "$file" ] || { warn "$file cannot be written: no update_manager section"; return 1; }
  text="# $service: begin (uninstall.sh takes it out)
$(sed -e "s|@SERVICE@|$service|" -e "s|@REPOSITORY@|$repository|" -e "s|@FOLDER@|$folder|" \
    -e "s|^managed_services:.*|$service_line|" "$folder/config/moonraker/update_manager.conf")
# $service: end"
  if grep -qE "^\[update_manager $service\]" "$file"; then
    [[ $(cat "$file") != *"$text"* ]] || return 1
    # Ours, of another folder or another way to start: the new one takes its place. The owner's stays.
    grep -q "^# $service: begin" "$file" || return 1
    update_section_remove
  elif grep -qsE "^\[update_manager $service\]" "$data"/config/*.conf; then
    return 1
  fi
  append "$file" "$text"
}

update_section_remove() {
  local file=$moonraker_conf
  grep -qs "^# $service: begin" "$file" || return 0
  rewrite "$file" without_section "$service"
}

# Between our two marks; where one of them is gone, the section up to the next one.
# shellcheck disable=SC2317 # called by rewrite
without_section() {
  awk -v service="$1" '
    { line[NR] = $0 }
    index($0, "# " service ": begin") == 1 && !first { first = NR }
    index($0, "# " service ": end") == 1 && first && !last { last = NR }
    END {
      for (i = first + 1; i < last; i++) if (line[i] ~ /^\[/ && index(line[i], "[update_manager " service "]") != 1) last = 0
      if (!last) {
        for (i = first + 1; i <= NR && (line[i] !~ /^\[/ || index(line[i], "[update_manager " service "]") == 1); i++) last = i
        # Comments right above the next section are its own.
        while (last > first && line[last] ~ /^(#.*)?$/ && index(line[last], "# " service ": end") != 1) last--
      }
      for (i = 1; i <= NR; i++) if (i < first || i > last) print line[i]
    }'
}

moonraker_port() {
  local port
  port=$(sed -nE '/^\[server\]/,/^\[/s/^port *[:=] *([0-9]+).*/\1/p' "$moonraker_conf" 2>/dev/null | head -1)
  echo "${port:-7125}"
}

# What this printer does: printing, idle, or unknown where nobody says.
printer_does() {
  python3 - "$(moonraker_port)" <<'PYTHON' 2>/dev/null || echo unknown
import json, sys, urllib.request
def ask(path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{sys.argv[1]}{path}", timeout=5) as answer:
        return json.load(answer)["result"]
if ask("/server/info")["klippy_state"] != "ready":
    print("idle")
else:
    state = ask("/printer/objects/query?print_stats=state")["status"]["print_stats"]["state"]
    print("printing" if state in ("printing", "paused") else "idle")
PYTHON
}

# The unit of the Moonraker that serves this data folder.
moonraker_unit() {
  local unit pid units
  [ -d /run/systemd/system ] || return 1
  mapfile -t units < <(systemctl list-units --plain --no-legend --state=active 'moonraker*.service' | cut -d' ' -f1)
  for unit in ${units[@]+"${units[@]}"}; do
    pid=$(systemctl show --property=MainPID --value "$unit")
    while IFS= read -r -d '' word; do
      if [ -d "$word" ] && [ "$word" -ef "$data" ]; then
        printf '%s\n' "$unit"
        return
      fi
    done <"/proc/$pid/cmdline"
  done
  # One that names no folder serves the usual one.
  if [ ${#units[@]} -eq 1 ] && [ "$data" -ef "$HOME/printer_data" ]; then
    printf '%s\n' "${units[0]}"
  else
    return 1
  fi
}

moonraker_restart() {
  local unit does
  does=$(printer_does)
  if [ "$does" = printing ]; then
    say "A print is running: restart Moonraker when it has ended (it reads the changes only then)."
  elif [ "$does" = idle ] && unit=$(moonraker_unit); then
    as_root systemctl restart "$unit"
    say "Moonraker was restarted."
  else
    say "Restart this printer's Moonraker when nothing is being printed: it reads the changes only then."
  fi
}
