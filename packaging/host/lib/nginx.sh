# shellcheck shell=bash
# Our locations in Mainsail's or Fluidd's server block: the status page, and what enabled backends serve.
# shellcheck disable=SC2154

nginx_mark='# printer-uplink'

# The files that may hold the frontend's server block.
nginx_site() {
  local file
  for file in /etc/nginx/sites-enabled/mainsail /etc/nginx/sites-enabled/fluidd /etc/nginx/conf.d/mainsail.conf \
    /etc/nginx/conf.d/fluidd.conf /etc/nginx/sites-enabled/default; do
    if [ -f "$file" ] && grep -qE '^[[:space:]]*server[[:space:]]*\{' "$file"; then
      readlink -f "$file"
      return
    fi
  done
  return 1
}

# The types of the enabled backends, one a line.
enabled_types() {
  "$folder/printer-uplink" validate --json --config "$config" 2>/dev/null | python3 -c '
import json, sys
try:
    report = json.load(sys.stdin)
except ValueError:
    sys.exit()
print(*sorted({entry["type"] for entry in report.get("backends", []) if entry["enabled"]}), sep="\n")'
}

# snippet_of TYPE: the release's locations for an enabled backend of this type, where it needs any.
snippet_of() {
  [ -f "$folder/config/nginx/$1.conf" ] && echo "$folder/config/nginx/$1.conf"
}

# port_of PATTERN: the port of `listen` in the block of the configuration file that begins with a line like PATTERN.
port_of() {
  awk -v begin="$1" '
    $0 ~ /^ *#/ { next }
    $0 ~ /^[^ ]/ || $0 ~ /^ *- / { inside = 0 }
    $0 ~ begin { inside = 1 }
    inside && match($0, /(^|[ {])listen: *"?[^ "}]*:[0-9]+/) { n = split(substr($0, RSTART, RLENGTH), part, ":"); print part[n]; exit }
  ' "$config"
}

nginx_snippet() { echo "/etc/nginx/snippets/$service.conf"; }

# Succeeds where the snippets stand and nginx has taken them; on any error all is as before.
nginx_add() {
  local site type file text=
  site=$(nginx_site) || { warn "no Mainsail or Fluidd site of nginx was found: see docs/install.md"; return 1; }
  for type in page $(enabled_types); do
    file=$(snippet_of "$type") || continue
    text+=$(cat "$file")$'\n'
    # What a snippet itself includes comes along.
    for file in "${file%.conf}"-*.conf; do
      [ ! -f "$file" ] || as_root install -D -m 0644 "$file" "/etc/nginx/snippets/${file##*/}"
    done
  done
  # Each daemon has ports and a path of its own.
  local page cura
  page=$(port_of '^control:')
  cura=$(port_of 'type: *"?cura')
  text=$(sed -e "s|127.0.0.1:7180|127.0.0.1:${page:-7180}|" -e "s|127.0.0.1:8008|127.0.0.1:${cura:-8008}|" \
    -e "s|/printer-uplink/|/$service/|" <<<"$text")$'\n'
  local former former_snippet='' said
  former=$(mktemp)
  said=$(mktemp)
  cat "$site" >"$former"
  if [ -f "$(nginx_snippet)" ]; then
    former_snippet=$(mktemp)
    cat "$(nginx_snippet)" >"$former_snippet"
  fi
  printf '%s' "$text" | write_as_root 0644 "$(nginx_snippet)"
  if ! grep -qF "snippets/$service.conf" "$site"; then
    # Behind the first server block's opening brace.
    awk -v line="    include snippets/$service.conf; $nginx_mark" \
      '{ print } !done && /^[[:space:]]*server[[:space:]]*\{/ { print line; done = 1 }' "$former" |
      write_as_root 0644 "$site"
  fi
  if as_root nginx -t 2>"$said"; then
    rm -f "$said" "$former" "$former_snippet"
    nginx_reload
    return 0
  fi
  sed 's/^/    /' "$said" >&2
  write_as_root 0644 "$site" <"$former"
  if [ -n "$former_snippet" ]; then
    write_as_root 0644 "$(nginx_snippet)" <"$former_snippet"
  else
    as_root rm -f "$(nginx_snippet)"
  fi
  rm -f "$said" "$former" "$former_snippet"
  # As before may be what an interrupted run left.
  if ! as_root nginx -t 2>/dev/null; then nginx_remove; fi
  warn "nginx refuses the snippets (above): they were taken out again"
  return 1
}

nginx_remove() {
  local file changed=no
  for file in /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*; do
    if [ -f "$file" ] && grep -qF "snippets/$service.conf; $nginx_mark" "$file"; then
      grep -vF "snippets/$service.conf; $nginx_mark" "$file" | write_as_root 0644 "$(readlink -f "$file")"
      changed=yes
    fi
  done
  if [ -f "$(nginx_snippet)" ]; then
    as_root rm -f "$(nginx_snippet)"
    changed=yes
  fi
  if [ $changed = yes ] && as_root nginx -t >/dev/null 2>&1; then nginx_reload; fi
}

nginx_reload() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl reload nginx 2>/dev/null || true
  else
    as_root nginx -s reload 2>/dev/null || true
  fi
}
