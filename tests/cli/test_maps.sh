# strait tsne, umap, trustworthiness, neighbors.
. "$(dirname "$0")/lib.sh"
make_small_run
run encode small-001 small-images-idx3-ubyte -o z.npy

check "tsne writes a map and tells its divergence"
run tsne z.npy -o map.csv --iterations 100 --json
expect_exit 0
expect_json samples dims file seconds kl
[ "$(wc -l <map.csv)" = 200 ] && [ "$(head -1 map.csv | tr -cd , | wc -c)" = 1 ] || fail "map.csv is not 200 rows of 2"

check "tsne of a model's latents is tsne of what encode wrote, for a seed"
run tsne small-001 small-images-idx3-ubyte -o again.csv --iterations 100
expect_exit 0
expect_stdout 'again.csv  200 samples in 2 dimensions.*KL divergence'
cmp -s map.csv again.csv || fail "the maps differ"

check "tsne in three dimensions"
run tsne z.npy -o three.csv --iterations 20 --dims 3 --perplexity 5 --random-start
expect_exit 0
[ "$(head -1 three.csv | tr -cd , | wc -c)" = 2 ] || fail "not 3 columns"

check "umap writes a map, and places of new samples"
run umap z.npy -o umap.csv --epochs 30 --new z.npy --new-output new.csv --json
expect_exit 0
expect_json samples dims file seconds
[ "$(wc -l <umap.csv)" = 200 ] && [ "$(wc -l <new.csv)" = 200 ] || fail "not 200 rows"

check "umap is the same whatever the threads"
run umap z.npy -o one.csv --epochs 30 --threads 1 --metric cosine
run umap z.npy -o two.csv --epochs 30 --threads 2 --metric cosine
cmp -s one.csv two.csv || fail "the maps differ"

check "trustworthiness of a map, and of the samples themselves"
run trustworthiness z.npy map.csv --json
expect_exit 0
expect_json samples neighbors trustworthiness preserved
run trustworthiness z.npy z.npy -k 5
expect_stdout '^trustworthiness  1.00000'
expect_stdout '^neighbours kept  100.00 %'

check "neighbors of a sample, nearest first, with a sheet"
run neighbors small-001 small-images-idx3-ubyte --of 17 -n 5 --picture near.png -o near.csv --json
expect_exit 0
expect_json of neighbors
expect_file near.png
[ "$(json .of)" = 17 ] && [ "$(wc -l <near.csv)" = 5 ] || fail "not 5 of 17"
[ "$(json '.neighbors[0].index')" != 17 ] || fail "a sample is its own neighbour"
sort -t, -gk2 near.csv | cmp -s - near.csv || fail "not nearest first"
run neighbors z.npy --of 17 -n 5
expect_exit 0

check "what cannot be"
expect_refused '-o FILE is missing' tsne z.npy
expect_refused '2 or 3 dimensions, not 4' tsne z.npy -o m.npy --dims 4
expect_refused 'perplexity 200 of 200 samples' tsne z.npy -o m.npy --perplexity 200
expect_refused '201 neighbours' umap z.npy -o m.npy -n 201
expect_refused 'euclidean or cosine' umap z.npy -o m.npy --metric angle
expect_refused 'go together' umap z.npy -o m.npy --new z.npy
expect_refused 'fewer than half' trustworthiness z.npy map.csv -k 100
expect_refused 'there is no sample 200' neighbors z.npy --of 200
expect_refused 'at most 199' neighbors z.npy -n 200
expect_refused '\.csv' tsne z.npy -o m.txt
printf '1,2\n3,nan\n5,6\n' >odd.csv
expect_refused 'odd.csv|sample 1' tsne odd.csv -o m.npy

finish
