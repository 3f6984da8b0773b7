//! What Postgres keeps: every column of every table, as the catalog lists them.

use tokio_postgres::Client;

use super::rows::Rows;

/// Tables of no concern to who answers the engine: who leads, and what was migrated.
const ELSEWHERE: [&str; 2] = ["leaders", "refinery_schema_history"];

const TABLES: &str = "select relname::text from pg_class
    where relnamespace = 'crypto_market'::regnamespace and relkind in ('r', 'p') and not relispartition";

/// Identities are left out: what a rollback used up is nobody's business.
const COLUMNS: &str = "select attname::text, atttypid::regtype::text from pg_attribute
    where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attidentity = '' order by attname";

/// All rows of all tables.
pub async fn all(client: &Client) -> Rows {
    let mut rows = Rows::new();
    for table in client.query(TABLES, &[]).await.expect("a catalog") {
        let table: String = table.get(0);
        if ELSEWHERE.contains(&table.as_str()) {
            continue;
        }
        let mut columns = Vec::new();
        for column in client.query(COLUMNS, &[&table]).await.expect("a catalog") {
            let (name, kind): (String, String) = (column.get(0), column.get(1));
            columns.push(match kind.as_str() {
                "numeric" => format!("'{name}=' || trim_scale({name})"),
                "bytea" => format!("'{name}=' || encode({name}, 'hex')"),
                _ => format!("'{name}=' || {name}"),
            });
        }
        let sql = format!("select concat_ws(' ', {}) from {table}", columns.join(", "));
        let mut lines: Vec<String> =
            client.query(&sql, &[]).await.expect("rows").iter().map(|row| row.get(0)).collect();
        lines.sort();
        rows.insert(table, lines);
    }
    rows
}
