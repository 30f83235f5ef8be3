"""FMA's feature table, generated with 2,000 rows, and the first system trained on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fma import write_features
from ml.errors import TableError
from ml.fma import MfccTable, read_features
from ml.original import STATISTICS, OriginalModel


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fma") / "features.csv"
    write_features(path, 2000)
    return path


@pytest.fixture
def few(tmp_path: Path) -> Path:
    path = tmp_path / "features.csv"
    write_features(path, 4)
    return path


def test_the_table_has_518_columns_under_three_headers_and_the_name_of_the_index(
    features: Path,
) -> None:
    with features.open(encoding="utf-8") as file:
        rows = [next(file).rstrip("\n").split(",") for _ in range(5)]
    assert [len(row) for row in rows] == [519] * 5
    assert [row[0] for row in rows] == ["feature", "statistics", "number", "track_id", "2"]
    columns = list(zip(*rows[:3], strict=True))[1:]
    assert columns == sorted(columns)


def test_the_140_statistics_are_those_of_their_headers(features: Path) -> None:
    table = read_features(features)
    assert table.track_ids.tolist() == list(range(2, 2002))
    headers = np.loadtxt(features, str, delimiter=",", max_rows=3)
    values = np.loadtxt(features, delimiter=",", skiprows=4, max_rows=50)
    names = list(zip(*headers.tolist(), strict=True))
    for number, statistic in enumerate(STATISTICS):
        for coefficient in range(20):
            column = names.index(("mfcc", statistic, f"{coefficient + 1:02}"))
            found = table.statistics[:50, number * 20 + coefficient]
            assert found == pytest.approx(values[:, column], rel=1e-6)


def test_the_order_of_the_columns_in_the_file_plays_no_part(few: Path, tmp_path: Path) -> None:
    rows = [line.split(",") for line in few.read_text().splitlines()]
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join(",".join([row[0], *row[:0:-1]]) for row in rows))
    assert np.array_equal(read_features(turned).statistics, read_features(few).statistics)


def test_rows_that_are_cut_off_no_number_or_not_finite_are_left_out_with_the_reason(
    few: Path,
) -> None:
    lines = few.read_text().splitlines()
    mfcc = lines[0].split(",").index("mfcc")
    for line, value in ((4, ""), (5, "nan")):
        cells = lines[line].split(",")
        lines[line] = ",".join([*cells[:mfcc], value, *cells[mfcc + 1 :]])
    lines[7] = lines[7][:3000]
    few.write_text("\n".join(lines))
    told: dict[str, str] = {}
    table = read_features(few, told.__setitem__)
    assert table.track_ids.tolist() == [4]
    assert "could not convert" in told["track 2"]
    assert told["track 3"] == "a statistic is not finite"
    assert "columns in place of 519" in told["track 5"]


def test_a_table_without_a_column_is_refused(few: Path) -> None:
    few.write_text(few.read_text().replace("kurtosis", "variance"))
    with pytest.raises(TableError, match="20 columns are missing, as mfcc kurtosis 01"):
        read_features(few)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"feature,\xff\xfe\n"])
def test_a_file_that_is_another_is_refused(few: Path, content: bytes) -> None:
    few.write_bytes(content)
    with pytest.raises(TableError) as refusal:
        read_features(few)
    assert refusal.value.code == "table-format"


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError) as refusal:
        read_features(tmp_path / "features.csv")
    assert refusal.value.code == "table-missing"


def test_a_stored_table_is_the_same_again(few: Path, tmp_path: Path) -> None:
    table, path = read_features(few), tmp_path / "mfcc.npz"
    table.save(path)
    again = MfccTable.load(path)
    assert np.array_equal(again.track_ids, table.track_ids)
    assert np.array_equal(again.statistics, table.statistics)
    assert list(tmp_path.glob("*.part")) == []


def test_a_stored_table_of_another_width_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mfcc.npz"
    np.savez(path, track_ids=np.arange(3), statistics=np.zeros((3, 7)))
    with pytest.raises(TableError, match=r"shape \(3, 7\)"):
        MfccTable.load(path)


def test_the_first_system_is_trained_from_the_shell_on_the_table(
    features: Path, tmp_path: Path
) -> None:
    stored, out = tmp_path / "mfcc.npz", tmp_path / "original.npz"
    read_features(features).save(stored)
    ended = _train(stored, out)
    assert ended.returncode == 0, ended.stderr[-2000:]
    model = OriginalModel.load(out)
    assert set(model.history) == {"loss", "reconstruction_loss", "vqvae_loss"}
    assert all(len(losses) == 2 for losses in model.history.values())
    assert np.isfinite(list(model.history.values())).all()
    assert not model.scaled  # as the first system was


def test_a_file_that_is_no_table_is_refused_by_the_training_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mfcc.npz").write_bytes(b"nothing of the kind")
    ended = _train(tmp_path / "mfcc.npz", tmp_path / "original.npz")
    assert ended.returncode == 1
    assert "mfcc.npz is no table" in ended.stderr


def _train(table: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml.train", str(table), str(out)]
    options = ["--config", "original", "--epochs", "2"]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)
