"""Several hosts, several machines: batches go where there is room, and nothing is lost."""

from __future__ import annotations

import os
import signal

import joblib
import numpy as np
import pytest

from tests import midway
from tests.ollama_double import faults
from tests.ollama_double.fault import Fault
from tests.ollama_double.models import Model
from tests.ollama_double.process import DoubleProcess
from toolkit.backends.ollama import OllamaBackend
from toolkit.cache import EmbeddingCache
from toolkit.errors import EmbeddingError, EmbeddingWarning, ModelDriftError
from toolkit.vectorizer import EmbeddingGemmaVectorizer

TEXTS = [f"text number {i}" for i in range(200)]


def make(*doubles, **options):
    options = {"batch_size": 5, "backend": OllamaBackend(timeout=60)} | options
    return EmbeddingGemmaVectorizer(host=[double.host for double in doubles], **options)


@pytest.fixture
def right(ollama_double):
    one = EmbeddingGemmaVectorizer(host=ollama_double.host, cache=False)
    return np.vstack([one.transform([text]) for text in TEXTS])


def batches(double):
    return sum(len(record.texts) == 5 for record in double.requests.to("/api/embed"))


def test_two_hosts_share_the_work(ollama_double_factory, right):
    # Slow enough that their time decides, not this machine's.
    a, b = ollama_double_factory(text_seconds=0.01), ollama_double_factory(text_seconds=0.01)
    assert np.array_equal(make(a, b).transform(TEXTS), right)
    assert batches(a) + batches(b) == 40
    assert min(batches(a), batches(b)) >= 12


def test_the_faster_host_does_more(ollama_double_factory, right):
    slow, quick = (
        ollama_double_factory(text_seconds=0.1),
        ollama_double_factory(text_seconds=0.001),
    )
    assert np.array_equal(make(slow, quick).transform(TEXTS), right)
    assert batches(quick) > 2 * batches(slow)


def test_a_host_that_dies_is_dropped_and_the_other_does_its_work(ollama_double_factory, right):
    a, b = ollama_double_factory(text_seconds=0.002), ollama_double_factory(text_seconds=0.002)
    vectorizer = make(a, b).fit(TEXTS)
    # Of the first four batches each has two.
    a.faults.add(Fault(faults.act(lambda double: double.kill()), skip=1))
    with pytest.warns(EmbeddingWarning, match=r"host is dropped.*" + a.host) as caught:
        assert np.array_equal(vectorizer.transform(TEXTS), right)
    assert len(caught) == 1
    (space,) = EmbeddingCache().spaces()
    assert len(space) == 200


def test_a_host_that_is_down_from_the_start_is_left_out(ollama_double_factory, right):
    a, b = ollama_double_factory(), ollama_double_factory()
    a.stop()
    with pytest.warns(EmbeddingWarning, match="one host is left out"):
        assert np.array_equal(make(a, b).transform(TEXTS), right)


def test_when_the_last_host_dies_the_job_ends(ollama_double_factory):
    a, b = ollama_double_factory(), ollama_double_factory()
    vectorizer = make(a, b).fit(TEXTS)
    for double in (a, b):
        double.faults.add(Fault(faults.act(lambda double: double.kill()), skip=3))
    with (
        pytest.warns(EmbeddingWarning, match="host is dropped"),
        pytest.raises(EmbeddingError, match="no Ollama server answers"),
    ):
        vectorizer.transform(TEXTS)


def test_hosts_of_different_spaces_are_refused(ollama_double_factory):
    a, b = ollama_double_factory(), ollama_double_factory(models=[Model(weights="e" * 64)])
    with pytest.raises(ModelDriftError, match="do not share one vector space"):
        make(a, b).fit(TEXTS)


def test_a_host_that_changes_in_the_middle_ends_the_job(ollama_double_factory, right):
    a, b = ollama_double_factory(), ollama_double_factory()
    vectorizer = make(a, b).fit(TEXTS)
    a.faults.add(Fault(faults.model_repulled(weights="e" * 64), skip=3))
    with pytest.raises(ModelDriftError, match="another space"):
        vectorizer.transform(TEXTS)
    (space,) = EmbeddingCache().spaces()
    assert 0 < len(space) < 200


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_the_users_joblib_backend_wins(ollama_double, right, backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert np.array_equal(make(ollama_double).transform(TEXTS), right)
    (space,) = EmbeddingCache().spaces()
    assert len(space) == 200


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # distributed's own, at the death of a worker
def test_a_dask_cluster_embeds_and_survives_a_killed_worker(right, monkeypatch):
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    patient = {f"distributed.comm.timeouts.{kind}": "300s" for kind in ("connect", "tcp")}
    with (
        dask.config.set(patient),
        DoubleProcess("--text-seconds", "0.02") as double,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        vectorizer = make(double).fit(TEXTS)
        pids = list(client.run(os.getpid).values())
        assert os.getpid() not in pids

        with (
            midway.in_the_middle(lambda: os.kill(pids[0], signal.SIGKILL), first=20),
            joblib.parallel_config(backend="dask"),
        ):
            vectors = vectorizer.transform(TEXTS)
    assert np.array_equal(vectors, right)
    (space,) = EmbeddingCache().spaces()
    assert len(space) == 200
