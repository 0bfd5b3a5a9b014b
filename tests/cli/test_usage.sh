# Mistakes in the command line: status 2, one line that says what to do, nothing begun.
. "$(dirname "$0")/lib.sh"

usage() { # REGEX ARGUMENT...
    local regex=$1
    shift
    check "strait $*"
    expect_refused "$regex" "$@"
    expect_exit 2
}

usage "unknown command 'trian'; did you mean 'train'\?" trian
usage "unknown command 'dta'; did you mean 'data'\?" dta info
usage "unknown command 'data shw'; did you mean 'data show'\?" data shw
usage "unknown command 'frobnicate'; strait help lists them" frobnicate
usage "data --help" data
usage "unknown command 'tarin'; did you mean 'train'\?" help tarin
usage "unknown option '--nothing'; a command comes first" --nothing
usage "unknown option '--epoch'; did you mean '--epochs'\?" train fashion-basic --epoch 3
usage "unknown option '--epoch'; did you mean '--epochs'\?" train fashion-basic --epoch=3
usage "unknown option '--thraeds'; did you mean '--threads'\?" train fashion-basic --thraeds 2
usage "unknown option '--js'; did you mean '--json'\?" info --js
usage "unknown option '--frobnicate'; the options of train: strait train --help" train --frobnicate
usage "unknown option '-x'" eval -x a b
usage "RECIPE is missing; usage: strait train RECIPE" train
usage "MODEL is missing; usage: strait eval MODEL DATA" eval
usage "DATA is missing; usage: strait eval MODEL DATA" eval model
usage "one argument too many: 'c'" eval a b c
usage "one argument too many: '--json'" info -- --json
usage "RECIPE is empty" train ''
usage "--epochs needs a value: --epochs N" train fashion-basic --epochs
usage "--json takes no value" train fashion-basic --json=yes
usage "--out needs a value that is not empty" train fashion-basic --out ''
usage "--epochs is given twice" train fashion-basic --epochs 3 --epochs 4
for wrong in 0 -1 3.5 three '' 1e3 99999999999; do
    usage "--epochs takes a whole number from 1 up, not '$wrong'" train fashion-basic --epochs "$wrong"
done
usage "--epochs takes a whole number from 1 up, not 'x'" train fashion-basic -ex
usage "--seed takes a whole number from 0 up, not '-1'" train fashion-basic --seed -1
usage "--seconds takes a number above 0, not '0'" bench --seconds 0
usage "--seconds takes a number above 0, not 'nan'" bench --seconds nan
usage "--set takes KEY=VALUE, as train.epochs=3, not 'train.epochs'" train fashion-basic --set train.epochs
usage "--set takes KEY=VALUE" train fashion-basic --set =3
usage "leave 'fashion-basic' away" train fashion-basic --resume run
for fixed in --set=a=1 --out=x --seed=3; do
    usage "${fixed%%=*} cannot change a run that is resumed" train --resume run "$fixed"
done
usage "-o FILE is missing; usage: strait encode" encode model data
usage "ends in .npy, .csv or .h5ad" encode model data -o z.png
usage "ends in .npy, .csv or .h5ad" encode model data -o z
usage "ends in .npy, .csv or .h5ad" encode model data -o .npy
usage "ends in .npy, .csv or .png" decode model z.npy -o x.jpg
usage "ends in .png" data show data -o sheet.npy
usage "use -o FILE.png" data show data --json

check "an odd argument is told of in one line without control characters"
run $'tr\nain\033[31m'
expect_exit 2
expect_error "unknown command 'tr ain\?\[31m'"

check "a result that cannot be written is an error"
if [ -c /dev/full ]; then
    "$program" info >/dev/full 2>"$err"
    code=$?
    expect_exit 1
    expect_error 'cannot write the result to standard output: No space left on device'
fi

check "a reader that leaves is no reason for a message"
"$program" help --man 2>"$err" | true
expect_no_stderr

finish
