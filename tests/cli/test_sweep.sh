# strait sweep, from outside.
. "$(dirname "$0")/lib.sh"
make_images small 200
make_recipe small.yaml small-images-idx3-ubyte 3

check "a plan trains nothing"
run sweep small.yaml --vary model.latent=2..4 --vary train.batch_size=8,16 --plan
expect_exit 0
[ "$(grep -c '^trial' "$out")" = 6 ] || fail "not 6 trials"
expect_stdout '^trial 6  model.latent=4, train.batch_size=16$'
expect_no_stderr
[ ! -e runs ] || fail "there are runs"

check "draws are those of the seed"
run sweep small.yaml --vary train.optimizer.adam.learning_rate=log:1e-4..1e-2 --trials 5 --seed 3 --plan
cp "$out" first
run sweep small.yaml --vary train.optimizer.adam.learning_rate=log:1e-4..1e-2 --trials 5 --seed 3 --plan
expect_same first "$out"
run sweep small.yaml --vary train.optimizer.adam.learning_rate=log:1e-4..1e-2 --trials 5 --seed 4 --plan
cmp -s first "$out" && fail "another seed draws the same"

check "a sweep leaves table, pictures, the best recipe, and its runs in the store"
run sweep small.yaml --vary model.latent=2,8 --jobs 2 --json --picture trials.svg --theme dark
expect_exit 0
expect_json sweep trials best best_recipe outcome
expect_stderr '^sweeping in runs/small-sweep-001'
for file in base.yaml best.yaml sweep.csv sweep.json parallel.png; do expect_file "runs/small-sweep-001/$file"; done
expect_file trials.svg
[ "$(wc -l <runs/small-sweep-001/sweep.csv)" = 3 ] || fail "sweep.csv has not a line a trial"
[ "$(head -1 runs/small-sweep-001/sweep.csv | cut -d, -f1-3)" = trial,run,model.latent ] || fail "other columns"
python3 -c 'import json; json.load(open("runs/small-sweep-001/sweep.json"))' 2>/dev/null || ! command -v python3 >/dev/null ||
    fail "sweep.json is no JSON"
run runs list --filter model.encoder.1.dense.units=2 --json
expect_stdout 'small-sweep-001-001'

check "the best recipe trains the same again"
best=$(sed -n '1s/^# The best of 2 trials, \([^:]*\):.*/\1/p' runs/small-sweep-001/best.yaml)
run train runs/small-sweep-001/best.yaml --quiet
expect_exit 0
expect_same runs/small-001/model.safetensors "runs/$best/model.safetensors"

check "a finished sweep is not trained again"
cp runs/small-sweep-001/sweep.csv before.csv
run sweep --resume small-sweep-001
expect_exit 0
expect_stdout '^best +trial'
grep -q 'trial 1/2' "$err" && fail "it trained"
expect_same before.csv runs/small-sweep-001/sweep.csv

check "successive halving drops the poor half"
run sweep small.yaml --vary model.latent=2..5 --halving 2 --quiet
expect_exit 0
expect_no_stderr
[ "$(grep -c dropped "$out")" = 2 ] || fail "not 2 of 4 are dropped"

check "Ctrl-C saves, says how to go on, and what goes on ends the same"
run sweep small.yaml --vary model.latent=2,8 --set train.epochs=60 --set seed=1 --jobs 1 --out whole --quiet
"$program" sweep small.yaml --vary model.latent=2,8 --set train.epochs=60 --set seed=1 --jobs 1 --out part >"$out" 2>"$err" </dev/null &
wait_for_epochs part/small-sweep-001-001/history.csv 3 $! || fail "it ended too early"
kill -INT $!
wait $!
code=$?
expect_exit 130
expect_stderr 'go on with: strait sweep --resume part/small-sweep-001'
run sweep --resume part/small-sweep-001
expect_exit 0
for i in 1 2; do expect_same "whole/small-sweep-001-00$i/model.safetensors" "part/small-sweep-001-00$i/model.safetensors"; done

check "killed, it goes on, too"
"$program" sweep small.yaml --vary model.latent=2,8 --set train.epochs=60 --set seed=1 --jobs 2 --out killed >"$out" 2>"$err" </dev/null &
wait_for_epochs killed/small-sweep-001-002/history.csv 3 $! || fail "it ended too early"
kill -KILL $!
wait $! 2>/dev/null
run sweep --resume killed/small-sweep-001/ --quiet
expect_exit 0
for i in 1 2; do expect_same "whole/small-sweep-001-00$i/model.safetensors" "killed/small-sweep-001-00$i/model.safetensors"; done

check "against principal components"
run sweep small.yaml --vary model.latent=2,4 --against-pca small-images-idx3-ubyte
expect_exit 0
expect_stdout '^pca  .*of 2 trials below as many principal components'
expect_file runs/small-sweep-003/pca.png

check "a recipe may hold its sweep"
{ cat small.yaml; printf 'sweep:\n  vary: [model.latent=2..3]\n  halving: 2\n'; } >own.yaml
run sweep own.yaml --plan
[ "$(grep -c '^trial' "$out")" = 2 ] || fail "not 2 trials"
expect_stdout '^rung 2: 1 trial up to epoch 3'
run train own.yaml --quiet
expect_exit 0
grep -q sweep runs/small-002/recipe.yaml && fail "a run's recipe holds a sweep"

check "what cannot be"
expect_refused 'nothing to vary' sweep small.yaml
expect_refused "unknown key 'latnt' in model; did you mean 'latent'" sweep small.yaml --vary model.latnt=3
expect_refused 'the range is empty' sweep small.yaml --vary model.latent=5..4
expect_refused 'must begin above 0' sweep small.yaml --vary train.optimizer.adam.learning_rate=log:0..1 --trials 2
expect_refused 'has no grid' sweep small.yaml --vary data.corrupt.gaussian=0.1..0.5
expect_refused 'train.batch_size must be a whole number' sweep small.yaml --vary train.batch_size=8,x
expect_refused "--vary takes KEY=RANGE" sweep small.yaml --vary model.latent
expect_refused 'RECIPE is missing' sweep --vary a=1
expect_refused 'cannot change a sweep that is resumed' sweep --resume small-sweep-001 --trials 3
expect_refused "no sweep 'nowhere'" sweep --resume nowhere
expect_refused 'halving must be a whole number' sweep small.yaml --vary model.latent=2..5 --halving 1
expect_refused 'nowhere.npy' sweep small.yaml --vary model.latent=2,3 --data nowhere.npy
expect_refused 'nowhere.npy' sweep small.yaml --vary model.latent=2,3 --against-pca nowhere.npy
expect_refused 'model.input is .*, but a sample of the data is' sweep small.yaml --vary model.latent=2,3 --set model.input=[8,8,1] \
    --set model.decoder.0.dense.units=64 --set model.decoder.1.reshape=[8,8,1]
expect_refused '\.svg' sweep small.yaml --vary model.latent=2,3 --picture trials.txt

check "runs delete takes a sweep with its runs"
expect_refused 'add --yes' runs delete small-sweep-001
touch runs/small-sweep-001-002/thesis.txt
expect_refused 'small-sweep-001-002/thesis.txt' runs delete small-sweep-001 --yes
expect_file runs/small-sweep-001-001/model.safetensors
rm runs/small-sweep-001-002/thesis.txt
run runs delete small-sweep-001 --yes
expect_exit 0
expect_stdout '^deleted small-sweep-001 and its 2 runs$'
ls -d runs/small-sweep-001* >/dev/null 2>&1 && fail "something is left of it"
run runs list
grep -q '^small-sweep-001' "$out" && fail "a deleted run is listed"

finish
