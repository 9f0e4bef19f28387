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

# The types of the enabled backends, one a line; fails where the file has errors.
enabled_types() {
  with_environment "$folder/printer-uplink" validate --json --config "$config" 2>/dev/null | python3 -c '
import json, sys
try:
    report = json.load(sys.stdin)
except ValueError:
    sys.exit(1)
if not report["ok"]:
    sys.exit(1)
print(*sorted({entry["type"] for entry in report.get("backends", []) if entry["enabled"]}), sep="\n")'
}

# snippet_of TYPE: the release's locations for an enabled backend of this type, where it needs any.
snippet_of() {
  [ -f "$folder/config/nginx/$1.conf" ] && echo "$folder/config/nginx/$1.conf"
}

# port_of PATTERN FILE: the port of `listen` in the block of the configuration file that begins with a line like PATTERN.
port_of() {
  awk -v begin="$1" '
    $0 ~ /^ *#/ { next }
    $0 ~ /^[^ ]/ || $0 ~ /^ *- / { inside = 0 }
    $0 ~ begin { inside = 1 }
    inside && match($0, /(^|[ {])listen: *"?[^ "}]*:[0-9]+/) { n = split(substr($0, RSTART, RLENGTH), part, ":"); print part[n]; exit }
  ' "$2"
}

nginx_snippet() { echo "/etc/nginx/snippets/$service.conf"; }

# Succeeds where the snippets stand and nginx has taken them; on any error all is as before.
nginx_add() {
  local site type types='' file text=
  # The paths of the clouds are there once; a further printer's daemon has its page only.
  if [ "$service" = printer-uplink ]; then
    types=$(enabled_types) || { warn "$config has errors: nginx was left as it is"; return 1; }
  fi
  site=$(nginx_site) || { warn "no Mainsail or Fluidd site of nginx was found: see docs/install.md"; return 1; }
  for type in page $types; do
    file=$(snippet_of "$type") || continue
    text+=$(cat "$file")$'\n'
    # What a snippet itself includes comes along, under a name of ours.
    for file in "${file%.conf}"-*.conf; do
      if [ -f "$file" ]; then
        write_as_root 0644 "/etc/nginx/snippets/$service-${file##*/}" <"$file" || return 1
        text=${text//"snippets/${file##*/}"/"snippets/$service-${file##*/}"}
      fi
    done
  done
  # Each daemon has ports and a path of its own.
  local page cura
  page=$(port_of '^control:' "$config")
  cura=$(port_of 'type: *"?cura' "$config")
  text=$(sed -e "s|127.0.0.1:7180|127.0.0.1:${page:-7180}|" -e "s|127.0.0.1:8008|127.0.0.1:${cura:-8008}|" \
    -e "s|/printer-uplink/|/$service/|" <<<"$text")$'\n'
  local former former_snippet='' said
  former=$(mktemp)
  said=$(mktemp)
  cat "$site" >"$former" || return 1
  if [ -f "$(nginx_snippet)" ]; then
    former_snippet=$(mktemp)
    cat "$(nginx_snippet)" >"$former_snippet"
  fi
  printf '%s' "$text" | write_as_root 0644 "$(nginx_snippet)" || return 1
  if ! grep -qF "snippets/$service.conf" "$site"; then
    # Behind the first server block's opening brace.
    awk -v line="    include snippets/$service.conf; $nginx_mark" \
      '{ print } !done && /^[[:space:]]*server[[:space:]]*\{/ { print line; done = 1 }' "$former" |
      write_as_root 0644 "$site" || return 1
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
    nginx_forget
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
    nginx_forget
    changed=yes
  fi
  if [ $changed = yes ] && as_root nginx -t >/dev/null 2>&1; then nginx_reload; fi
}

nginx_forget() { as_root rm -f "$(nginx_snippet)" "/etc/nginx/snippets/$service-cura-proxy.conf"; }

nginx_reload() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl reload nginx 2>/dev/null || true
  else
    as_root nginx -s reload 2>/dev/null || true
  fi
}
