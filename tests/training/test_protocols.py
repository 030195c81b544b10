"""Folds, overlap and scores of protocols."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_training.errors import ConfigError
from fer_training.measure.metrics import confusion_matrix
from fer_training.protocols.overlap import Overlap, mean_overlap, overlap
from fer_training.protocols.scores import averages, over_folds, over_people, t_quantile
from fer_training.protocols.splits import Protocol, make_folds, random_splits, subject_folds

Marks = NDArray[np.int64]


@st.composite
def people_and_labels(draw: st.DrawFn) -> tuple[Marks, Marks]:
    """Faces of 4 to 20 people with 1 to 9 faces each, in any order, of up to 7 classes."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=4, max_size=20))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    subjects = random.permutation(np.repeat(np.arange(len(sizes)) * 7 + 3, sizes))
    return subjects, random.integers(0, draw(st.integers(1, 7)), len(subjects))


@given(faces=people_and_labels(), count=st.integers(2, 4), seed=st.integers(0, 99))
@pytest.mark.parametrize("protocol", ["folds", "subjects"])
def test_every_face_is_tested_once(
    faces: tuple[Marks, Marks], protocol: Protocol, count: int, seed: int
) -> None:
    subjects, labels = faces
    folds = make_folds(protocol, subjects, labels, count, seed)
    assert len(folds) == count
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(len(labels)))
    for fold in folds:
        assert len(fold.test) > 0
        assert sorted([*fold.train, *fold.test]) == list(range(len(labels)))


@given(faces=people_and_labels(), count=st.integers(2, 4), seed=st.integers(0, 99))
def test_folds_of_people_have_no_overlap(faces: tuple[Marks, Marks], count: int, seed: int) -> None:
    subjects, labels = faces
    sequences = np.unique(subjects * 100 + labels, return_inverse=True)[1]  # a sequence is of one person
    for fold in subject_folds(subjects, labels, count, seed):
        known = overlap(fold.train, fold.test, sequences, subjects)
        assert known == Overlap(sequence=0, subject=0)
        assert not known.leaky


@given(faces=people_and_labels(), count=st.integers(1, 5), seed=st.integers(0, 99))
def test_random_splits_are_80_to_20(faces: tuple[Marks, Marks], count: int, seed: int) -> None:
    total = len(faces[0]) + 5
    folds = random_splits(total, count, seed)
    assert len({fold.name for fold in folds}) == count
    for fold in folds:
        assert len(fold.test) == round(0.2 * total)
        assert sorted([*fold.train, *fold.test]) == list(range(total))


@pytest.mark.parametrize("protocol", ["random", "folds", "subjects"])
def test_a_seed_is_one_split(protocol: Protocol) -> None:
    subjects, labels = np.arange(60) % 20, np.arange(60) % 7

    def tests(seed: int) -> list[list[int]]:
        return [fold.test.tolist() for fold in make_folds(protocol, subjects, labels, 4, seed)]

    assert tests(3) == tests(3)
    assert tests(3) != tests(4)


def test_folds_of_people_are_balanced() -> None:
    """As in CK+: 118 people, three faces of each sequence, classes of 54 to 249 faces."""
    random = np.random.default_rng(0)
    classes = np.repeat(np.arange(7), [45, 18, 59, 25, 69, 28, 83])
    subjects = np.repeat(random.integers(0, 118, len(classes)), 3)
    labels = np.repeat(classes, 3)
    folds = subject_folds(subjects, labels, 10)
    counts = np.array([np.bincount(labels[fold.test], minlength=7) for fold in folds])
    assert counts.sum(axis=1).min() > 0.9 * len(labels) / 10
    assert counts.sum(axis=1).max() < 1.1 * len(labels) / 10
    assert (np.abs(counts - counts.mean(axis=0)) <= 6).all(), "two sequences from an equal share"


