# Mistakes in a recipe: one line that names the place and the mend, nothing written.
. "$(dirname "$0")/lib.sh"
make_images small 40
make_recipe small.yaml small-images-idx3-ubyte 1

recipe() { # NAME SED REGEX: small.yaml with something changed is refused by train and summary
    check "$1"
    sed "$2" small.yaml >wrong.yaml
    cmp -s small.yaml wrong.yaml && fail "the test changes nothing"
    expect_refused "$3" train wrong.yaml
    expect_refused "$3" summary wrong.yaml
}

recipe "an unknown key" 's/units: 8/unit: 8/' "^strait: wrong.yaml:10:[0-9]+: unknown key 'unit' in dense; did you mean 'units'\?"
recipe "an unknown section" 's/^train:/trian:/' "^strait: wrong.yaml:14:1: unknown key 'trian'.*did you mean 'train'"
recipe "a wrong type" 's/units: 8/units: many/' '^strait: wrong.yaml:10:[0-9]+: .*many'
recipe "a fraction where a whole number belongs" 's/epochs: 1/epochs: 1.5/' '^strait: wrong.yaml:17:[0-9]+: .*1\.5'
recipe "an unknown activation" 's/relu/rleu/' "^strait: wrong.yaml:10:[0-9]+: .*'rleu'.*relu"
recipe "an unknown layer" 's/dense: {units: 8/dnese: {units: 8/' "^strait: wrong.yaml:10:[0-9]+: .*'dnese'.*dense"
recipe "an unknown loss" 's/loss: mse/loss: msse/' "^strait: wrong.yaml:15:[0-9]+: .*'msse'"
recipe "an unknown optimizer" 's/adam:/adma:/' "^strait: wrong.yaml:16:[0-9]+: .*'adma'"
recipe "zero units" 's/units: 8/units: 0/' '^strait: wrong.yaml:10:[0-9]+: .*units'
recipe "negative units" 's/units: 8/units: -8/' '^strait: wrong.yaml:10:[0-9]+: .*units'
recipe "zero in the input's shape" 's/input: \[12/input: [0/' '^strait: wrong.yaml:7:[0-9]+: .*input'
recipe "a negative batch size" 's/batch_size: 16/batch_size: -16/' '^strait: wrong.yaml:18:[0-9]+: .*batch_size'
recipe "zero epochs" 's/epochs: 1/epochs: 0/' '^strait: wrong.yaml:17:[0-9]+: .*epochs'
recipe "a decoder that gives another shape" 's/units: 144/units: 143/' '^strait: wrong.yaml:1[23]:[0-9]+: .*(143.*144|144.*143)'
recipe "a latent wider than memory" 's/units: 8/units: 9000000000000000/' '^strait: wrong.yaml:10:[0-9]+: |memory'
recipe "a key given twice" 's/seed: 7/name: small/' '^strait: wrong.yaml:2:[0-9]+: .*name'
recipe "no model" '/^model:/,/reshape/d' '^strait: wrong.yaml:.*model'
recipe "YAML that is none" 's/input: \[12, 12, 1\]/input: [12, 12/' '^strait: wrong.yaml:[0-9]+:[0-9]+: '

check "an input of another shape than the data names both"
expect_refused '12 ?[×x] ?12 ?[×x] ?1.*13|13.*12 ?[×x] ?12' train small.yaml --set 'model.input=[13, 12, 1]' \
    --set model.decoder.0.dense.units=156 --set 'model.decoder.1.reshape=[13, 12, 1]'

check "a recipe there is none of names those there are"
expect_refused 'fashion-basic' train fashion-basics

check "a recipe that is empty, a folder, or no text"
: >empty.yaml
head -c 300 "$program" >binary.yaml
mkdir folder.yaml
expect_refused 'empty.yaml' train empty.yaml
expect_refused 'binary.yaml' train binary.yaml
expect_refused 'folder.yaml' train folder.yaml
rmdir folder.yaml

check "a wrong override names itself"
expect_refused "epocs.*did you mean 'epochs'" train small.yaml --set train.epocs=3
expect_refused 'encoder' train small.yaml --set model.encoder.7.dense.units=3
expect_refused 'units' train small.yaml --set model.encoder.1.dense.units=nine
expect_refused 'threads' train small.yaml --set train.threads=-2

check "a recipe without data asks for it"
sed '/source:/d' small.yaml >nodata.yaml
expect_refused 'data' train nodata.yaml
"$program" train nodata.yaml --data small-images-idx3-ubyte --out made --quiet >"$out" 2>"$err"
code=$?
expect_exit 0

finish
