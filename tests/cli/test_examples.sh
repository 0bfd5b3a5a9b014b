# Every example that --help shows runs as it stands, in order: later ones use what earlier ones made.
. "$(dirname "$0")/lib.sh"
for name in fashion-mnist mnist; do
    "$program" data info $name >/dev/null 2>&1 || skip "the examples need $name"
done
mkdir "$work/bin" && ln -s "$program" "$work/bin/strait"
export PATH=$work/bin:$PATH

"$program" help --examples >"$work/examples" || exit 1
[ "$(wc -l <"$work/examples")" -ge 12 ] || { echo "FAIL fewer examples than commands"; exit 1; }
while IFS= read -r line; do
    check "$line"
    bash -c "$line" >"$out" 2>"$err" </dev/null
    code=$?
    expect_exit 0
done <"$work/examples"

finish
