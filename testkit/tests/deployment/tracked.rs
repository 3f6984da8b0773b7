//! The tracked tables against a freshly migrated database, both ways.

use std::collections::{BTreeMap, BTreeSet};

use testkit::TestDatabase;

use crate::files::{list, path, string, yaml};
use crate::metadata::{self, SCHEMA, Tracked, expanded};

/// What no anonymous user sees, table by table: who leads, and what the market sent verbatim.
const WITHHELD: &[(&str, &str)] = &[("leaders", "*"), ("rejections", "frame")];

/// Where counting everything would read a table that only grows.
const LARGE: &[&str] = &["transactions", "vwap_history", "feed_faults", "feed_fault_damage", "unplaced_trades"];

/// Tables and views of the schema, and their columns with their types. The
/// migrations' own table and the history's partitions are nobody's business.
pub async fn columns(database: &TestDatabase) -> BTreeMap<String, BTreeMap<String, String>> {
    let sql = "
        select relation.relname, attribute.attname, format_type(attribute.atttypid, null)
        from pg_class as relation
        join pg_namespace as namespace on namespace.oid = relation.relnamespace
        join pg_attribute as attribute on attribute.attrelid = relation.oid
        where namespace.nspname = $1 and relation.relkind in ('r', 'p', 'v', 'm', 'f') and not relation.relispartition
            and attribute.attnum > 0 and not attribute.attisdropped
            and relation.relname <> 'refinery_schema_history'";
    let rows = database.client().await.query(sql, &[&SCHEMA]).await.expect("the catalog answers");
    let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in &rows {
        tables.entry(row.get(0)).or_default().insert(row.get(1), row.get(2));
    }
    tables
}

#[tokio::test]
async fn every_table_and_view_of_the_migrated_schema_is_tracked_and_nothing_else() {
    let database = testkit::database().await;
    let there: BTreeSet<String> = columns(&database).await.into_keys().collect();

    let tracked: Vec<String> = metadata::tables().iter().map(|table| table.name().to_owned()).collect();

    assert_eq!(tracked.iter().cloned().collect::<BTreeSet<_>>(), there);
    assert_eq!(tracked.len(), there.len(), "each once");
}

#[tokio::test]
async fn every_column_is_shown_to_anonymous_or_withheld_on_purpose() {
    let database = testkit::database().await;
    let there = columns(&database).await;

    for table in metadata::tables() {
        let name = table.name();
        let is_withheld = |column: &&String| WITHHELD.contains(&(name, column.as_str()));
        if WITHHELD.contains(&(name, "*")) {
            assert!(table.permission().is_none(), "{name} is withheld");
            continue;
        }
        let shown = table.permission().unwrap_or_else(|| panic!("{name} has no permission")).columns;
        let expected: BTreeSet<&String> = there[name].keys().filter(|column| !is_withheld(column)).collect();
        assert_eq!(shown.iter().collect::<BTreeSet<_>>(), expected, "{name}");
        assert_eq!(shown.len(), expected.len(), "{name}: each once");
    }
}

#[test]
fn anonymous_users_only_select_and_never_without_a_limit() {
    let known = ["table", "object_relationships", "array_relationships", "select_permissions"];
    for table in metadata::tables() {
        let others: Vec<&String> = table.keys().filter(|key| !known.contains(&key.as_str())).collect();
        assert!(others.is_empty(), "{}: {others:?}", table.name());
        let Some(permission) = table.permission() else { continue };
        assert!((1..=1000).contains(&permission.limit), "{}", table.name());
        let is_large = LARGE.contains(&table.name());
        assert!(!(is_large && permission.allows_aggregations), "{} is too large to be counted", table.name());
    }
}

#[tokio::test]
async fn relationships_join_columns_that_exist_and_have_one_type() {
    let database = testkit::database().await;
    let there = columns(&database).await;

    for table in metadata::tables() {
        let mut names = BTreeSet::new();
        for relationship in table.relationships() {
            let what = format!("{}.{}", table.name(), relationship.name);
            assert!(names.insert(relationship.name.clone()), "{what} is there twice");
            assert!(!there[table.name()].contains_key(&relationship.name), "{what} has a column's name");
            let remote = there.get(&relationship.remote).unwrap_or_else(|| panic!("{what} leads nowhere"));
            for (ours, theirs) in &relationship.columns {
                let our_type = there[table.name()].get(ours);
                assert!(our_type.is_some(), "{what}: no column {ours}");
                assert_eq!(our_type, remote.get(theirs), "{what}: {ours} to {theirs}");
            }
        }
    }
}

#[tokio::test]
async fn an_object_relationship_finds_at_most_one_row() {
    let database = testkit::database().await;
    let client = database.client().await;
    let sql = "
        select index.indrelid::regclass::text, array_agg(attribute.attname::text order by attribute.attname)
        from pg_index as index
        join pg_attribute as attribute on attribute.attrelid = index.indrelid and attribute.attnum = any(index.indkey)
        where index.indisunique
        group by index.indexrelid, index.indrelid";
    let rows = client.query(sql, &[]).await.expect("the catalog answers");
    let unique: Vec<(String, Vec<String>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();

    let tables: Vec<Tracked> = metadata::tables();
    let objects =
        tables.iter().flat_map(|table| table.relationships().into_iter().map(move |found| (table.name(), found)));
    for (table, relationship) in objects.filter(|(_, relationship)| !relationship.is_array) {
        let columns: BTreeSet<&String> = relationship.columns.iter().map(|(_, theirs)| theirs).collect();
        let has_key = unique
            .iter()
            .any(|(name, key)| *name == relationship.remote && key.iter().collect::<BTreeSet<_>>() == columns);
        assert!(has_key, "{table}.{} may find several rows of {}", relationship.name, relationship.remote);
    }
}

#[test]
fn the_metadata_is_laid_out_as_version_three_wants_it() {
    assert_eq!(yaml("hasura/config.yaml")["version"].as_u64(), Some(3));
    assert_eq!(yaml("hasura/config.yaml")["metadata_directory"], "metadata");
    assert_eq!(expanded("version.yaml")["version"].as_u64(), Some(3));
    let source = &expanded("databases/databases.yaml")[0];
    assert_eq!((&source["name"], &source["kind"]), (&"default".into(), &"postgres".into()));
    // Everything Hasura's tool writes when it exports; what it finds absent it may complain about.
    for name in ["actions.graphql", "actions.yaml", "cron_triggers.yaml", "remote_schemas.yaml", "inherited_roles.yaml"]
    {
        assert!(path("hasura/metadata").join(name).exists(), "{name}");
    }
    let collections = expanded("query_collections.yaml");
    for allowed in list(&expanded("allow_list.yaml")) {
        let name = string(&allowed["collection"], "a collection");
        assert!(list(&collections).iter().any(|collection| collection["name"] == name), "{name}");
    }
}
