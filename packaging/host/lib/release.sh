# shellcheck shell=bash
# Releases on GitHub: which there are, fetched, checked, unpacked, and put in place of one another.
# shellcheck disable=SC2154

github_api=https://api.github.com

fetch() { # URL FILE
  if command -v curl >/dev/null; then
    curl --proto '=https' --proto-redir '=https' -fsSL --retry 2 -o "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --https-only -q -O "$2" "$1"
  else
    fail "neither curl nor wget is here: apt-get install curl"
  fi
}

# value FILE KEY: a text of a JSON object.
value() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1])).get(sys.argv[2]) or "")' "$1" "$2"; }

platform() {
  case "$(uname -m)" in
    x86_64) echo linux-amd64 ;;
    aarch64)
      # A 64-bit kernel below a 32-bit system, as older Raspberry Pi images have it.
      [ "$(getconf LONG_BIT)" = 64 ] || fail "this system is 32-bit: run printer-uplink on another host and point printer.moonraker at this printer (docs/platforms.md)"
      echo linux-arm64
      ;;
    *) fail "$(uname -m) is not supported: run printer-uplink on another host and point printer.moonraker at this printer (docs/platforms.md)" ;;
  esac
}

# release_facts REPOSITORY VERSION FILE: what GitHub says of a release (VERSION latest, or a tag).
release_facts() {
  local path=releases/latest
  [ "$2" = latest ] || path=releases/tags/$2
  fetch "$github_api/repos/$1/$path" "$3" ||
    fail "GitHub does not say what release $2 of $1 is; look at https://github.com/$1/releases, or give --archive FILE"
}

# download_release FACTS FOLDER: the archive for this machine, checked against SHA256SUMS; prints its path.
download_release() {
  local facts=$1 folder=$2 archive
  archive=printer-uplink-$(platform).zip
  local name url
  for name in "$archive" SHA256SUMS; do
    url=$(python3 -c '
import json, sys
for asset in json.load(open(sys.argv[1])).get("assets", []):
    if asset.get("name") == sys.argv[2]:
        print(asset["browser_download_url"])' "$facts" "$name")
    [ -n "$url" ] || fail "this release has no $name"
    fetch "$url" "$folder/$name" || fail "$url cannot be fetched"
  done
  (cd "$folder" && grep -E "[ *]$archive\$" SHA256SUMS | sha256sum --check --quiet --strict -) >&2 ||
    fail "$archive is not what SHA256SUMS says: nothing was changed"
  printf '%s\n' "$folder/$archive"
}

# unpack ARCHIVE FOLDER: with the modes; FOLDER must not exist.
unpack() {
  mkdir "$2"
  python3 - "$1" "$2" <<'PYTHON'
import pathlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        path = pathlib.Path(archive.extract(entry, sys.argv[2]))
        if not entry.is_dir():
            path.chmod((entry.external_attr >> 16) & 0o777 or 0o644)
PYTHON
  [ -x "$2/printer-uplink" ] || fail "$1 holds no printer-uplink"
}

# previous_release REPOSITORY VERSION: the newest release below this one.
previous_release() {
  local facts tag
  facts=$(mktemp)
  fetch "$github_api/repos/$1/releases?per_page=50" "$facts" || fail "GitHub does not say which releases $1 has: give --version"
  tag=$(python3 -c '
import json, sys
for release in json.load(open(sys.argv[1])):
    if not release.get("prerelease") and not release.get("draft"):
        print(release["tag_name"])' "$facts" | while IFS= read -r tag; do
    if is_newer "$2" "$tag"; then printf '%s\n' "$tag"; fi
  done | sed 's/-/~/' | sort -V | tail -1 | sed 's/~/-/')
  rm -f "$facts"
  [ -n "$tag" ] || fail "$1 has no release before $2"
  printf '%s\n' "$tag"
}

# is_newer A B: whether version A is newer than version B; 1.0.0-rc1 comes before 1.0.0.
is_newer() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n' "${1/-/\~}" "${2/-/\~}" | sort -V | tail -1)" = "${1/-/\~}" ]
}

# The new program must accept each configuration file that the old one runs with.
check_files() {
  local record said
  list_records
  for record in ${known_records[@]+"${known_records[@]}"}; do
    load_record "$record"
    said=$(with_environment "$1" validate "$config" 2>&1) ||
      fail "the new release refuses $config; nothing was changed: ${said%%$'\n'*}"
  done
}

