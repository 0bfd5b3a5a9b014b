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
[ "$(json .of)" = 17 ] && [ "$(wc -l <near.csv)" = 6 ] || fail "not 5 of 17"
[ "$(json .picture)" = near.png ] && [ "$(json .output)" = near.csv ] || fail "the files are not told"
[ "$(head -1 near.csv)" = sample,label,distance ] || fail "other columns"
[ "$(json '.neighbors[0].index')" != 17 ] || fail "a sample is its own neighbour"
tail -n +2 near.csv | sort -t, -gk3 | cmp -s - <(tail -n +2 near.csv) || fail "not nearest first"
run neighbors z.npy --of 17 -n 5 -o near.npy
expect_exit 0
expect_file near.npy

check "neighbors by name; as many as there are"
printf 'name,x,y\nin/first,0,0\nin/2,5,0\nin/last,1,0\n' >named.csv
run neighbors named.csv --of last -o near.csv
expect_exit 0
expect_stdout '^ +0  1 +in/first$'
[ "$(sed -n 2,3p near.csv | tr '\n' ' ')" = '0,in/first,1 1,in/2,4 ' ] || fail "other rows"
run neighbors named.csv --of 2 --json # a name goes before an index
[ "$(json .of)$(json '.neighbors[0].name')" = 1in/last ] || fail "not the neighbour of in/2"
expect_refused 'none is called so' neighbors named.csv --of second

check "names from data are printed as text, whatever bytes they are of; files keep them"
esc=$'a\033[31mred' c1=$'b\302\233m' alone=$'c\233m' bell=$'d\a\177' good=$'\303\227 \303\233.png'
mkdir odd odd/$'one\033[2J' && "$program" data show small-images-idx3-ubyte -n 1 -o one.png >"$out" 2>"$err"
for name in "$esc" "$c1" "$alone" "$bell" "$good"; do cp one.png odd/$'one\033[2J'/"$name.png"; done
run neighbors odd --of 0 -o odd.csv
expect_exit 0
LC_ALL=C grep -q $'[\001-\010\013-\037\177]' "$out" && fail "a control character is printed"
LC_ALL=C grep -q $'\302[\200-\237]\|m\233' "$out" && fail "one of C1 is printed"
expect_stdout 'c[?]m[.]png'
expect_stdout 'd[?][?][.]png'
expect_stdout 'b¿m[.]png'
grep -Fq $'\303\227 \303\233.png' "$out" || fail "a letter is changed whose bytes look like C1"
grep -Fq $'one\033[2J' odd.csv || fail "odd.csv does not keep the bytes"
run data info odd
expect_exit 0
expect_stdout 'one[?][[]2J'
run data info odd --json
LC_ALL=C grep -q $'[\001-\010\013-\037\177]' "$out" && fail "JSON has a control character"
run neighbors odd --of 0 --json # of the others it tells of all: each name is what it was
expect_exit 0
iconv -f UTF-8 -t UTF-8 "$out" >text && cmp -s text "$out" || fail "JSON is not UTF-8"
grep -Fq 'b\u009bm.png' "$out" || fail "JSON does not keep one of C1"
grep -Fq 'd\u0007\u007f.png' "$out" || fail "JSON does not keep DEL"
run neighbors odd --of "$esc-missing"
expect_exit 1
expect_error 'a[?][[]31mred-missing'

check "too few samples are said to be too few"
printf '1,2\n' >alone.csv
printf '1,2\n3,4\n' >two.csv
expect_refused 'one sample alone' neighbors alone.csv
expect_refused 'one sample alone' umap alone.csv -o m.npy -n 5
expect_refused 'at least 3, there are 2' trustworthiness two.csv two.csv
run trustworthiness named.csv named.csv
expect_exit 0

check "tsne takes the learning rate as a number, and as auto"
run tsne z.npy -o auto.csv --iterations 20 --learning-rate auto
expect_exit 0
run tsne z.npy -o plain.csv --iterations 20
expect_same auto.csv plain.csv
run tsne z.npy -o slow.csv --iterations 20 --learning-rate 10
cmp -s slow.csv plain.csv && fail "the learning rate changes nothing"
expect_refused '--learning-rate takes' tsne z.npy -o m.npy --learning-rate fast

check "MODEL and DATA the wrong way round"
for command in neighbors cluster "scatter -o m.svg" eval "encode -o z2.npy" "components --picture m.png" compare-pca \
    "anomaly fit" "activations -o m.png"; do
    expect_refused 'the model comes first' $command small-images-idx3-ubyte small-001
done

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
