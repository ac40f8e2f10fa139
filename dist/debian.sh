# Debian packages without installing them: downloaded through the machine's own
# apt sources into target/dist and unpacked there. Sourced by the scripts beside it.

set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/dist
mkdir -p "$work"
work=$(cd "$work" && pwd)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
fail() { say "$*"; exit 1; }

# The version of this crate.
version() { sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1; }

# apt with lists of its own: those of the system know one architecture only, may
# be old or missing, and updating them is for root.
apt_ready() {
    local state=$work/apt
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    cat >"$state/apt.conf" <<END
Dir::State::Lists "$state/lists";
Dir::Cache "$state/cache";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "i386"; };
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
END
    export APT_CONFIG=$state/apt.conf
    if [ -n "$(find "$state/fetched" -mmin -720 2>/dev/null)" ]; then return; fi
    say "fetching lists of packages"
    # A mirror that is being filled gives a list that is not the one it promised;
    # where the rest suffices, the packages are found all the same.
    apt-get -q update >"$state/update.log" 2>&1 ||
        { sleep 5; apt-get -q update >"$state/update.log" 2>&1; } ||
        say "not all lists could be had, see $state/update.log"
    touch "$state/fetched"
}

# unpacked FOLDER PACKAGE...: these packages and no others, in target/dist/FOLDER.
# A package is named as for apt, such as busybox-static:i386 or rustc-web=1.85*.
unpacked() {
    local folder=$work/$1 wanted=${*:2}
    if [ "$(cat "$folder/.unpacked" 2>/dev/null)" = "$wanted" ]; then return; fi
    apt_ready
    say "unpacking into $folder: $wanted"
    rm -rf "$folder"
    mkdir -p "$folder/.debs"
    # What is installed here may be a version that no archive has.
    (cd "$folder/.debs" && apt-get -q -o Dir::State::status=/dev/null download "${@:2}" >"$folder/.log" 2>&1) ||
        { cat "$folder/.log" >&2; fail "cannot download $wanted"; }
    local deb
    for deb in "$folder/.debs"/*.deb; do dpkg-deb -x "$deb" "$folder"; done
    rm -r "$folder/.debs"
    echo "$wanted" >"$folder/.unpacked"
}

# tools FOLDER PACKAGE...: programs for this machine, with the libraries that it lacks.
tools() {
    local folder=$1
    if [ "$(cat "$work/$folder/.tools" 2>/dev/null)" = "${*:2}" ]; then return; fi
    apt_ready
    local plan names
    plan=$(apt-get -q install --simulate --no-install-recommends "${@:2}") ||
        fail "apt does not find ${*:2}"
    # The C library has to be the one of the loader that runs the programs.
    names=$(sed -n 's/^Inst \([^ ]*\) .*/\1/p' <<<"$plan" | grep -vxE 'libc6|libc-bin' || true)
    # What is installed here already is not in the plan, but wanted all the same.
    unpacked "$folder" $(printf '%s\n' $names "${@:2}" | sort -u | unique_names)
    echo "${*:2}" >"$work/$folder/.tools"
}

# Of `name` and `name=version`, the one with the version.
unique_names() { awk -F= '{ if (!($1 in line) || NF > 1) line[$1] = $0 } END { for (n in line) print line[n] }' | sort; }

# Where unpacked programs find their libraries.
libraries() {
    local folder=$work/$1
    echo "$folder/usr/lib/x86_64-linux-gnu:$folder/lib/x86_64-linux-gnu:$folder/usr/lib"
}
