# strait report and summary --diagram; where there is a browser, the page as it shows it.
. "$(dirname "$0")/lib.sh"
make_images small 200
make_recipe small.yaml small-images-idx3-ubyte 3
printf 'watch: {reconstructions: 9}\n' >>small.yaml
"$program" train small.yaml --quiet >"$out" 2>"$err" || { cat "$err"; echo "FAIL no run to test with"; exit 1; }
"$program" train small.yaml --quiet --set model.encoder.1.dense.units=3 >"$out" 2>"$err" || exit 1

check "one run: report.html in its folder"
run report small-001
expect_exit 0
expect_stdout '^runs/small-001/report.html  '
expect_file runs/small-001/report.html
page=runs/small-001/report.html
for id in diagnosis loss reconstructions errors model weights activations settings data machine again; do
    grep -q "<section id=\"$id\">" $page || fail "no section $id"
done
grep -q 'class="missing"' $page && fail "missing: $(grep -m 1 'class="missing"' $page)"
grep -q 'strait train runs/small-001/recipe.yaml' $page || fail "no command to do it again"

check "the same run gives the same bytes"
cp $page first.html
run report runs/small-001 -o second.html --json
expect_exit 0
expect_json file runs bytes
expect_same first.html second.html

check "without its data the page says so"
mv small-images-idx3-ubyte away
run report small-001 -o bare.html
expect_exit 0
grep -q 'class="missing">They could not be computed' bare.html || fail "nothing said"
mv away small-images-idx3-ubyte

check "an older run: what it does not hold is told"
mkdir old && cp runs/small-001/model.safetensors runs/small-001/recipe.yaml runs/small-001/history.csv old/
run report old
expect_exit 0
grep -q 'The run was not diagnosed' old/report.html || fail "nothing said of the diagnosis"
grep -q 'No reconstructions of epochs' old/report.html || fail "nothing said of reconstructions"

check "a run whose name is markup"
mkdir 'x<script>alert(1)<' && cp -r runs/small-001/* 'x<script>alert(1)<'
run report 'x<script>alert(1)<' -o hostile.html
expect_exit 0
grep -q '<script>alert' hostile.html && fail "it went into the page as it is"
grep -q 'x&lt;script&gt;alert(1)&lt;' hostile.html || fail "the name is not there"

check "several runs: a comparison beside them"
run report small-001 small-002
expect_exit 0
expect_stdout '^runs/comparison.html  '
grep -q '<th>model.encoder.1</th><td>dense: units 8' runs/comparison.html || fail "the layer that differs is not there"
grep -q 'href="small-001/report.html"' runs/comparison.html || fail "no link to the first run's page"
grep -q 'href="small-002/report.html"' runs/comparison.html && fail "a link to a page that is not there"

check "mistakes"
expect_refused 'neither a run' report nothing
expect_refused 'RUN is missing' report
expect_refused 'ends in .html' report small-001 -o page.txt
expect_refused 'cannot write in the folder' report small-001 -o no/where.html
expect_refused 'ends in .svg' summary small.yaml --diagram x.png

check "the hourglass as SVG"
run summary small.yaml --diagram hourglass.svg
expect_exit 0
grep -q '^<svg xmlns' hourglass.svg || fail "no SVG"
grep -q 'latent, 8 values' hourglass.svg || fail "no latent"
if command -v xmllint >/dev/null; then xmllint --noout hourglass.svg 2>"$err" || fail "not well-formed"; fi

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
    echo "skipped: no chromium here: the page is not looked at in a browser"
    finish
fi
# browse URL: what the page has become once its scripts ran; what went wrong in them is in $err.
browse() {
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/chromium" --enable-logging=stderr \
        --v=0 --virtual-time-budget=3000 --dump-dom "$1" 2>"$err" >"$out" || fail "chromium gave up on $1"
    [ -s "$out" ] || fail "chromium shows nothing of $1"
    grep -E 'CONSOLE|Uncaught|Content.Security' "$err" >"$work/console" && fail "console: $(head -1 "$work/console")"
}
# shown SET ROLE: attributes of the part of the viewer.
shown() { grep -A 12 "data-set=\"$1\"" "$out" | grep -m 1 -A 1 -E "class=\"large\"><svg data-role=\"$2\"" ; }

check "the page in a browser: the viewer begins at the last epoch"
browse "file://$PWD/$page"
grep -q '<output for="epoch">epoch 3</output>' "$out" || fail "not at epoch 3"
grep -q '<output for="index">1 of 9</output>' "$out" || fail "not at sample 1 of 9"
shown train epoch | grep -q 'viewBox="0 0 12 12"' || fail "not the first cell"
shown train epoch | grep -q 'href="#train-3"' || fail "not the third epoch's image"

check "the sliders choose sample and epoch"
browse "file://$PWD/$page#index=4&epoch=1"
grep -q '<output for="epoch">epoch 1</output>' "$out" || fail "not at epoch 1"
shown train epoch | grep -q 'viewBox="12 12 12 12"' || fail "not the fifth cell"
shown train epoch | grep -q 'href="#train-1"' || fail "not the first epoch's image"
shown train original | grep -q 'viewBox="12 12 12 12"' || fail "the original does not follow"
browse "file://$PWD/$page#index=0&epoch=0"
grep -q '<output for="epoch">before training</output>' "$out" || fail "not before training"

check "the comparison and a hostile page in a browser"
browse "file://$PWD/runs/comparison.html"
browse "file://$PWD/hostile.html"
grep -q '<h1>x&lt;script&gt;' "$out" || fail "no title"

check "nothing is asked of a network"
for file in $page runs/comparison.html hostile.html; do
    grep -oE '(src|href)="[^"#d.][^"]*"' $file | grep -v 'small-001/report.html' && fail "$file asks for something"
    grep -qE 'https?://' $file && grep -oE 'https?://[^" ]*' $file | grep -v 'www.w3.org' | grep -q . && fail "$file names an address"
done

check "on paper: pages with all of it"
timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/chromium" --print-to-pdf=page.pdf \
    "file://$PWD/$page" 2>"$err" >"$out" || fail "chromium cannot print it"
[ "$(head -c 4 page.pdf)" = %PDF ] || fail "no PDF"

finish