# Says why a program cannot run here, before anything is changed for it.
check_program() {
  local said
  said=$("$1" version 2>&1) || fail "the program of this release does not run here: ${said%%$'\n'*}"
}

# install_libraries FOLDER: what the program links, from Debian, where something is missing.
install_libraries() {
  command -v apt-get >/dev/null || return 0
  local package missing=()
  while IFS= read -r package; do
    # Newer releases renamed some (libcurl4t64) and let the old name stand for them.
    dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
      awk -v want="$package" '$1 == "installed" { for (i = 2; i <= NF; i++) { sub(/,$/, "", $i); if ($i == want) found = 1 } }
        END { exit !found }' || missing+=("$package")
  done < <(python3 -c '
import json, re, sys
try:
    distribution = re.search(r"^ID=\"?(\w+)", open("/etc/os-release").read(), re.M)[1]
except (OSError, TypeError):
    distribution = "debian"
for entry in json.load(open(sys.argv[1]))["debian"]:
    package, _, condition = entry.partition(";")
    # Moonraker knows more of these conditions; this file has only two.
    if condition.strip() not in ("", "distro_id != \x27ubuntu\x27", "distro_id == \x27ubuntu\x27"):
        sys.exit(f"system-dependencies.json: {entry}")
    if not condition or ("==" in condition) == (distribution == "ubuntu"):
        print(package.strip())' "$1/system-dependencies.json")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Debian packages that are missing: ${missing[*]}"
  # The program itself tells right after this whether it can do without.
  as_root apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null ||
    warn "they could not be installed (sudo apt-get update, then run this again). Without libavahi-client3 Cura does not find the printer by itself; without one of the others the program does not start"
}

# A release whose program has not answered yet is marked, beside its folder. Whatever ends a script in the middle, the
# next run knows by that mark that it has to be tried first.
mark() { printf '%s\n' "$1" >"$folder.unproven"; }
unmark() { rm -f "$folder.unproven"; }
is_unproven() {
  [ -f "$folder.unproven" ] && [ -f "$folder/release_info.json" ] &&
    [ "$(cat "$folder.unproven")" = "$(value "$folder/release_info.json" version)" ]
}

# Two folders change places, at once where the kernel can do that: at no moment there is no program.
exchange() {
  python3 - "$1" "$2" <<'PYTHON' && return
import ctypes, os, sys
one, other = (os.fsencode(path) for path in sys.argv[1:])
try:
    done = ctypes.CDLL(None).renameat2(-100, one, -100, other, 2)  # AT_FDCWD, RENAME_EXCHANGE
except AttributeError:
    done = -1
sys.exit(done != 0)
PYTHON
  rm -rf "$2.going"
  mv "$2" "$2.going"
  mv "$1" "$2"
  mv "$2.going" "$1"
}

# put_in_place NEW: the release in folder NEW takes the place of the installed one, which is kept as $folder.former
# until this one has answered; a release that never answered is not worth keeping.
put_in_place() {
  if [ ! -e "$folder" ]; then
    mv "$1" "$folder"
    return
  fi
  if is_unproven && [ -d "$folder.former" ]; then
    mark "$(value "$1/release_info.json" version)"
    exchange "$1" "$folder"
    rm -rf "$1"
  else
    if [ "$1" != "$folder.former" ]; then
      rm -rf "$folder.former"
      mv "$1" "$folder.former"
    fi
    mark "$(value "$folder.former/release_info.json" version)"
    exchange "$folder.former" "$folder"
    rm -f "$folder/replaced-by"
    # Another updater may replace this release later without keeping it: then the former is no longer the one before.
    value "$folder/release_info.json" version >"$folder.former/replaced-by"
  fi
}

# The version of the kept release, where it is the one before the installed.
former_version() {
  [ -f "$folder.former/release_info.json" ] &&
    [ "$(cat "$folder.former/replaced-by" 2>/dev/null)" = "$(value "$folder/release_info.json" version)" ] &&
    value "$folder.former/release_info.json" version
}

# The former release is back, and the one that did not answer is gone.
put_back() {
  exchange "$folder.former" "$folder"
  unmark
  rm -rf "$folder.former"
}
