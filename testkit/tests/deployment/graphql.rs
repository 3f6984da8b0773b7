//! The saved queries and their REST endpoints, against tables and permissions.

use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::query::{
    Definition, Field, OperationDefinition, Query, Selection, SelectionSet, Type, Value, parse_query,
};

use crate::files::{list, string};
use crate::metadata::{self, SCHEMA, Tracked, expanded};
use crate::tracked::columns;

/// What a query may touch: the tables as anonymous users see them.
struct Schema {
    tables: Vec<Tracked>,
    types: BTreeMap<String, BTreeMap<String, String>>,
}

fn saved_queries() -> BTreeMap<String, String> {
    let collections = expanded("query_collections.yaml");
    let queries = list(&collections).iter().flat_map(|collection| list(&collection["definition"]["queries"]));
    let pairs = queries
        .map(|query| (string(&query["name"], "a name").to_owned(), string(&query["query"], "a query").to_owned()));
    pairs.collect()
}

fn parsed(text: &str) -> Query<'static, String> {
    let document = parse_query::<String>(text).unwrap_or_else(|error| panic!("{text}: {error}")).into_static();
    let mut definitions = document.definitions.into_iter();
    match (definitions.next(), definitions.next()) {
        (Some(Definition::Operation(OperationDefinition::Query(query))), None) => query,
        other => panic!("one query expected, got {other:?}"),
    }
}

#[tokio::test]
async fn every_saved_query_asks_for_what_anonymous_users_may_see() {
    let database = testkit::database().await;
    let schema = Schema { tables: metadata::tables(), types: columns(&database).await };
    let queries = saved_queries();
    assert!(!queries.is_empty());

    for (name, text) in &queries {
        let query = parsed(text);
        assert_eq!(query.name.as_deref(), Some(name.as_str()));
        let types: BTreeMap<String, String> = query
            .variable_definitions
            .iter()
            .map(|variable| (variable.name.clone(), type_name(&variable.var_type)))
            .collect();
        for field in fields(&query.selection_set) {
            let table =
                field.name.strip_prefix(&format!("{SCHEMA}_")).unwrap_or_else(|| panic!("{name}: {}", field.name));
            schema.check_field(table, field, &types);
        }
    }
}

impl Schema {
    fn table(&self, name: &str) -> &Tracked {
        self.tables.iter().find(|table| table.name() == name).unwrap_or_else(|| panic!("no table {name}"))
    }

    /// A field whose value is rows of the table.
    fn check_field(&self, table: &str, field: &Field<'static, String>, variables: &BTreeMap<String, String>) {
        for (argument, value) in &field.arguments {
            match argument.as_str() {
                "where" => self.check_where(table, value, variables),
                "order_by" => keys(value).iter().for_each(|column| self.check_column(table, column)),
                "limit" | "offset" => {}
                other => panic!("{table}: {other} is no argument we know"),
            }
        }
        self.check_selection(table, &field.selection_set, variables);
    }

    fn check_selection(
        &self,
        table: &str,
        selection: &SelectionSet<'static, String>,
        variables: &BTreeMap<String, String>,
    ) {
        let relationships = self.table(table).relationships();
        for field in fields(selection) {
            let related = |name: &str| relationships.iter().find(|relationship| relationship.name == name);
            if let Some(relationship) = related(&field.name) {
                self.check_field(&relationship.remote, field, variables);
            } else if let Some(relationship) = field.name.strip_suffix("_aggregate").and_then(related) {
                let permission = self.table(&relationship.remote).permission();
                assert!(
                    relationship.is_array && permission.is_some_and(|given| given.allows_aggregations),
                    "{}",
                    field.name
                );
            } else {
                self.check_column(table, &field.name);
            }
        }
    }

    fn check_column(&self, table: &str, column: &str) {
        let permission = self.table(table).permission().unwrap_or_else(|| panic!("{table} is withheld"));
        assert!(permission.columns.iter().any(|shown| shown == column), "{table} shows no {column}");
    }

    /// A condition: the columns are shown, and variables have their types.
    fn check_where(&self, table: &str, value: &Value<'static, String>, variables: &BTreeMap<String, String>) {
        let Value::Object(conditions) = value else { panic!("{table}: {value}") };
        for (column, condition) in conditions {
            self.check_column(table, column);
            let Value::Object(comparisons) = condition else { panic!("{table}.{column}: {condition}") };
            for (operator, operand) in comparisons {
                assert!(["_eq", "_gt", "_gte", "_lt", "_lte"].contains(&operator.as_str()), "{operator}");
                let Value::Variable(variable) = operand else { panic!("{table}.{column}: {operand}") };
                let expected = match self.types[table][column].as_str() {
                    "text" => "String!".to_owned(),
                    other => format!("{other}!"),
                };
                assert_eq!(variables.get(variable), Some(&expected), "{table}.{column} and ${variable}");
            }
        }
    }
}

#[test]
fn every_rest_endpoint_reads_a_saved_query_and_its_path_names_that_querys_variables() {
    let queries = saved_queries();
    let endpoints = expanded("rest_endpoints.yaml");
    let mut urls = BTreeSet::new();

    for endpoint in list(&endpoints) {
        let name = string(&endpoint["definition"]["query"]["query_name"], "a query's name");
        let query = parsed(queries.get(name).unwrap_or_else(|| panic!("no saved query {name}")));
        let url = string(&endpoint["url"], "a path");
        assert!(urls.insert(url), "{url} is there twice");
        assert_eq!(list(&endpoint["methods"]), ["GET"]);
        for segment in url.split('/').filter_map(|segment| segment.strip_prefix(':')) {
            assert!(query.variable_definitions.iter().any(|variable| variable.name == segment), "{url}: {segment}");
        }
    }
    assert_eq!(urls.len(), queries.len(), "every saved query has its endpoint");
}

fn fields<'a>(selection: &'a SelectionSet<'static, String>) -> impl Iterator<Item = &'a Field<'static, String>> {
    selection.items.iter().map(|item| match item {
        Selection::Field(field) => field,
        other => panic!("no fragments here: {other:?}"),
    })
}

fn keys(value: &Value<'static, String>) -> Vec<String> {
    match value {
        Value::Object(entries) => entries.keys().cloned().collect(),
        other => panic!("an object expected, got {other}"),
    }
}

fn type_name(of: &Type<'static, String>) -> String {
    of.to_string()
}
