# Sourced by every test of the command line. A test is a row of checks:
#
#   check "an unknown command gets a suggestion"
#   run trian
#   expect_exit 2
#   expect_error "did you mean 'train'"
#
# Each check prints 'ok NAME' or 'FAIL NAME: why', once; the script exits 1 when any failed, 77 when it could not run.
# The script works in a temporary folder of its own, with data it makes itself.

set -u
export LC_ALL=C.UTF-8
source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${STRAIT_PROGRAM:-$source_root/build/strait}
export STRAIT_RECIPES=$source_root/recipes
export STRAIT_DATA=${STRAIT_TEST_DATA:-$source_root/../shared/data}
[ -x "$program" ] || { echo "no program at $program: build it, or name it in STRAIT_PROGRAM"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/strait-cli.XXXXXX") || exit 1
mkdir "$work/here" && cd "$work/here" || exit 1
out=$work/out err=$work/err
check_name='' check_failed='' n_failed=0 code=0
mounted=()

clean_up() {
    local folder
    for folder in "${mounted[@]}"; do umount "$folder"; done
    cd / && chmod -R u+w "$work" && rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

end_check() {
    [ -n "$check_name" ] || return 0
    if [ -n "$check_failed" ]; then
        n_failed=$((n_failed + 1))
        echo "FAIL $check_name: $check_failed"
        head -5 "$out" | cat -v | cut -c1-200 | sed 's/^/    stdout: /'
        tail -5 "$err" | cat -v | cut -c1-200 | sed 's/^/    stderr: /'
    else
        echo "ok $check_name"
    fi
    check_name=''
}

check() {
    end_check
    check_name=$1 check_failed=''
    : >"$out" && : >"$err"
}

# The first reason is the one that is told.
fail() { [ -n "$check_failed" ] || check_failed=$1; }

# finish: at the end of every test.
finish() {
    end_check
    [ "$n_failed" = 0 ]
    exit
}

skip() {
    end_check
    echo "skipped: $1"
    exit 77
}

# run ARGUMENT...: runs the program, keeps its output and its exit status.
run() {
    "$program" "$@" >"$out" 2>"$err" </dev/null
    code=$?
}

expect_exit() { [ "$code" = "$1" ] || fail "exit status $code, not $1"; }
expect_stdout() { grep -Eq -- "$1" "$out" || fail "stdout lacks /$1/"; }
expect_no_stdout() { [ ! -s "$out" ] || fail "stdout is not empty"; }
expect_stderr() { grep -Eq -- "$1" "$err" || fail "stderr lacks /$1/"; }
expect_no_stderr() { [ ! -s "$err" ] || fail "stderr is not empty"; }
expect_file() { [ -s "$1" ] || fail "no file $1"; }
expect_same() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }

# expect_error REGEX: stderr is one line, 'strait: ...', and nothing is on stdout.
expect_error() {
    [ "$(wc -l <"$err")" = 1 ] || fail "$(wc -l <"$err") lines on stderr, not 1"
    grep -Eq '^strait: ' "$err" || fail "stderr does not begin with 'strait: '"
    expect_stderr "$1"
    expect_no_stdout
}

# expect_refused REGEX ARGUMENT...: the command fails with status 1 or 2, one line, and leaves no trace.
expect_refused() {
    local regex=$1 before
    shift
    before=$(find . | sort)
    run "$@"
    [ "$code" = 1 ] || [ "$code" = 2 ] || fail "exit status $code, not 1 or 2"
    expect_error "$regex"
    [ "$before" = "$(find . | sort)" ] || fail "left something behind: $(diff <(echo "$before") <(find . | sort) | tail -1)"
}

# json FILTER: the JSON object on the last line of stdout, seen through jq or python3.
json() {
    if command -v jq >/dev/null; then
        tail -n 1 "$out" | jq -r "$1"
    else
        tail -n 1 "$out" | python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].lstrip(".").replace("[", ".").replace("]", "").split("."):
    value = value if not key else value[int(key)] if key.isdigit() else value[key]
print("null" if value is None else json.dumps(value) if isinstance(value, (dict, list)) else value)' "$1"
    fi
}
can_read_json() { command -v jq >/dev/null || command -v python3 >/dev/null; }

