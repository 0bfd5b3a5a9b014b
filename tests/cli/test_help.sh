# Help, the manual page, the completion: complete, and true to the commands.
. "$(dirname "$0")/lib.sh"

commands=(train eval encode decode reconstruct activations summary "data info" "data show" report "runs list" "runs show" "runs compare"
    "runs export" "runs scan" "runs delete" info bench help completion)

check "strait alone says how to begin, status 2"
run
expect_exit 2
expect_no_stdout
expect_stderr '^  strait train fashion-basic '

check "--version is the version and nothing else"
run --version
expect_exit 0
expect_stdout "^strait $(head -n 1 "$source_root/VERSION")\$"
expect_no_stderr

for form in "--help" "-h" "help"; do
    check "strait $form lists every command"
    run $form
    expect_exit 0
    expect_no_stderr
    for command in "${commands[@]}"; do expect_stdout "^  $command  +[a-z]"; done
done

for command in "${commands[@]}"; do
    check "help of $command has usage, options and an example, both ways"
    run help $command
    expect_exit 0
    expect_no_stderr
    expect_stdout "^usage: strait $command"
    expect_stdout '^  -h, --help '
    expect_stdout '^examples:$'
    grep -A1 '^examples:$' "$out" | tail -n 1 | grep -q '^  [a-z]' || fail "no example"
    awk '!/^  strait / && length > 80 { exit 1 }' "$out" || fail "a line is longer than 80 columns"
    cp "$out" "$work/help"
    run $command --help
    expect_exit 0
    expect_same "$out" "$work/help"
done

check "--help works on a command line that is still wrong"
run train --epochs nonsense --help
expect_exit 0
expect_stdout '^usage: strait train'

check "a group lists its commands"
run data --help
expect_exit 0
expect_stdout '^  data show '

check "the manual page has every command and option, and is sound roff"
run help --man
expect_exit 0
cp "$out" strait.1
for command in "${commands[@]}"; do grep -q "^\.SS $command\$" strait.1 || fail "no section on $command"; done
for option in '\\-\\-resume RUN' '\\-\\-seconds S' '\\-o, \\-\\-output FILE'; do
    grep -q -- "$option" strait.1 || fail "no option $option"
done
if command -v groff >/dev/null; then
    groff -man -ww -Tascii strait.1 2>"$err" >/dev/null
    expect_no_stderr
fi

complete() { # WORDS...: what Tab offers after them
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _strait; printf "%s\n" "${COMPREPLY[@]}"' \
        - strait.bash "$@" >"$out" 2>"$err"
}
PATH=$work/bin:$PATH
mkdir "$work/bin" && ln -s "$program" "$work/bin/strait"

check "the completion is a sound script"
run completion bash
expect_exit 0
cp "$out" strait.bash
bash -n strait.bash 2>"$err" || fail "bash cannot read it"

check "the completion knows commands"
complete strait re
expect_stdout '^reconstruct$'
complete strait data s
expect_stdout '^show$'

check "the completion knows options"
complete strait train --ep
expect_stdout '^--epochs$'
complete strait data show --sam
expect_stdout '^--samples$'

check "the completion knows recipes, runs and data"
mkdir -p runs/fashion-basic-001
complete strait train fashion-b
expect_stdout '^fashion-basic$'
complete strait train --epochs 3 fashion-b
expect_stdout '^fashion-basic$'
complete strait eval fash
expect_stdout '^fashion-basic-001$'
complete strait train --resume fash
expect_stdout '^fashion-basic-001$'
complete strait eval fashion-basic-001 fash
expect_stdout '^fashion-mnist#test$'

check "another shell than bash is refused"
run completion fish
expect_exit 2
expect_error "no completion for 'fish'"

finish
