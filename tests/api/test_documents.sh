# What the documents say is so: every ```sh block of the README and docs/ runs, in order, in an empty folder; every
# ```yaml block that is a whole recipe is one; every link leads somewhere; the reference of recipes is the parser's own
# table. Trainings of the examples see the first samples only, so that this stays short.
. "$(dirname "$0")/../cli/lib.sh"
reference=${STRAIT_RECIPE_REFERENCE:-$source_root/build/tests/api/recipe_reference}
cd "$source_root" || exit 1
documents=(README.md CONTRIBUTING.md CHANGELOG.md docs/*.md)
cd "$work/here" || exit 1

check "docs/recipes.md holds the parser's table of keys"
"$reference" >reference.md || fail "no reference"
sed -n '/^<!-- keys: begin/,/^<!-- keys: end/{/^<!-- keys/!p}' "$source_root/docs/recipes.md" >"$out"
cmp -s reference.md "$out" || fail "they differ; put what $reference prints between the marks"
rm reference.md

check "links lead to files"
for document in "${documents[@]}"; do
    for link in $(grep -oE '\]\([^)#]+' "$source_root/$document" | sed 's/](//' | grep -v '^https\?:'); do
        [ -e "$source_root/$(dirname "$document")/$link" ] || fail "$document: $link is not there"
    done
done

# blocks KIND DOCUMENT: writes block-1, block-2, ... of the fenced blocks of a kind.
blocks() {
    rm -f block-*
    awk -v fence='```'"$1" '$0 == fence { inside = 1; n++; next } /^```/ { inside = 0 } inside { print > ("block-" n) }' \
        "$source_root/$2"
}

for document in "${documents[@]}"; do
    blocks yaml "$document"
    for block in block-*; do
        [ -f "$block" ] && grep -q '^model:' "$block" || continue
        check "$document: recipe $block"
        mv "$block" recipe.yaml
        run summary recipe.yaml
        expect_exit 0
        rm recipe.yaml
    done
done

if ! "$program" data info fashion-mnist >/dev/null 2>&1; then
    echo "skipped: the commands of the documents need fashion-mnist"
    finish
fi
mkdir "$work/bin"
cat >"$work/bin/strait" <<SHELL
#!/bin/sh
case "\$*" in
train*--resume*) exec "$program" "\$@" ;;
train*) exec "$program" "\$@" --set data.limit=2000 ;;
*) exec "$program" "\$@" ;;
esac
SHELL
chmod +x "$work/bin/strait"
export PATH=$work/bin:$PATH HOME=$work

for document in "${documents[@]}"; do
    blocks sh "$document"
    n=$(find . -name 'block-*' | wc -l)
    mkdir -p "$work/blocks" && rm -f "$work"/blocks/* && { [ "$n" = 0 ] || mv block-* "$work/blocks/"; }
    rm -rf "$work/place" && mkdir "$work/place" && cd "$work/place" || exit 1
    for ((i = 1; i <= n; i++)); do
        check "$document: $(head -1 "$work/blocks/block-$i")"
        bash -e "$work/blocks/block-$i" >"$out" 2>"$err" </dev/null
        code=$?
        expect_exit 0
    done
    cd "$work/here" || exit 1
done

finish
