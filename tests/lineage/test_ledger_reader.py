"""Questions in SQL give the rows that the schema says, and see one state of the ledger."""

from __future__ import annotations

from medo1.lineage import ledger_reader, schema
from tests.lineage.tiny_project import TinyProject


def test_a_column_name_has_one_type_in_all_tables() -> None:
    """Rows are decoded by the names of their columns."""
    from sqlalchemy import JSON, Boolean

    kinds: dict[str, set[type | None]] = {}
    for table in schema.metadata.tables.values():
        for column in table.c if table is not schema.meta else ():
            kind = next((kind for kind in (JSON, Boolean) if isinstance(column.type, kind)), None)
            kinds.setdefault(column.name, set()).add(kind)
    assert [name for name, found in kinds.items() if len(found) > 1] == []


def test_rows_of_text_are_those_of_the_schema(project: TinyProject) -> None:
    from sqlalchemy import select

    project.run()
    ledger = project.ledger()
    values = [11, 0.5, True, "11", "text", [1, "a"], {"a": None}, None]  # SQLite keeps a bare number as a number
    with ledger.writing() as connection:
        first = dict(connection.execute(select(schema.input)).first()._mapping)
        rows = [{**first, "name": f"params:{place}", "detail": value} for place, value in enumerate(values)]
        connection.execute(schema.input.insert(), rows)
    with ledger.reading() as reader:
        query = "SELECT detail FROM input WHERE name IN (:names) ORDER BY name"
        names = [row["name"] for row in rows]
        assert [row["detail"] for row in reader.rows(query, names=names)] == values
        for table in schema.metadata.tables.values():
            if table is schema.meta:
                continue
            by_name = [dict(row._mapping) for row in reader.execute(select(table))]
            assert list(reader.rows(f"SELECT * FROM {table.name}")) == by_name
    ledger.close()


def test_a_reader_sees_one_state(project: TinyProject) -> None:
    from sqlalchemy import func, select

    project.run("learn")
    ledger = project.ledger()
    with ledger.reading() as reader:
        before = reader.value("SELECT count(*) FROM version")
        project.run("learn")
        assert reader.value("SELECT count(*) FROM version") == before
        assert reader.execute(select(func.count()).select_from(schema.version)).scalar() == before
    with ledger.reading() as reader:
        assert reader.value("SELECT count(*) FROM version") > before
    ledger.close()


def test_lists_stand_for_their_members_and_signs_of_patterns_for_themselves(project: TinyProject) -> None:
    run = project.run("learn")
    with project.ledger().reading() as reader:
        names = ["questions", "adapter", "none of it"]
        found = reader.rows("SELECT dataset FROM version WHERE dataset IN (:names) ORDER BY dataset", names=names)
        assert [row["dataset"] for row in found] == ["adapter", "questions"]
        begins = "SELECT id FROM run WHERE id LIKE :start ESCAPE '/'"
        assert reader.value(begins, start=ledger_reader.beginning(run[:9])) == run
        assert reader.value(begins, start=ledger_reader.beginning("2_")) is None
        assert reader.first("SELECT id FROM run WHERE id = :run", run="none") is None
