# strait anomaly fit, anomaly score.
. "$(dirname "$0")/lib.sh"
make_small_run
data=small-images-idx3-ubyte

check "score before fit says what to do"
expect_refused 'no threshold was fitted; strait anomaly fit' anomaly score small-001 $data

check "fit keeps a threshold in the model's file"
run anomaly fit small-001 $data --normal 1,2,3 --json
expect_exit 0
expect_json model error rule threshold mean std samples normal_samples normal
[ "$(json .rule)" = mean+std ] && [ "$(json .error)" = mae ] && [ "$(json .samples)" = 200 ] || fail "$(cat "$out")"
[ "$(json .normal_samples)" = 150 ] || fail "$(json .normal_samples) normal samples, not 150"
expect_near "mean + std" "$(json .threshold)" "$(awk -v a="$(json .mean)" -v b="$(json .std)" 'BEGIN { print a + b }')" 1e-5

check "score tells every sample's error, probability and decision"
run anomaly score small-001 $data -o scores.csv
expect_exit 0
expect_stdout '^abnormal .*the positive class'
expect_stdout '^ROC AUC'
expect_stdout '^best +threshold .* accuracy'
[ "$(head -1 scores.csv)" = sample,label,error,probability,abnormal ] || fail "head of scores.csv: $(head -1 scores.csv)"
[ "$(wc -l <scores.csv)" = 201 ] || fail "$(wc -l <scores.csv) lines"
awk -F, 'NR > 1 && ($3 <= 0 || $4 < 0 || $4 > 1 || ($5 != 0 && $5 != 1)) { exit 1 }' scores.csv || fail "a row is odd"

check "the judgement is that of the rows"
run anomaly score small-001 $data --json
expect_exit 0
expect_json samples threshold positive at_threshold.accuracy at_threshold.normal.precision at_threshold.abnormal.f1 \
    at_threshold.confusion.abnormal_said_abnormal roc_auc average_precision best_accuracy.accuracy best_accuracy.threshold
read -r accuracy precision recall < <(awk -F, 'NR > 1 { n++; truth = $2 == 1 || $2 == 2 || $2 == 3; said = !$5
    right += truth == said; hit += truth && said; all_said += said; all_true += truth }
    END { print right / n, hit / all_said, hit / all_true }' scores.csv)
expect_near accuracy "$(json .at_threshold.accuracy)" "$accuracy" 1e-5
expect_near "precision of normal" "$(json .at_threshold.normal.precision)" "$precision" 1e-5
expect_near "recall of normal" "$(json .at_threshold.normal.recall)" "$recall" 1e-5

check "every rule and every error"
for error in mae mse euclidean; do
    for rule in mean+std quantile:0.9 contamination:0.25 best-f1; do
        run anomaly fit small-001 $data --normal 1,2,3 --threshold $rule --error $error
        expect_exit 0
        run anomaly score small-001 $data --json
        expect_exit 0
        [ "$(json .rule) $(json .error)" = "$rule $error" ] || fail "$rule of $error: $(json .rule) of $(json .error)"
        [ $rule != contamination:0.25 ] || [ "$(json .abnormal_samples)" = 50 ] || fail "$(json .abnormal_samples) of 200"
    done
done

check "pictures, and no judgement without normal labels"
run anomaly score small-001 $data --roc roc.png --histogram errors.svg --worst worst.png -n 4
expect_exit 0
expect_file roc.png && expect_file errors.svg && expect_file worst.png
run anomaly score small-001 $data --roc roc.svg --histogram errors.svg --worst worst.svg --theme dark
expect_exit 0
for file in roc errors worst; do grep -q '#181a1f' $file.svg || fail "$file.svg is not dark"; done
run anomaly fit small-001 $data
run anomaly score small-001 $data -o scores.npy
expect_exit 0
expect_stdout 'not judged.*--normal LABEL'
run anomaly score small-001 $data --normal 4
expect_stdout '^accuracy'

check "what cannot be"
expect_refused "'median' is not known" anomaly fit small-001 $data --threshold median
expect_refused 'between 0 and 1' anomaly fit small-001 $data --threshold quantile:99
expect_refused "has the label '9'" anomaly fit small-001 $data --normal 9
expect_refused 'needs abnormal samples' anomaly fit small-001 $data --threshold best-f1
expect_refused 'needs labels' anomaly score small-001 $data -o no.csv --roc no.png
expect_refused '\.csv' anomaly score small-001 $data -o scores.txt
expect_refused 'no-such' anomaly fit no-such $data

finish
