# Sharding and converting from outside: killed at any moment, nothing half stands under a final name; sharding again ends
# in the same bytes as if it had been left alone; the order of training does not depend on threads.
. "$(dirname "$0")/lib.sh"

# 4000 images of 64 x 64.
{
    printf '\0\0\10\3' && big_endian 4000 && big_endian 64 && big_endian 64
    head -c $((4000 * 64 * 64)) /dev/urandom
} >many-images-idx3-ubyte

check "shards and their index"
run data shard many-images-idx3-ubyte --shards 40 -o whole --json
expect_exit 0
[ "$(json .shards) $(json .samples)" = "40 4000" ] || fail "it tells $(cat "$out")"
[ "$(wc -l <whole/index.csv)" = 4001 ] || fail "the index has $(wc -l <whole/index.csv) lines"

check "a kill leaves whole shards alone, and the same command goes on, leaving nothing else"
n_killed=0
for part in 1 8 25; do
    "$program" data shard many-images-idx3-ubyte --shards 40 -o killed >/dev/null 2>&1 &
    pid=$!
    while [ "$(find killed -name '*.tfrecord' 2>/dev/null | wc -l)" -lt $part ] && kill -0 $pid 2>/dev/null; do :; done
    kill -9 $pid 2>/dev/null && n_killed=$((n_killed + 1))
    wait $pid 2>/dev/null
    [ -e killed/index.csv ] && [ $part = 1 ] && fail "it had ended before it could be killed"
    for shard in killed/*.tfrecord; do
        cmp -s "$shard" "whole/${shard#killed/}" || fail "$shard is a part of itself"
    done
done
[ $n_killed -gt 0 ] || fail "nothing was killed"
run data shard many-images-idx3-ubyte --shards 40 -o killed
expect_exit 0
diff -r whole killed >diff || fail "what was killed ends otherwise: $(head -1 diff)"
run data info killed --json
[ "$(json .samples)" = 4000 ] || fail "what a kill leaves is read as data"

check "a kill while converting leaves nothing under the final name"
n_killed=0
mkdir into
for name in out.npy out.npz out.csv out; do
    "$program" data convert many-images-idx3-ubyte -o into/$name >/dev/null 2>&1 &
    pid=$!
    while [ -z "$(find into -name '.strait-*')" ] && kill -0 $pid 2>/dev/null; do :; done
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null || n_killed=$((n_killed + 1))
    if [ -e into/$name ]; then
        run data info into/$name --json
        [ "$(json .samples)" = 4000 ] || fail "$name is not whole"
    fi
    rm -rf into/* into/.strait-*
done
[ $n_killed -gt 0 ] || fail "nothing was killed"

cat >small.yaml <<'YAML'
name: small
data: {source: whole, limit: 1200, validation: 0.2}
model: {input: [64, 64, 1], encoder: [flatten, {dense: {units: 4}}], decoder: [{dense: {units: 4096}}, {reshape: [64, 64, 1]}]}
train: {epochs: 2, batch_size: 50, threads: 1}
YAML

check "one, two and four threads that prepare batches train to the same bits"
for threads in 1 2 4; do
    run train small.yaml --out t$threads --quiet --set data.threads=$threads # the model's file says how many
    expect_exit 0
    run encode t$threads/small-001 whole -o t$threads.npy
    expect_exit 0
    expect_same t1.npy t$threads.npy
done
run train small.yaml --out t0 --quiet --set seed=7
run encode t0/small-001 whole -o t0.npy
cmp -s t0.npy t1.npy && fail "another seed trains to the same bits"

finish
