"""The ledger is read without SQLAlchemy as it is read with it."""

from __future__ import annotations

from medo1.lineage import reading, schema
from tests.lineage.tiny_project import TinyProject


def test_the_columns_that_are_decoded_are_those_of_the_schema() -> None:
    from sqlalchemy import JSON, Boolean

    columns = [column for table in schema.metadata.tables.values() for column in table.c if table is not schema.meta]
    for kind, names in ((JSON, reading.JSON_COLUMNS), (Boolean, reading.BOOLEAN_COLUMNS)):
        assert {column.name for column in columns if isinstance(column.type, kind)} == {*names}
        assert all(isinstance(column.type, kind) for column in columns if column.name in names)


def test_both_ways_give_the_same_rows(project: TinyProject) -> None:
    from sqlalchemy import select

    project.run()
    ledger = project.ledger()
    values = [11, 0.5, True, "11", "text", [1, "a"], {"a": None}, None]  # SQLite keeps a bare number as a number
    with ledger.writing() as connection:
        first = dict(connection.execute(select(schema.input)).first()._mapping)
        rows = [{**first, "name": f"params:{place}", "detail": value} for place, value in enumerate(values)]
        connection.execute(schema.input.insert(), rows)
    ledger.close()
    ledger = project.ledger()
    for _ in range(2):  # without SQLAlchemy's engine, then with it
        with ledger.reading() as reader:
            query = "SELECT detail FROM input WHERE name IN (:names) ORDER BY name"
            names = [row["name"] for row in rows]
            assert [row["detail"] for row in reader.rows(query, names=names)] == values
            for table in schema.metadata.tables.values():
                if table is schema.meta:
                    continue
                by_name = [dict(row._mapping) for row in reader.execute(select(table))]
                assert list(reader.rows(f"SELECT * FROM {table.name}")) == by_name
        with ledger.writing():
            pass
    ledger.close()


def test_a_reader_sees_one_state_both_ways(project: TinyProject) -> None:
    from sqlalchemy import func, select

    project.run("learn")
    ledger = project.ledger()
    for _ in range(2):  # without SQLAlchemy's engine, then with it
        with ledger.reading() as reader:
            before = reader.value("SELECT count(*) FROM version")
            project.run("learn")
            assert reader.value("SELECT count(*) FROM version") == before
            assert reader.execute(select(func.count()).select_from(schema.version)).scalar() == before
        with ledger.reading() as reader:
            assert reader.value("SELECT count(*) FROM version") > before
        with ledger.writing():
            pass
    ledger.close()


def test_lists_stand_for_their_members_and_signs_of_patterns_for_themselves(project: TinyProject) -> None:
    run = project.run("learn")
    with project.ledger().reading() as reader:
        names = ["questions", "adapter", "none of it"]
        found = reader.rows("SELECT dataset FROM version WHERE dataset IN (:names) ORDER BY dataset", names=names)
        assert [row["dataset"] for row in found] == ["adapter", "questions"]
        begins = "SELECT id FROM run WHERE id LIKE :start ESCAPE '/'"
        assert reader.value(begins, start=reading.beginning(run[:9])) == run
        assert reader.value(begins, start=reading.beginning("2_")) is None
        assert reader.first("SELECT id FROM run WHERE id = :run", run="none") is None
