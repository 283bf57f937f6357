import pytest

from stateful.compare.programs import find_programs
from tests.stateful.compare.programs import write


def test_a_folder_of_lessons_and_a_folder_of_files(tmp_path):
    for name in ("b", "a"):
        write(tmp_path / "lessons" / name / "torch_style.py", "")
    write(tmp_path / "lessons" / "a" / "functional.py", "")
    write(tmp_path / "files" / "one.py", "first\n  second\n")
    lessons = find_programs([tmp_path / "lessons"])
    assert [(one.name, one.twin is not None) for one in lessons] == [("a", True), ("b", False)]
    (one,) = find_programs([tmp_path / "files", tmp_path / "files" / "one.py"])
    assert one.name == "one" and one.source_line(2) == "second" and one.source_line(9) == ""


def test_nothing_to_compare_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        find_programs([tmp_path / "nowhere"])
    with pytest.raises(FileNotFoundError, match="torch_style.py"):
        find_programs([tmp_path])
