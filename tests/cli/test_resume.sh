# A run that is killed or interrupted goes on to the same bytes as one that was not.
. "$(dirname "$0")/lib.sh"
make_images small 600
make_recipe small.yaml small-images-idx3-ubyte 6
# Wide enough that an epoch takes long beside the 10 ms between two looks at the history.
wide=(--set model.encoder.1.dense.units=1500 --set train.batch_size=2 --threads 2)

check "the run that is not disturbed"
run train small.yaml "${wide[@]}" --quiet --out whole
expect_exit 0
whole=whole/small-001

# stop_in_epoch_4 SIGNAL DIR: starts a training and sends it the signal once three epochs are written. Tries again when
# this machine was too busy to look in time.
stop_in_epoch_4() {
    local pid
    for _ in 1 2 3; do
        rm -rf "$2"
        "$program" train small.yaml "${wide[@]}" --out "$2" >"$out" 2>"$err" &
        pid=$!
        wait_for_epochs "$2/small-001/history.csv" 3 "$pid"
        kill -"$1" "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
        code=$?
        [ "$(wc -l <"$2/small-001/history.csv")" = 4 ] && return
    done
    fail "it was not stopped in epoch 4"
}

expect_as_whole() { # RUN
    for file in model encoder decoder; do expect_same "$1/$file.safetensors" "$whole/$file.safetensors"; done
    [ "$(cut -d, -f1-4 "$1/history.csv")" = "$(cut -d, -f1-4 "$whole/history.csv")" ] || fail "another history"
}

check "killed in epoch 4, it goes on to the same bytes"
stop_in_epoch_4 KILL killed
expect_exit 137
run train --resume killed/small-001
expect_exit 0
expect_stderr '^epoch 4/6 '
grep -q '^epoch 3/6' "$err" && fail "epoch 3 was trained again"
expect_as_whole killed/small-001

for signal in INT TERM; do
    check "SIG$signal in epoch 4 saves, says how to go on, and that gives the same bytes"
    stop_in_epoch_4 $signal "stopped-$signal"
    expect_exit 130
    tail -n 1 "$err" | grep -qx "interrupted in epoch 4; go on with: strait train --resume stopped-$signal/small-001" ||
        fail "the last line is: $(tail -n 1 "$err")"
    expect_file "stopped-$signal/small-001/model.safetensors"
    run train --resume "stopped-$signal/small-001"
    expect_exit 0
    expect_as_whole "stopped-$signal/small-001"
done

check "killed in epoch 4, a training full of chance goes on to the same bytes too"
plain=("${wide[@]}")
wide+=(--set 'model.encoder=[flatten, {dense: {units: 1500}}, batch_norm, {activation: relu}, {dropout: 0.2},
    {gaussian_noise: 0.1}, {gaussian: {units: 8, beta: 0.001, warmup: 2}}]'
    --set 'data.augment={rotate: 10, shift: 0.1, flip: horizontal}' --set 'data.corrupt={gaussian: 0.1}'
    --set train.optimizer=nadam --set train.schedule=one_cycle --set train.clip_norm=1 --set train.batch_size=4)
run train small.yaml "${wide[@]}" --quiet --out chance
expect_exit 0
head -n 1 chance/small-001/history.csv | grep -q ',kl,val_kl$' || fail "the history lacks kl"
stop_in_epoch_4 KILL chance-killed
expect_exit 137
run train --resume chance-killed/small-001
expect_exit 0
expect_stderr '^epoch 6/6 .*kl .*val_kl '
whole=chance/small-001 expect_as_whole chance-killed/small-001
wide=("${plain[@]}")

check "an interrupted training with --json tells its result and that it was interrupted"
"$program" train small.yaml "${wide[@]}" --json --out json >"$out" 2>"$err" &
pid=$!
wait_for_epochs json/small-001/history.csv 2 $pid || fail "the training ended by itself"
kill -INT $pid
wait $pid
code=$?
expect_exit 130
expect_json run epochs loss outcome
if can_read_json; then [ "$(json .outcome)" = interrupted ] || fail "outcome is $(json .outcome)"; fi

check "a second signal ends at once"
"$program" train small.yaml "${wide[@]}" --out twice >"$out" 2>"$err" &
pid=$!
wait_for_epochs twice/small-001/history.csv 1 $pid || fail "the training ended by itself"
kill -INT $pid
kill -TERM $pid
wait $pid 2>/dev/null
code=$?
[ $code = 130 ] || [ $code = 143 ] || fail "exit status $code"
run train --resume twice/small-001 --quiet
expect_exit 0
expect_as_whole twice/small-001

check "a run's name is enough in the folder above runs"
mkdir -p there && cp -r killed there/runs && cp small-*-ubyte there/
(cd there && "$program" train --resume small-001 --epochs 7 --quiet >"$out" 2>"$err")
code=$?
expect_exit 0
[ "$(tail -n 1 there/runs/small-001/history.csv | cut -d, -f1)" = 7 ] || fail "no epoch 7"

check "more epochs than planned give what planning them would have given"
run train small.yaml "${wide[@]}" --quiet --epochs 7 --out seven
expect_exit 0
expect_same there/runs/small-001/model.safetensors seven/small-001/model.safetensors

check "a run that is complete is not trained again"
expect_refused 'complete|epochs' train --resume whole/small-001

check "a run that is not there"
expect_refused 'nowhere-001' train --resume nowhere-001

check "a damaged checkpoint is told of"
cp -r stopped-INT damaged
head -c 1000 stopped-INT/small-001/checkpoint.safetensors >damaged/small-001/checkpoint.safetensors
expect_refused 'checkpoint.safetensors' train --resume damaged/small-001 --epochs 9

check "killed after its last epoch, before its end was written, it is finished by --resume"
cp -r $whole unfinished
rm unfinished/model.safetensors unfinished/encoder.safetensors unfinished/decoder.safetensors unfinished/*.png
run eval unfinished small-images-idx3-ubyte # from the checkpoint
expect_exit 0
run train --resume unfinished
expect_exit 0
expect_as_whole unfinished
expect_file unfinished/reconstructions.png
run train --resume unfinished
expect_exit 1
expect_error 'is complete: 6 of 6 epochs'

check "a recipe that was changed since the checkpoint is refused"
cp -r $whole edited
sed -i 's/units: 1500/units: 1400/' edited/recipe.yaml
run train --resume edited --epochs 7
expect_exit 1
expect_error "changed since the checkpoint: '.*units: 1400.*' was '.*units: 1500"

check "a checkpoint of another run is refused"
run train small.yaml --set model.encoder.1.dense.units=3 --quiet --out other
cp -r $whole mixed
cp other/small-001/checkpoint.safetensors mixed/
run train --resume mixed --epochs 7
expect_exit 1
expect_error 'changed since the checkpoint'

check "data with another number of samples is refused"
cp -r $whole fewer
sed -i 's|source: .*|source: fewer-images-idx3-ubyte|' fewer/recipe.yaml
run train --resume fewer --epochs 7
expect_exit 1
mv small-images-idx3-ubyte all-images && mv small-labels-idx1-ubyte all-labels
make_images small 500
run train --resume $whole --epochs 7
expect_exit 1
expect_error 'trains on .* samples .* but the data now has'
mv all-images small-images-idx3-ubyte && mv all-labels small-labels-idx1-ubyte

finish
