"""Models in other processes: workers of multiprocessing, Dask and, by the same pickles, Spark."""

import multiprocessing
import threading

import numpy as np
import pandas as pd
import pytest

import ordinate

ROWS = pd.DataFrame([ordinate.load("diabetes").example()] * 5)


def predict(model, rows):
    return model.predict(rows).tolist()


def test_a_spawned_process_predicts():
    model = ordinate.load("diabetes")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(predict, (model, ROWS)) == predict(model, ROWS)


def test_a_forked_process_predicts():
    model = ordinate.load("diabetes")
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(predict, (model, ROWS)) == predict(model, ROWS)


def test_a_function_with_a_model_can_be_pickled_by_value():
    cloudpickle = pytest.importorskip("cloudpickle")
    model = ordinate.load("iris")
    function = cloudpickle.loads(cloudpickle.dumps(lambda rows: model.predict(rows)))
    assert function([model.example()] * 2).tolist() == ["setosa", "setosa"]


def test_workers_of_dask_predict():
    distributed = pytest.importorskip("distributed")
    model = ordinate.load("diabetes")
    options = {"processes": True, "dashboard_address": None, "n_workers": 2, "threads_per_worker": 2}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        futures = client.map(lambda part: model.predict(part), [ROWS.iloc[:2], ROWS.iloc[2:]])
        predicted = np.concatenate(client.gather(futures))
    assert predicted.tolist() == predict(model, ROWS)


def test_eight_threads_predict_at_the_same_time():
    model = ordinate.load("diabetes")
    X = np.tile(ROWS.to_numpy(), (20_000, 1))
    expected, wrong = model.predict(X), []

    def work():
        for _ in range(3):
            wrong.extend(np.flatnonzero(model.predict(X) != expected))
            wrong.extend(np.flatnonzero(model.predict_interval(X)[:, 0] >= expected))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_other_threads_run_during_a_prediction():
    model = ordinate.load("diabetes")
    X = np.tile(ROWS.to_numpy(), (100_000, 1))
    ticks, done, during = [], threading.Event(), []

    def count():
        while not done.wait(0.001):
            ticks.append(None)

    counter = threading.Thread(target=count)
    counter.start()
    for _ in range(3):
        before = len(ticks)
        model.predict_interval(X)
        during.append(len(ticks) - before)
    done.set()
    counter.join()
    # With the interpreter lock, none.
    assert max(during) > 5, during
