# eval, encode, decode, reconstruct, summary on a trained model. What they say is compared with sums done here.
. "$(dirname "$0")/lib.sh"
make_small_run
model=runs/small-001
data=small-images-idx3-ubyte

npy_header() { head -c 128 "$1" | tr -d '\0' | grep -ao "{.*}"; }
expect_npy() { # FILE SHAPE
    npy_header "$1" | grep -q "'descr': '<f4'" || fail "$1 is not float32: $(npy_header "$1")"
    npy_header "$1" | grep -q "'fortran_order': False" || fail "$1 is not in C order"
    npy_header "$1" | grep -qF "'shape': ($2)" || fail "$1 is not shaped ($2): $(npy_header "$1")"
}

check "encode writes float32 [n, latent]"
run encode $model $data -o z.npy
expect_exit 0
expect_stdout '^z.npy  200 × 8$'
expect_npy z.npy '200, 8'

check "decode writes float32 [n, height, width, channels]"
run decode small-001 z.npy -o x.npy
expect_exit 0
expect_npy x.npy '200, 12, 12, 1'

check "reconstruct is encode and decode"
run reconstruct $model/model.safetensors $data -o seen.npy --json
expect_exit 0
expect_json file samples shape
expect_npy seen.npy '200, 12, 12, 1'
expect_same seen.npy x.npy

check "the halves of a model do their halves"
run encode $model/encoder.safetensors $data -o z2.npy
expect_exit 0
expect_same z.npy z2.npy
run decode $model/decoder.safetensors z.npy -o x2.npy
expect_exit 0
expect_same x.npy x2.npy

check "half a model says which half is missing"
expect_refused 'decoder alone' encode $model/decoder.safetensors $data -o z3.npy
expect_refused 'encoder alone' decode $model/encoder.safetensors z.npy -o x3.npy

check "csv has a row a sample with a dot in each number"
run encode $model $data -o z.csv
expect_exit 0
[ "$(wc -l <z.csv)" = 200 ] || fail "$(wc -l <z.csv) rows"
awk -F, 'NF != 8 { exit 1 }' z.csv || fail "not 8 values in each row"
run reconstruct $model $data -o seen.csv
expect_exit 0
awk -F, 'NF != 144 { exit 1 }' seen.csv || fail "not 144 values in each row"

# The errors, summed from the stored bytes and the reconstructions as text.
read -r mse mae bce < <(paste -d, <(tail -c +17 $data | od -An -v -tu1 -w144 | tr -s ' ' ',' | cut -c2-) seen.csv |
    awk -F, '{ for (i = 1; i <= 144; i++) { x = $i / 255; y = $(i + 144); d = x - y; s += d * d; a += d < 0 ? -d : d
               p = y < 1e-7 ? 1e-7 : y > 1 - 1e-7 ? 1 - 1e-7 : y; b -= x * log(p) + (1 - x) * log(1 - p); n++ } }
             END { printf "%.12g %.12g %.12g\n", s / n, a / n, b / n }')

check "eval gives the errors, as summed here"
run eval $model $data --json
expect_exit 0
expect_json samples mse mae bce loss
if can_read_json; then
    [ "$(json .samples)" = 200 ] || fail "samples is $(json .samples)"
    expect_near mse "$(json .mse)" "$mse" 1e-5
    expect_near mae "$(json .mae)" "$mae" 1e-5
    expect_near bce "$(json .bce)" "$bce" 1e-5
    expect_near loss "$(json .loss)" "$(json .mse)" 1e-6
fi
run eval $model $data
expect_exit 0
expect_stdout '^samples +200$'
expect_stdout '^mse +0\.[0-9]+$'

check "the number of threads changes no latent"
run encode $model $data -o one.npy --threads 1
expect_exit 0
run encode $model $data -o two.npy --threads 2
expect_exit 0
expect_same one.npy two.npy

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || fail "$1 is no PNG"; }

check "pictures of reconstructions and of decoded latents"
run reconstruct $model $data -o seen.png
expect_exit 0
expect_stdout '^seen.png .*the first of 200 samples'
is_png seen.png
run decode $model z.npy -o x.png
expect_exit 0
is_png x.png

check "a file that is there is replaced, and no trial file stays"
echo old >z.csv
run encode $model $data -o z.csv
expect_exit 0
[ "$(wc -l <z.csv)" = 200 ] || fail "not replaced"
find . -name '.strait*' | grep -q . && fail "a trial file stays"

check "summary of a recipe and of a model"
run summary small.yaml
expect_exit 0
expect_stdout '^encoder\.1 +dense \(relu\) +8 +1,160 '
expect_stdout '^decoder\.0 +dense \(sigmoid\) +144 +1,296 '
expect_stdout '^decoder\.1 +reshape +12 × 12 × 1 +0 '
expect_stdout '^Total params +2,456$'
expect_stdout '^Trainable params +2,456$'
expect_stdout '^Non-trainable params +0$'
expect_stdout '^latent +8 values'
cp "$out" recipe.txt
run summary small-001
expect_exit 0
expect_same "$out" recipe.txt

check "summary --json, with the plan"
run summary $model --plan --json
expect_exit 0
expect_json input layers latent parameters flops training_bytes batch_size plan non_trainable activation_bytes
if can_read_json; then [ "$(json '.layers[1].parameters')" = 1160 ] || fail "encoder.1 has $(json '.layers[1].parameters')"; fi

check "summary of a recipe with a key overridden"
run summary small.yaml --set model.encoder.1.dense.units=4
expect_exit 0
expect_stdout '^latent +4 values'
expect_refused 'is a model' summary small-001 --set model.encoder.1.dense.units=4
expect_refused 'nothing-here' summary nothing-here

check "activations of a sample, as a sheet and as JSON"
run activations $model $data --sample 3 -o layers.png
expect_exit 0
expect_stdout '^layers\.png  4 layers of sample 3$'
is_png layers.png
run activations $model $data -o layers.png --json
expect_exit 0
expect_json file layers
if can_read_json; then
    [ "$(json .sample)" = 0 ] || fail "sample is $(json .sample)"
    [ "$(json '.layers[2].name')" = encoder.1 ] || fail "the third is $(json '.layers[2].name')"
    [ "$(json '.layers[2].layer')" = 'dense (relu)' ] || fail "it is a $(json '.layers[2].layer')"
fi

check "activations of a sample that is not there, or into a file that is no picture"
expect_refused 'no sample 200: the data has 200' activations $model $data --sample 200 -o none.png
expect_refused 'none\.csv' activations $model $data -o none.csv
expect_refused '-o FILE is missing' activations $model $data

finish