# expect_json KEY...: the last line of stdout is a JSON object with these keys.
expect_json() {
    local key value
    for key in "$@"; do
        if can_read_json; then
            value=$(json ".$key" 2>/dev/null) || fail "the last line of stdout is no JSON object"
            [ -n "$value" ] && [ "$value" != null ] || fail "the JSON object lacks $key"
        else
            tail -n 1 "$out" | grep -q "\"$key\": " || fail "the JSON object lacks $key"
        fi
    done
}

# expect_near WHAT A B TOLERANCE: |A - B| <= TOLERANCE |B|.
expect_near() {
    awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; s = b < 0 ? -b : b; exit !(d <= t * s) }' ||
        fail "$1: $2 is not near $3"
}

big_endian() { printf "\\$(printf %o $(($1 >> 24 & 255)))\\$(printf %o $(($1 >> 16 & 255)))\\$(printf %o $(($1 >> 8 & 255)))\\$(printf %o $(($1 & 255)))"; }

# make_images NAME N: an IDX pair NAME-images-idx3-ubyte, NAME-labels-idx1-ubyte of N images of 12 x 12: soft blobs whose
# place and size depend on the image, labels 0 to 3. No value is 0, as some awks cannot print that byte.
make_images() {
    {
        printf '\0\0\10\3' && big_endian "$2" && big_endian 12 && big_endian 12
        LC_ALL=C awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) for (y = 0; y < 12; y++) for (x = 0; x < 12; x++) {
            dy = y - 3 - i % 7; dx = x - 2 - (i * 5) % 9; s = 3 + i % 4
            printf "%c", 1 + int(254 * exp(-(dx * dx + dy * dy) / s)) } }'
    } >"$1-images-idx3-ubyte"
    {
        printf '\0\0\10\1' && big_endian "$2"
        LC_ALL=C awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%c", 1 + i % 4 }'
    } >"$1-labels-idx1-ubyte"
}

# make_recipe FILE SOURCE EPOCHS: a small dense autoencoder for make_images.
make_recipe() {
    cat >"$1" <<YAML
name: small
seed: 7
data:
  source: $2
  validation: 0.2
model:
  input: [12, 12, 1]
  encoder:
    - flatten
    - dense: {units: 8, activation: relu}
  decoder:
    - dense: {units: 144, activation: sigmoid}
    - reshape: [12, 12, 1]
train:
  loss: mse
  optimizer: {adam: {learning_rate: 0.005}}
  epochs: $3
  batch_size: 16
YAML
}

# make_small_run: small data, small.yaml, and runs/small-001, two epochs.
make_small_run() {
    make_images small 200
    make_recipe small.yaml small-images-idx3-ubyte 2
    "$program" train small.yaml --quiet >"$out" 2>"$err" || { cat "$err"; echo "FAIL no run to test with"; exit 1; }
}

# wait_for_epochs HISTORY N PID: until N epochs stand in the history; fails when the process ends before.
wait_for_epochs() {
    local lines
    for ((;;)); do
        lines=$(wc -l 2>/dev/null <"$1" || echo 0)
        [ "$lines" -gt "$2" ] && return 0
        kill -0 "$3" 2>/dev/null || return 1
        sleep 0.01
    done
}

# small_disk FOLDER SIZE: mounts a disk of that size, where this process may; else false.
small_disk() {
    mkdir -p "$1" && [ "$(id -u)" = 0 ] && mount -t tmpfs -o "size=$2" tmpfs "$1" 2>/dev/null && mounted+=("$PWD/$1")
}