@pytest.mark.parametrize(
    ("protocol", "count", "message"),
    [
        ("subjects", 4, "3 people cannot make 4 folds"),
        ("folds", 13, "12 faces cannot make 13 folds"),
        ("folds", 1, "12 faces cannot make 1 folds"),
    ],
)
def test_impossible_folds_are_refused(protocol: Protocol, count: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_folds(protocol, np.arange(12) % 3, np.zeros(12, np.int64), count)


def test_too_few_faces_for_a_split_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 faces are too few"):
        random_splits(2, 1)


@pytest.mark.parametrize(
    ("train", "test", "sequence", "subject"),
    [
        ([0, 1], [4, 5], 0.0, 0.0),
        ([0], [1, 4], 0.5, 0.5),
        ([0, 4], [1, 2, 3, 5], 0.5, 1.0),  # 2 and 3 are another sequence of the same person
        ([2], [0, 1], 0.0, 1.0),
    ],
)
def test_overlap(train: list[int], test: list[int], sequence: float, subject: float) -> None:
    sequences, subjects = np.array([0, 0, 1, 1, 2, 2]), np.array([7, 7, 7, 7, 9, 9])
    known = overlap(np.array(train), np.array(test), sequences, subjects)
    assert known == Overlap(sequence=sequence, subject=subject)
    assert known.leaky == (subject > 0)
    assert ("LEAKY" in str(known)) == known.leaky
    assert f"{sequence:.1%}" in str(known)


def test_mean_overlap_counts_faces() -> None:
    one, none = Overlap(sequence=1, subject=1), Overlap(sequence=0, subject=0.5)
    assert mean_overlap([one, none], [1, 3]) == Overlap(sequence=0.25, subject=0.625)


def test_averages_are_equations_13_to_16() -> None:
    confusion = np.array([[8, 2, 0], [1, 4, 0], [0, 0, 0]])  # the third class never occurs
    scores = averages(confusion)
    precision, recall = (8 / 9, 4 / 6), (8 / 10, 4 / 5)
    f1 = [2 * p * r / (p + r) for p, r in zip(precision, recall, strict=True)]
    assert scores.accuracy == pytest.approx(12 / 15)
    assert scores.macro_precision == pytest.approx(sum(precision) / 2)
    assert scores.macro_f1 == pytest.approx(sum(f1) / 2)
    assert scores.weighted_precision == pytest.approx((10 * precision[0] + 5 * precision[1]) / 15)
    assert scores.weighted_f1 == pytest.approx((10 * f1[0] + 5 * f1[1]) / 15)
    assert scores.weighted_recall == pytest.approx(scores.accuracy)


@pytest.mark.parametrize("degrees", [1, 2, 4, 9, 29, 30, 31, 60, 200])
def test_t_quantile_leaves_five_per_cent(degrees: int) -> None:
    """Against the density, integrated over t = sqrt(n) tan(u), where it is cos(u)^(n-1)."""
    limit = math.atan(t_quantile(degrees) / math.sqrt(degrees))
    inside, whole = np.linspace(-limit, limit, 200_001), np.linspace(-math.pi / 2, math.pi / 2, 200_001)
    area = [np.trapezoid(np.cos(u).clip(min=0) ** (degrees - 1), u) for u in (inside, whole)]
    assert area[0] / area[1] == pytest.approx(0.95, abs=1e-4)


def test_interval_over_folds() -> None:
    folds = [averages(np.array([[hits, 10 - hits], [0, 10]])) for hits in (8, 10, 9)]
    intervals = over_folds(folds)
    assert intervals is not None
    half = 4.3027 * np.std([0.9, 1.0, 0.95], ddof=1) / math.sqrt(3)
    assert intervals.accuracy.value == pytest.approx(0.95)
    assert intervals.accuracy.low == pytest.approx(0.95 - half, abs=1e-5)
    assert intervals.accuracy.high == 1, "a share is no more than 1"
    assert over_folds(folds[:1]) is None


def test_faces_of_a_person_count_as_one_draw() -> None:
    """Whole people are wrong: drawing people gives an interval about as wide as if each had one face."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 600)
    subjects = np.repeat(np.arange(60), 10)
    predicted = np.where(subjects % 10 == 0, (labels + 1) % 3, labels)
    pooled = over_people(labels, predicted, subjects, 3).accuracy
    by_faces = over_people(labels, predicted, np.arange(600), 3).accuracy
    assert pooled.value == by_faces.value == pytest.approx(0.9)
    assert pooled.high - pooled.low == pytest.approx(2 * 1.96 * math.sqrt(0.9 * 0.1 / 60), rel=0.15)
    assert by_faces.high - by_faces.low == pytest.approx(2 * 1.96 * math.sqrt(0.9 * 0.1 / 600), rel=0.15)
    perfect = over_people(labels, labels, subjects, 3)
    assert perfect.macro_f1.low == perfect.macro_f1.value == 1


def test_pooled_values_are_those_of_all_answers() -> None:
    random = np.random.default_rng(1)
    labels, predicted = random.integers(0, 4, 300), random.integers(0, 4, 300)
    pooled = over_people(labels, predicted, np.arange(300) // 5, 4)
    whole = averages(confusion_matrix(labels, predicted, 4))
    for name, value in whole.model_dump().items():
        interval = getattr(pooled, name)
        assert interval.value == pytest.approx(value, abs=1e-5)
        assert interval.low < value < interval.high
