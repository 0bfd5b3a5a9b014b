# Preparation, augmentation and corruption from outside: strait data augment, resuming with all of it on, where mistakes
# stand.
. "$(dirname "$0")/lib.sh"
make_small_run

check "data augment writes a folder once, and the same files again"
run data show small-images-idx3-ubyte -n 1 -o one.png
mkdir -p set/a set/b && cp one.png set/a/1.png && cp one.png set/b/2.png
run data augment set --to 9 -o big --json
expect_exit 0
[ "$(json .samples) $(json .augmented)" = "9 7" ] || fail "it tells $(cat "$out")"
[ "$(find big -name '*.png' | wc -l) $(ls big | tr '\n' ' ')" = "9 a b " ] || fail "the folder holds $(find big)"
run data augment set --to 9 -o again
diff -r big again >/dev/null || fail "the same seed gives other files"
run data augment set --to 9 -o other --seed 7
diff -r big other >/dev/null && fail "another seed gives the same files"
expect_exit 0

check "data augment leaves what is there, and nothing half done"
run data augment set --to 9 -o big
expect_exit 1
expect_error 'big: is there already'
run data augment set --to 1 -o less
expect_exit 1
run data augment set --to 5 -o bad --augment '{rotat: 1}'
expect_exit 1
expect_error "did you mean 'rotate'"
[ -z "$(ls -d less bad *.partial 2>/dev/null)" ] || fail "left behind: $(ls)"

check "data augment writes .npy with labels beside it"
run data augment set --to 9 -o big.npy
run data info big.npy --json
expect_exit 0
[ "$(json .samples) $(json '.labels[0].count')" = "9 5" ] || fail "it holds $(cat "$out")"

cat >all.yaml <<'YAML'
data:
  source: big
  validation: 0.3
  split: stratified
  scale: {standard: {per: feature}}
  channels: [0, 0]
  crop: 10
  resize: 8
  corrupt: {gaussian: 0.2, speckle: 0.1, blocks: {share: 0.1, size: 4}, watermark: {text: HI}, clip: [-3, 3]}
  augment: {elastic: {alpha: 20, sigma: 4}, brightness: 0.1, contrast: 0.1, flip: horizontal}
model:
  input: [8, 8, 2]
  encoder: [flatten, {dense: {units: 4}}]
  decoder: [{dense: {units: 128}}, {reshape: [8, 8, 2]}]
train: {epochs: 4, batch_size: 2, threads: 1}
YAML

check "a resumed training with all of it ends in the same bits"
run train all.yaml --out whole --quiet
expect_exit 0
run train all.yaml --out half --epochs 2 --quiet
run train --resume half/all-001 --epochs 4 --quiet
expect_exit 0
cmp whole/all-001/model.safetensors half/all-001/model.safetensors || fail "the weights differ"

check "a model prepares new data as it was trained"
run encode whole/all-001 set -o z.npy
expect_exit 0

check "pairs train, and mistakes are told where they stand"
run train all.yaml --out pairs --quiet --set data.target=big
expect_exit 0
run train all.yaml --out bad --set data.target=nowhere
expect_exit 1
expect_error 'nowhere: neither a file nor a known data set'
sed 's/source: big/source: bigg/' all.yaml >wrong.yaml
run train wrong.yaml --out bad
expect_exit 1
expect_error 'wrong.yaml:2:11: bigg: neither'
sed 's/validation: 0.3/validation: tests/' all.yaml >wrong.yaml
run train wrong.yaml --out bad
expect_exit 1
expect_error "wrong.yaml:3:15: big: has no split 'tests'"
sed 's/  crop: 10/  label: last/' all.yaml >wrong.yaml
run train wrong.yaml --out bad
expect_exit 1
expect_error 'wrong.yaml:7:10: label: big holds images'
run train all.yaml --out bad --set 'data.channels=[0, 9]'
expect_exit 1
expect_error 'data.channels=.0, 9.: channels: there is no channel 9'
run train all.yaml --out bad --set 'data.corrupt={watermark: {image: nowhere.png}}'
expect_exit 1
expect_error 'data.corrupt=.*: nowhere.png: no such file'
sed 's/crop: 10/crop: 1000/' all.yaml >wrong.yaml
run train wrong.yaml --out bad
expect_exit 1
expect_error 'wrong.yaml:7:9: crop: '

if /usr/bin/python3 -c 'import PIL' 2>/dev/null; then
    check "a watermark may be an image of any kind that is read"
    /usr/bin/python3 -c '
from PIL import Image
mark = Image.frombytes("L", (4, 4), bytes(range(0, 256, 16)))
mark.save("mark.png"); mark.save("mark.tif"); mark.convert("RGB").save("mark.jpg")'
    for kind in png tif jpg; do
        run train all.yaml --out "$kind" --quiet --set "data.corrupt={watermark: {image: mark.$kind}}"
        expect_exit 0
        run encode "$kind/all-001" set -o "$kind.npy"
    done
    expect_same png.npy tif.npy
fi

cat >gaps.csv <<'CSV'
a,b
1,2
3,
5,9
7,NA
4,4
CSV
printf 'a,b\n,4\n' >later.csv
cat >gaps.yaml <<'YAML'
name: gaps
data: {source: gaps.csv, missing: mean, scale: none}
model: {input: [2], encoder: [{dense: {units: 1}}], decoder: [{dense: {units: 2}}]}
train: {epochs: 1, batch_size: 2}
YAML

check "missing values are told, refused, filled in as in training, left out"
run data info gaps.csv --json
[ "$(json .missing)" = 2 ] || fail "it tells $(cat "$out")"
run train gaps.yaml --out gaps --set data.missing=null
expect_exit 1
expect_error 'gaps.csv: 2 values are missing, the first on line 3, column .b. .1.; fill them in, or let the recipe'
[ -e gaps ] && fail "a refused training leaves something behind"
run train gaps.yaml --out gaps
expect_exit 0
expect_stderr 'the mean of their feature takes their place'
grep -q 'missing: {mean: \[4, 5\]}' gaps/gaps-001/recipe.yaml || fail "the run keeps $(cat gaps/gaps-001/recipe.yaml)"
run encode gaps/gaps-001 later.csv -o later.npy
expect_exit 0
expect_stderr 'later.csv: 1 value is missing'
printf 'a,b\n4,4\n' >filled.csv # 4: the mean
run encode gaps/gaps-001 filled.csv -o filled.npy
cmp later.npy filled.npy || fail "a missing value is not the mean"
run train gaps.yaml --out gaps --set data.missing=drop
expect_exit 0
expect_stderr '2 of 5 samples are left out'
run encode gaps/gaps-002 later.csv -o no.npy
expect_exit 1
expect_error 'the model was trained without such samples'
run pca gaps.csv -o no.csv
expect_exit 1
expect_error 'gaps.csv: 2 values are missing'

finish
