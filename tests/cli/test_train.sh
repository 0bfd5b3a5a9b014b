# strait train: a run with all its files, what is told, overrides, the same seed twice.
. "$(dirname "$0")/lib.sh"
make_images small 200
make_recipe small.yaml small-images-idx3-ubyte 3

check "a training makes a run with every file"
run train small.yaml
expect_exit 0
expect_stdout '^run +runs/small-001$'
expect_stdout '^model +runs/small-001/model.safetensors$'
expect_stdout '^pictures +runs/small-001/loss.png, runs/small-001/reconstructions.png$'
expect_stdout '^loss +0\.[0-9]+ · val_loss 0\.[0-9]+ · best 0\.[0-9]+ in epoch [1-3]$'
expect_stdout '^speed +[0-9.]+[kM]? samples/s on [0-9]+ threads?'
for file in recipe.yaml model.safetensors encoder.safetensors decoder.safetensors checkpoint.safetensors history.csv \
    loss.png reconstructions.png; do
    expect_file "runs/small-001/$file"
done

check "without a terminal it tells one line an epoch"
[ "$(grep -Ec '^epoch [1-3]/3 · loss 0\.[0-9]+ · val_loss 0\.[0-9]+ · [0-9.]+ s · [0-9.]+[kM]? samples/s$' "$err")" = 3 ] ||
    { run train small.yaml && [ "$(grep -c '^epoch [1-3]/3 · loss ' "$err")" = 3 ] || fail "not three lines of epochs"; }
grep -q $'\r\|\033' "$err" && fail "a control character outside a terminal"

check "the history has the epochs"
[ "$(head -n 1 runs/small-001/history.csv)" = epoch,loss,val_loss,learning_rate,seconds,samples_per_second,wait_seconds,kl,val_kl ] ||
    fail "another heading: $(head -n 1 runs/small-001/history.csv)"
[ "$(cut -d, -f1 runs/small-001/history.csv | tail -n +2 | tr '\n' ' ')" = '1 2 3 ' ] || fail "not the epochs 1 2 3"
awk -F, 'NR == 2 { first = $2 } END { exit !($2 < first) }' runs/small-001/history.csv || fail "the loss does not fall"

check "no temporary file stays behind"
[ "$(find runs/small-001 -type f | wc -l)" = "$(ls runs/small-001/*.* | wc -l)" ] || fail "a hidden file"
find runs -name '*.tmp*' -o -name '.*' | grep -q . && fail "$(find runs -name '*.tmp*' -o -name '.*' | head -1)"

check "runs are numbered"
run train small.yaml --quiet --epochs 1
expect_exit 0
expect_stdout '^run +runs/small-00[23]$'
expect_no_stderr

check "--json ends with one object of the result"
run train small.yaml --json --out trials
expect_exit 0
[ "$(wc -l <"$out")" = 1 ] || fail "more than one line"
expect_json run epochs loss val_loss seconds samples_per_second parameters threads wait_share best_epoch
if can_read_json; then
    [ "$(json .run)" = trials/small-001 ] || fail "run is $(json .run)"
    [ "$(json .epochs)" = 3 ] || fail "epochs is $(json .epochs)"
    # 144 x 8 + 8 to the latent, 8 x 144 + 144 back
    [ "$(json .parameters)" = 2456 ] || fail "parameters is $(json .parameters)"
    expect_near loss "$(json .loss)" "$(tail -n 1 trials/small-001/history.csv | cut -d, -f2)" 1e-6
    expect_near val_loss "$(json .val_loss)" "$(tail -n 1 trials/small-001/history.csv | cut -d, -f3)" 1e-6
fi

check "without validation val_loss is null"
sed '/validation:/d' small.yaml >alone.yaml
run train alone.yaml --json --epochs 1
if can_read_json && [ "$code" = 0 ]; then
    [ "$(json .val_loss)" = null ] || fail "val_loss is $(json .val_loss)"
else
    expect_exit 0
fi

check "--set, --epochs, --seed, --data reach the recipe of the run, the later the stronger"
cp small-images-idx3-ubyte "it's-images-idx3-ubyte"
cp small-labels-idx1-ubyte "it's-labels-idx1-ubyte"
run train small.yaml --set train.epochs=5 --set model.encoder.1.dense.units=4 --epochs 1 --seed 99 --out set \
    --data "it's-images-idx3-ubyte" --quiet
expect_exit 0
for line in 'seed: 99' 'epochs: 1' 'units: 4' "it.*s-images-idx3-ubyte"; do
    grep -q "$line" set/small-001/recipe.yaml || fail "recipe.yaml lacks $line"
done

check "the recipe of a run trains the same again"
run train runs/small-001/recipe.yaml --quiet --out again
expect_exit 0
expect_same again/small-001/model.safetensors runs/small-001/model.safetensors

for threads in 1 2; do
    check "the same seed twice gives the same bytes, $threads threads"
    run train small.yaml --quiet --threads $threads --out "first-$threads"
    expect_exit 0
    run train small.yaml --quiet --threads $threads --out "second-$threads"
    expect_exit 0
    for file in model encoder decoder; do
        expect_same "first-$threads/small-001/$file.safetensors" "second-$threads/small-001/$file.safetensors"
    done
done

check "another seed gives another model"
run train small.yaml --quiet --threads 1 --seed 8 --out other
expect_exit 0
cmp -s other/small-001/model.safetensors first-1/small-001/model.safetensors && fail "the same model"

check "the locale's decimal comma changes nothing"
if locale -a 2>/dev/null | grep -qi '^de_DE.utf-\?8$'; then
    LC_ALL=de_DE.UTF-8 run train small.yaml --quiet --threads 1 --out comma
    expect_exit 0
    expect_same comma/small-001/model.safetensors first-1/small-001/model.safetensors
fi

check "an ASCII locale gets ASCII"
LC_ALL=C run train small.yaml --epochs 1
expect_exit 0
LC_ALL=C grep -q '[^ -~]' "$out" "$err" && fail "a character beyond ASCII"

check "a loss that is not finite stops the training and says where"
run train small.yaml --set 'train.optimizer={sgd: {learning_rate: 1000}}' --set model.decoder.0.dense.activation=linear \
    --out diverged
expect_exit 1
expect_stderr '^strait: .*epoch [1-3], batch [0-9]+'
[ "$(grep -c '^strait: ' "$err")" = 1 ] || fail "not one line of error"

finish
