# strait pca and compare-pca.
. "$(dirname "$0")/lib.sh"
make_small_run

check "pca tells variance, what is needed, and errors"
run pca small-images-idx3-ubyte -k 5 --json
expect_exit 0
expect_json fitted_samples features components exact total_variance needed explained k explained_at_k samples mse mse_at_k
[ "$(json .k)" = 5 ] || fail "k is $(json .k)"
expect_near "the last error" "$(json .mse_at_k)" "$(json '.mse[4]')" 1e-12
expect_near "variance left after five components, over 144 values and 200/199" \
    "$(awk -v t="$(json .total_variance)" -v e="$(json .explained_at_k)" 'BEGIN { print t * (1 - e) * 199 / 200 / 144 }')" \
    "$(json .mse_at_k)" 1e-4

check "pca for people"
run pca small-images-idx3-ubyte
expect_exit 0
expect_stdout '^fitted on +200 samples of 144 values'
expect_stdout '^for 90 % '
expect_no_stderr

check "pca saves components, scores and pictures"
run pca small-images-idx3-ubyte -k 5 --save pca.safetensors -o z.csv --picture curve.png --components sheet.png
expect_exit 0
for file in pca.safetensors curve.png sheet.png; do expect_file $file; done
[ "$(wc -l <z.csv)" = 200 ] && [ "$(head -1 z.csv | tr -cd , | wc -c)" = 4 ] || fail "z.csv is not 200 rows of 5"

check "saved components give the same scores again"
run pca pca.safetensors --data small-images-idx3-ubyte -k 5 -o again.csv
expect_exit 0
paste -d, z.csv again.csv | awk -F, '{ for (i = 1; i <= 5; i++) { d = $i - $(i + 5); if (d > 1e-5 || d < -1e-5) exit 1 } }' ||
    fail "the scores differ"

check "latents in a .npy file are taken as they are"
run encode small-001 small-images-idx3-ubyte -o z.npy
run pca z.npy --json
expect_exit 0
[ "$(json .features)" = 8 ] || fail "features: $(json .features)"

check "more components than there are: all of them, and a word about it"
run pca small-images-idx3-ubyte -k 1000 --json
expect_exit 0
expect_stderr 'there are only [0-9]+ components'
[ "$(json .k)" = "$(json .components)" ] || fail "k is $(json .k)"

check "components of other samples do not fit"
expect_refused '144 values a sample' pca pca.safetensors --data z.npy
check "scores need samples"
expect_refused 'add --data DATA' pca pca.safetensors -o scores.npy
check "a model is no principal components"
expect_refused 'no principal components' pca runs/small-001/model.safetensors
check "data that is not there"
expect_refused 'nowhere' pca nowhere.npy
check "values that are not numbers are refused with their place"
printf '1,2,3\n4,nan,6\n7,8,9\n' >odd.csv
expect_refused 'odd.csv|sample 1' pca odd.csv
check "samples that are all the same"
printf '1,2,3\n1,2,3\n1,2,3\n' >same.csv
expect_refused 'the same' pca same.csv
check "endings"
expect_refused '\.safetensors' pca z.npy --save pca.npy
expect_refused '\.npy' pca z.npy -o scores.txt

check "compare-pca measures the model as eval does"
run eval small-001 small-images-idx3-ubyte --json
mse=$(json .mse)
run compare-pca small-001 small-images-idx3-ubyte -k 5 --picture chart.png --sheet rows.png -o errors.csv --json
expect_exit 0
[ "$(cut -d, -f1 errors.csv | tr "\n" " " | cut -c1-6)" = "1 2 3 " ] || fail "errors.csv is not a row for each number of components"
expect_json samples features k latent pca_mse model_mse ratio better mse
expect_near "the model's error" "$(json .model_mse)" "$mse" 1e-6
[ "$(json .better)" = pca ] || fail "two epochs cannot do better than components"
expect_file chart.png
expect_file rows.png
pca=$(json .pca_mse)
run pca small-images-idx3-ubyte -k 5 --json
expect_near "the components' error" "$pca" "$(json .mse_at_k)" 1e-6

check "compare-pca for people, components found elsewhere"
make_images other 50
run compare-pca small-001 small-images-idx3-ubyte --fit other-images-idx3-ubyte
expect_exit 0
expect_stdout '^pca +mse [0-9.e-]+ +with 8 components'
expect_stdout '^model +mse [0-9.e-]+ +with a latent of 8'

check "compare-pca refuses samples of another shape"
expect_refused 'takes 12' compare-pca small-001 z.npy

# numpy 1.24 on the 10,000 test images / 255: eigenvalues of the covariance, and the mean square of what ten leave.
if "$program" data info 'mnist#test' >/dev/null 2>&1; then
    check "MNIST's test images: 84 components for 90 %, ten leave 0.0339026"
    run pca 'mnist#test' -k 10 --json
    expect_exit 0
    [ "$(json '.needed[0].components')" = 84 ] || fail "$(json '.needed[0].components') components for 90 %"
    expect_near "their share" "$(json '.needed[0].explained')" 0.900716242907104 1e-9
    expect_near "the error of ten" "$(json .mse_at_k)" 0.03390263909605607 1e-6
fi

finish
