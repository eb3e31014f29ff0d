//! `schema.sql` is the end state of `migrations/`, and every statement of the store fits it.

use std::path::Path;

use rusqlite::Connection;

/// What a database looks like, whatever the spacing, comments and quotes of the statements that made it.
fn shape(database: &Connection) -> Vec<(String, String, String)> {
    let mut statement =
        database.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))).unwrap();
    rows.map(Result::unwrap).map(|(kind, name, sql)| (kind, name, normalised(&sql))).collect()
}

fn normalised(sql: &str) -> String {
    let bare: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    bare.join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" ,", ",")
        .replace(" )", ")")
        .replace('"', "")
}

fn migrated() -> Connection {
    let database = Connection::open_in_memory().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for (index, file) in files.iter().enumerate() {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name} is not the next number");
        database.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
    }
    database
}

#[test]
fn the_schema_is_the_end_state_of_the_migrations() {
    let described = Connection::open_in_memory().unwrap();
    described.execute_batch(include_str!("../../schema.sql")).unwrap();
    assert_eq!(shape(&described), shape(&migrated()));
}

#[test]
fn every_statement_of_the_store_fits_the_schema() {
    let database = migrated();
    // wrangler and the local hub keep this table beside ours.
    database.execute_batch("CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT)").unwrap();
    let sources = [
        include_str!("mod.rs"),
        include_str!("allowed.rs"),
        include_str!("audit.rs"),
        include_str!("counts.rs"),
        include_str!("github.rs"),
        include_str!("people.rs"),
        include_str!("device.rs"),
        include_str!("keys.rs"),
        include_str!("links.rs"),
        include_str!("sign_ins.rs"),
        include_str!("tokens.rs"),
    ];
    let mut count = 0;
    for statement in sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2)) {
        if ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| statement.starts_with(verb)) {
            database.prepare(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} statements found: has the form of the store changed?");
}
