//! Hasura's metadata with its includes expanded, as its tool reads it.

use std::path::Path;

use serde_json::{Map, Value};

use crate::files::{list, path, string};

/// The schema all tables are in; Hasura puts it before their names.
pub const SCHEMA: &str = "crypto_market";

/// A file of `hasura/metadata`, every `"!include other.yaml"` replaced by that file.
pub fn expanded(name: &str) -> Value {
    expand_file(&path("hasura/metadata").join(name))
}

fn expand_file(file: &Path) -> Value {
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("could not read {}: {error}", file.display()));
    let value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{} is no YAML: {error}", file.display()));
    expand(value, file.parent().expect("a file is in a folder"))
}

fn expand(value: Value, folder: &Path) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("!include ") {
            Some(other) => expand_file(&folder.join(other)),
            None => Value::String(text),
        },
        Value::Array(values) => values.into_iter().map(|value| expand(value, folder)).collect(),
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key, expand(value, folder)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// One table as Hasura tracks it.
pub struct Tracked(Value);

/// A relationship that is spelled out, as those of views must be.
pub struct Relationship {
    pub name: String,
    pub is_array: bool,
    pub remote: String,
    /// Our column, and theirs.
    pub columns: Vec<(String, String)>,
}

/// What the role `anonymous` may select.
pub struct Permission {
    pub columns: Vec<String>,
    pub limit: u64,
    pub allows_aggregations: bool,
}

/// Every tracked table of the only source.
pub fn tables() -> Vec<Tracked> {
    let sources = expanded("databases/databases.yaml");
    assert_eq!(list(&sources).len(), 1, "one source");
    list(&sources[0]["tables"]).iter().cloned().map(Tracked).collect()
}

impl Tracked {
    pub fn name(&self) -> &str {
        assert_eq!(self.0["table"]["schema"], SCHEMA);
        string(&self.0["table"]["name"], "a table's name")
    }

    /// Names of keys Hasura would not know, or that are not ours to set.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.as_object().expect("a table is an object").keys()
    }

    pub fn relationships(&self) -> Vec<Relationship> {
        let objects = list(&self.0["object_relationships"]).iter().map(|value| relationship(value, false));
        let arrays = list(&self.0["array_relationships"]).iter().map(|value| relationship(value, true));
        objects.chain(arrays).collect()
    }

    /// None when anonymous users do not see the table.
    pub fn permission(&self) -> Option<Permission> {
        let given = list(&self.0["select_permissions"]);
        assert!(given.len() <= 1, "{} has one role", self.name());
        let given = given.first()?;
        assert_eq!(given["role"], "anonymous");
        let permission = &given["permission"];
        assert_eq!(permission["filter"], Value::Object(Map::new()), "{}: a filter is there and empty", self.name());
        Some(Permission {
            columns: list(&permission["columns"]).iter().map(|column| string(column, "a column").to_owned()).collect(),
            limit: permission["limit"].as_u64().unwrap_or_else(|| panic!("{} has no row limit", self.name())),
            allows_aggregations: permission["allow_aggregations"].as_bool().unwrap_or(false),
        })
    }
}

fn relationship(value: &Value, is_array: bool) -> Relationship {
    let using = &value["using"]["manual_configuration"];
    assert_eq!(using["remote_table"]["schema"], SCHEMA);
    let columns = using["column_mapping"].as_object().expect("a mapping of columns");
    Relationship {
        name: string(&value["name"], "a relationship's name").to_owned(),
        is_array,
        remote: string(&using["remote_table"]["name"], "a remote table").to_owned(),
        columns: columns.iter().map(|(ours, theirs)| (ours.clone(), string(theirs, "a column").to_owned())).collect(),
    }
}
