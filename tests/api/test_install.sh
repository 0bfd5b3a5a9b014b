# The library as others get it: installed into a folder, found through pkg-config, linked shared and static, from C and
# from C++; the examples run.
. "$(dirname "$0")/../cli/lib.sh"
build=${STRAIT_BUILD:-$source_root/build}
cc=${STRAIT_CC:-cc}
strict="-std=c17 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror"
sanitize=${STRAIT_SANITIZE:+-fsanitize=$STRAIT_SANITIZE}
tree=$work/tree

# try COMMAND...: like run, for any command.
try() {
    "$@" >"$out" 2>"$err" </dev/null
    code=$?
}

check "it installs into any folder"
try "${STRAIT_CMAKE:-cmake}" --install "$build" --prefix "$tree"
expect_exit 0
for file in bin/strait include/strait/strait.h share/strait/recipes/fashion-basic.yaml share/man/man1/strait.1; do
    expect_file "$tree/$file"
done
pc=$(find "$tree" -name strait.pc)
library=$(find "$tree" -name libstrait.a)
libraries=$(dirname "$library")
expect_file "$libraries/libstrait.so"
export PKG_CONFIG_PATH=${pc%/*} LD_LIBRARY_PATH=$libraries

check "the installed program and strait.pc say the version of the file VERSION"
version=$(cat "$source_root/VERSION")
try "$tree/bin/strait" --version
expect_stdout "$version"
try pkg-config --modversion strait
expect_stdout "^$version\$"

# shellcheck disable=SC2046,SC2086 # flags are words
for example in train score; do
    check "$example.c, shared"
    try $cc $strict $sanitize "$source_root/examples/$example.c" $(pkg-config --cflags --libs strait) -o $example
    expect_exit 0
    expect_no_stderr
    check "$example.c, static"
    try $cc $strict $sanitize "$source_root/examples/$example.c" $(pkg-config --cflags strait) "$library" \
        $(pkg-config --static --libs strait | sed 's/-lstrait//') -o $example-static
    expect_exit 0
    expect_no_stderr
done

check "the C of the README"
awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$source_root/README.md" >readme.c
expect_file readme.c
# shellcheck disable=SC2046,SC2086
try $cc $strict $sanitize readme.c $(pkg-config --cflags --libs strait) -o readme
expect_exit 0
expect_no_stderr

if command -v c++ >/dev/null; then
    check "a C++ program"
    cat >version.cpp <<'CPP'
#include <strait/strait.h>
#include <cstdio>
int main() {
    strait_array *array = nullptr;
    const int64_t dim[] = {2, 3};
    if (strait_array_new(&array, 2, dim, nullptr) != STRAIT_OK) return 1;
    std::printf("%s %d\n", strait_version(), static_cast<int>(strait_array_count(array)));
    strait_array_free(array);
}
CPP
    # shellcheck disable=SC2046,SC2086
    try c++ -std=c++11 -pedantic -Wall -Wextra -Werror $sanitize version.cpp \
        $(pkg-config --cflags --libs strait) -o version
    expect_exit 0
    try ./version
    expect_stdout "^$version 6\$"
fi

if "$program" data info fashion-mnist#test >/dev/null 2>&1; then
    for how in '' -static; do
        check "the examples run${how:+, $how}"
        rm -f example.safetensors latents.npy
        try ./train$how fashion-mnist#test
        expect_exit 0
        expect_stdout '^epoch 3 of 3: loss 0\.0[0-9]*, val_loss 0\.0[0-9]*$'
        expect_stdout '^example.safetensors, and latents.npy: 10000 of 32 values$'
        run decode example.safetensors latents.npy -o rows.npy
        expect_exit 0
        try ./score$how example.safetensors rows.npy
        expect_exit 0
        [ "$(grep -cE '^sample [0-9]+: mse 0\.[0-9]+$' "$out")" = 5 ] || fail "not five scores"
        sort -r -k4 "$out" | cmp -s - "$out" || fail "the worst do not come first"
    done
    check "the C of the README runs"
    try ./readme
    expect_exit 0
else
    echo "skipped: running the examples needs fashion-mnist"
fi

check "the examples say what is wrong"
try ./train nowhere.npy
expect_exit 1
expect_stderr '^train: .*nowhere.npy'
try ./score nowhere.safetensors nowhere.npy
expect_exit 1
expect_stderr '^score: .*nowhere.safetensors'

finish
