"""Lays samples out with scikit-learn's t-SNE or umap-learn, for bench/maps: `maps_peer.py tsne|umap SAMPLES.npy MAP.npy
THREADS`, or tells how many samples have the label of most of their five nearest: `maps_peer.py nearest MAP.npy
LABELS.npy`. Prints one JSON object. The seconds are those of the fit alone, after imports and reading."""
import json
import sys
import time

import numpy


def tsne(samples, threads):
    import sklearn
    from sklearn.manifold import TSNE

    # As Strait does by default; what differs from scikit-learn's own defaults in old versions is named.
    fit = TSNE(2, perplexity=30, n_jobs=threads, init="pca", learning_rate="auto", random_state=0)
    return sklearn.__version__, fit, lambda: float(fit.kl_divergence_)


def umap(samples, threads):
    import umap as umap_learn

    fit = umap_learn.UMAP(n_neighbors=15, min_dist=0.1, n_jobs=threads)
    fit.fit_transform(samples[:500])  # its compiler works at the first call
    return umap_learn.__version__, umap_learn.UMAP(n_neighbors=15, min_dist=0.1, n_jobs=threads), lambda: None


def lay_out(method, source, target, threads):
    samples = numpy.load(source)
    version, fit, divergence = {"tsne": tsne, "umap": umap}[method](samples, threads)
    begin, cpu = time.perf_counter(), time.process_time()
    places = fit.fit_transform(samples)
    result = {"seconds": time.perf_counter() - begin, "cpu_seconds": time.process_time() - cpu}
    numpy.save(target, numpy.asarray(places, dtype=numpy.float32))
    result.update(version=version, kl=divergence())
    return result


def nearest(source, labels, k=5):
    from sklearn.neighbors import NearestNeighbors

    places, labels = numpy.load(source), numpy.load(labels).astype(int)
    found = NearestNeighbors(n_neighbors=k).fit(places).kneighbors(return_distance=False)  # each itself left out
    most = numpy.array([numpy.bincount(row).argmax() for row in labels[found]])
    return {"accuracy": float((most == labels).mean())}


if __name__ == "__main__":
    if sys.argv[1] == "nearest":
        print(json.dumps(nearest(*sys.argv[2:4])))
    else:
        print(json.dumps(lay_out(*sys.argv[1:4], threads=int(sys.argv[4]))))
