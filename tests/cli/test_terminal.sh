# On a terminal: a line redrawn in place, nothing left over, images drawn in characters.
. "$(dirname "$0")/lib.sh"
command -v script >/dev/null || skip "script (of bsdutils) makes the terminal"
make_images small 600
make_recipe small.yaml small-images-idx3-ubyte 2
export TERM=xterm-256color COLORTERM=truecolor

on_terminal() { # COLUMNS ROWS ARGUMENT...: runs the program on a terminal of that size; what it shows goes to $out
    local columns=$1 rows=$2
    shift 2
    script -qec "stty columns $columns rows $rows; exec $program $*" /dev/null >"$out" 2>"$err" </dev/null
    code=$?
}
# What the terminal shows in the end: of each line what stands after the last wipe.
shown() { sed -e 's/\r$//' -e 's/.*\r//' -e 's/\x1b\[K//g' "$out"; }
# Columns of the widest line ever drawn, of all or of those with $1 in them.
widest() { tr '\r' '\n' <"$out" | sed 's/\x1b\[[0-9;]*[mK]//g' | grep -e "${1-}" | wc -L; }

slow=(--set model.encoder.1.dense.units=1500 --set train.batch_size=4 --threads 1)

check "a bar is drawn in place and wiped"
on_terminal 100 30 train small.yaml "${slow[@]}"
expect_exit 0
grep -q $'\repoch 1/2 [━─]* *[0-9]*/[0-9]* · .*loss [0-9.]* · [0-9.]*[kM]* samples/s' "$out" || fail "no bar"
shown | grep -q '[━─]' && fail "a bar is left over"
[ "$(shown | grep -c '^epoch [12]/2 · loss .* · val_loss ')" = 2 ] || fail "not one line an epoch"
[ "$(widest '[━─]')" -lt 100 ] || fail "a line of $(widest '[━─]') columns"

check "it fits a narrow terminal"
on_terminal 40 30 train small.yaml "${slow[@]}" --epochs 1
expect_exit 0
grep -q $'\repoch 1/1 [━─][━─]' "$out" || fail "no bar"
[ "$(widest '[━─]')" -lt 40 ] || fail "a line of $(widest '[━─]') columns"

check "in an ASCII locale the bar is ASCII"
LC_ALL=C on_terminal 100 30 train small.yaml "${slow[@]}" --epochs 1
expect_exit 0
grep -q $'\repoch 1/1 #*-* ' "$out" || fail "no bar"
LC_ALL=C grep -q $'[^\t -~\r\033]' "$out" && fail "a character beyond ASCII"

check "a dumb terminal gets one line an epoch"
TERM=dumb on_terminal 100 30 train small.yaml --epochs 1
expect_exit 0
grep -q $'\033' "$out" && fail "an escape"
expect_stdout '^epoch 1/1 · loss '

check "images are drawn in 24-bit colours, two pixels a character"
on_terminal 60 20 data show small-images-idx3-ubyte -n 2
expect_exit 0
expect_stdout $'\033\[38;2;[0-9]+;[0-9]+;[0-9]+m\033\[48;2;[0-9]+;[0-9]+;[0-9]+m▀'
[ "$(grep -c '▀' "$out")" = 6 ] || fail "$(grep -c '▀' "$out") lines for images of 12 x 12"
[ "$(grep -o '▀' "$out" | wc -l)" = $((2 * 12 * 6)) ] || fail "$(grep -o '▀' "$out" | wc -l) characters"

check "as many as fit"
on_terminal 60 20 data show small-images-idx3-ubyte
expect_exit 0
[ "$(wc -l <"$out")" -le 20 ] || fail "$(wc -l <"$out") lines"
[ "$(widest)" -le 60 ] || fail "$(widest) columns"

check "in 256 colours where there are no more"
COLORTERM='' on_terminal 60 20 data show small-images-idx3-ubyte -n 1
expect_exit 0
expect_stdout $'\033\[38;5;[0-9]+m\033\[48;5;[0-9]+m▀'

finish
