# How a step is split: --tune tries and remembers, --plan takes another run's, summary tells the size before anything is
# allocated, and too large a batch is refused with one that fits.
. "$(dirname "$0")/lib.sh"
make_images small 200
make_recipe small.yaml small-images-idx3-ubyte 1
export XDG_CACHE_HOME="$PWD/cache"

split_of() {
    grep -E '^ +(threads|micro_batch):' "runs/$1/recipe.yaml" | sed 's/ *#.*//'
}

check "--tune tells what it found, and the run keeps it"
run train small.yaml --tune --out tuned
expect_exit 0
grep -Eq '^tuned: (nothing is faster than the rule.s )?[0-9]+ threads?, [0-9]+ samples? at a time' "$err" ||
    fail "nothing told: $(head -n 3 "$err")"
grep -q '^ *threads: [0-9]' tuned/small-001/recipe.yaml || fail "the run does not say how its steps were split"
rm -rf cache

# On one thread from here on: what two of them gain beside other programs can be anything, and a gain past belief is
# not remembered.
check "what was found is remembered"
run train small.yaml --tune --threads 1
expect_exit 0
[ "$(split_of small-001 | wc -l)" = 2 ] || fail "the run does not say how its steps were split"
[ "$(find cache/strait/plans -type f | wc -l)" = 1 ] || fail "not remembered: $(head -n 1 "$err")"

check "the second time it is remembered, without trying"
run train small.yaml --tune --threads 1
expect_exit 0
grep -q '^tuned before: ' "$err" || fail "tried again: $(head -n 1 "$err")"
cmp -s runs/small-001/model.safetensors runs/small-002/model.safetensors || fail "other bits"

check "another batch size is another plan"
run train small.yaml --tune --threads 1 --set train.batch_size=7
expect_exit 0
[ "$(find cache/strait/plans -type f | wc -l)" = 2 ] || fail "the plan of another batch size was taken"

check "a damaged memory is tried anew"
for file in cache/strait/plans/*; do echo 'threads -3, micro_batch x' >"$file"; done
run train small.yaml --tune --threads 1
expect_exit 0
grep -q '^tuned: ' "$err" || fail "taken from a damaged file: $(head -n 1 "$err")"

check "a remembered split of more threads than there are is tried anew"
for file in cache/strait/plans/*; do echo 'threads 999999, micro_batch 4, gain 1120' >"$file"; done
run train small.yaml --tune --threads 1
expect_exit 0
grep -q '^tuned: ' "$err" || fail "taken: $(head -n 1 "$err")"

check "--plan takes another run's split, and so its bits"
run train small.yaml --set train.threads=1 --set train.micro_batch=3
expect_exit 0
run train small.yaml --plan small-006
expect_exit 0
[ "$(split_of small-007)" = "$(split_of small-006)" ] || fail "another split: $(split_of small-007)"
cmp -s runs/small-006/model.safetensors runs/small-007/model.safetensors || fail "other bits"

check "of a model with an op over the whole batch it takes the threads alone"
sed 's/^  decoder:/    - batch_norm\n  decoder:/' small.yaml >norm.yaml
grep -q batch_norm norm.yaml || fail "no batch_norm in the recipe"
run train norm.yaml --plan small-006 --out norm
expect_exit 0
grep -q '^ *threads: 1' norm/small-001/recipe.yaml || fail "other threads"

check "a resumed run keeps its split"
run train --resume small-007 --epochs 2
expect_exit 0
[ "$(split_of small-007)" = "$(split_of small-006)" ] || fail "another split: $(split_of small-007)"

check "what cannot be"
expect_refused 'nowhere: neither a run' train small.yaml --plan nowhere
for words in "--plan small-006 --tune" "--plan small-006 --threads 1"; do
    run train small.yaml $words
    expect_exit 2
    grep -q -- '--plan takes another run' "$err" || fail "not told: $(cat "$err")"
done
for words in "--tune" "--plan small-006"; do
    run train --resume small-007 $words
    expect_exit 2
done

check "too large is told before anything is allocated, and refused with what would fit"
cat >wide.yaml <<'END'
data: {source: small-images-idx3-ubyte, scale: unit}
model:
  input: [12, 12, 1]
  encoder:
    - upsample2d: {size: 128}
    - conv2d: {filters: 64, kernel_size: 3}
    - conv2d: {filters: 1, kernel_size: 3, strides: 128}
    - flatten
  decoder: [dense: {units: 144}, reshape: [12, 12, 1]]
train: {loss: mse, optimizer: adam, batch_size: 200, micro_batch: 200, epochs: 1, threads: 1}
END
run summary wide.yaml --plan
expect_exit 0
expect_stdout '^memory +[0-9.]+ GiB to train in batches of 200'
if awk '/^MemTotal:/ { exit !($2 > 4e6 && $2 < 150e6) }' /proc/meminfo; then
    expect_refused 'train.batch_size: [0-9]+ would fit' train wide.yaml
fi

finish
