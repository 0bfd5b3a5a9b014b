# strait runs: list, show, compare, export, scan, delete.
. "$(dirname "$0")/lib.sh"

make_images data 200
cat >small.yaml <<'RECIPE'
name: small
data: {source: data-images-idx3-ubyte, validation: 0.2}
model:
  input: [12, 12, 1]
  encoder: [flatten, {dense: {units: 6, activation: relu}}]
  decoder: [{dense: {units: 144, activation: sigmoid}}, {reshape: [12, 12, 1]}]
train: {epochs: 2, batch_size: 16, threads: 1}
RECIPE

check "where nothing was trained yet, list says so"
expect_refused 'runs: no such folder' runs list

check "two trainings at once on one store"
"$program" train small.yaml -q >"$work/a" 2>&1 &
"$program" train small.yaml -q --set train.loss=mae --set name=other >"$work/b" 2>&1 &
wait
cat "$work/a" "$work/b" | grep '^strait' && fail "a training complains"
"$program" train small.yaml -q --epochs 3 >"$out" 2>"$err" || fail "no third run"
run runs list
expect_exit 0
expect_no_stderr
expect_stdout '^other-001 +complete +mae +2/2 '
expect_stdout '^small-001 +complete +mse +2/2 '
expect_stdout '^small-002 +complete +mse +3/3 '

check "sorted, filtered, limited"
run runs list --sort -epochs --limit 1 --json
expect_exit 0
expect_json runs n
if can_read_json; then [ "$(json '.runs[0].name')" = small-002 ] || fail "the longest is $(json '.runs[0].name')"; fi
run runs list --filter 'loss=mse,train.epochs>=3'
expect_stdout '^small-002 '
grep -q '^small-001 ' "$out" && fail "small-001 does not meet the filter"
run runs list --filter 'epochs>100'
expect_stdout '^no runs$'

check "a column that is not there is refused, the nearest named"
expect_refused "did you mean 'val_loss'" runs list --sort val_los
expect_refused "is no condition" runs list --filter nonsense

check "show tells what a run is"
run runs show small-001
expect_exit 0
expect_stdout '^small-001$'
expect_stdout '^outcome +complete after 2 of 2 epochs'
expect_stdout '^command +strait train small.yaml '
expect_stdout '^Does the loss move\? '
expect_stdout '^  model.safetensors +[0-9.]+ '
run runs show runs/small-001 --json
expect_json name state val_loss checksum files diagnosis command
expect_refused "did you mean 'small-001'" runs show small-01

check "compare tells what differs and draws"
run runs compare small-001 small-002 -o pictures
expect_exit 0
expect_stdout '^train.epochs +2 +3$'
grep -q '^train.batch_size' "$out" && fail "the batch size does not differ"
expect_stdout '^val_loss '
expect_file pictures/compare-loss.png
expect_file pictures/compare-samples.png
head -c 8 pictures/compare-samples.png | cmp -s - <(printf '\211PNG\r\n\032\n') || fail "no PNG"
run runs compare small-001 small-002 --json
expect_json runs differences
expect_refused 'at least two runs' runs compare small-001

check "keys longer than their column keep the end that tells them apart"
run train small.yaml -q --epochs 1 --set train.optimizer=adadelta --out elsewhere
run runs compare runs/small-001 elsewhere/small-001
expect_exit 0
expect_stdout '^\.\.\.ain\.optimizer\.adadelta\.learning_rate '
grep -q 'cannot be ranked' "$out" && fail "the data is the same"

check "errors on different data are not ranked"
cp data-images-idx3-ubyte copy-images-idx3-ubyte
run train small.yaml -q --epochs 1 --data copy-images-idx3-ubyte --out elsewhere
run runs compare runs/small-001 elsewhere/small-002
expect_stdout 'on different data: their losses cannot be ranked'

check "a comparison without the data still tells the rest"
mv data-images-idx3-ubyte away
run runs compare small-001 small-002 -o others
mv away data-images-idx3-ubyte
expect_exit 0
expect_stderr 'compare-samples.png is not drawn: '
expect_file others/compare-loss.png
[ ! -e others/compare-samples.png ] || fail "samples out of nothing"

check "export writes a row a run, quoted"
run runs export -o all.csv
expect_exit 0
[ "$(head -n 1 all.csv | cut -d, -f1-4)" = name,folder,recipe,state ] || fail "the header is $(head -n 1 all.csv)"
[ "$(wc -l <all.csv)" = "$(($(find runs -mindepth 1 -maxdepth 1 -type d | wc -l) + 1))" ] || fail "not a row a run"
run runs export
expect_same "$out" all.csv
expect_refused 'csv' runs export -o all.xls

check "folders moved and copied by hand are found by scan"
cp -r runs/small-001 runs/copied
mv runs/small-002 runs/moved
run runs scan --json
expect_exit 0
expect_stdout '"added": 2, "dropped": 1'
run runs list
expect_stdout '^copied '
expect_stdout '^moved '

check "--dir is another folder of runs"
run train small.yaml -q --epochs 1 --out trials
run runs list --dir trials
expect_stdout '^small-001 +complete +mse +1/1 '
run runs show small-001 --dir trials
expect_stdout '^folder +trials/small-001$'

check "a damaged index is told of, and made anew by scan"
rm -f runs/runs.db*
echo 'this is no database' >runs/runs.db
expect_refused 'strait runs scan' runs list
run train small.yaml -q --epochs 1
expect_exit 0
run runs scan
expect_exit 0
expect_file runs/runs.db.damaged
run runs list
expect_stdout '^moved '

check "nothing is deleted unasked"
expect_refused 'add --yes' runs delete copied
expect_refused 'neither a run' runs delete copied nowhere --yes
touch runs/copied/thesis.txt
expect_refused 'copied/thesis.txt' runs delete copied --yes

check "a run is deleted with all its files"
rm runs/copied/thesis.txt
run runs delete copied moved --yes
expect_exit 0
expect_stdout '^deleted '
[ ! -e runs/copied ] && [ ! -e runs/moved ] || fail "a folder is left"
run runs list
grep -qE '^(copied|moved) ' "$out" && fail "a deleted run is listed"

check "a run killed on its way is told from one under way"
"$program" train small.yaml -q --epochs 1000000 >/dev/null 2>&1 &
pid=$!
for ((i = 0; i < 100; i++)); do
    run runs list --filter state=running
    grep -q '^small-' "$out" && break
    sleep 0.1
done
name=$(awk 'NR == 2 { print $1 }' "$out")
expect_stdout '^small-.* running '
run runs delete "$name" --yes
expect_exit 1
expect_error 'under way'
kill -9 $pid
wait $pid 2>/dev/null
run runs list --filter "name=$name"
expect_stdout ' interrupted '
run runs delete "$name" --yes
expect_exit 0

finish
