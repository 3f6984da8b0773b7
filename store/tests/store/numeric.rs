//! Our numbers against Postgres' own idea of them.

use ethnum::U256;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use store::Numeric;
use tape::Fixed;
use testkit::{database, price, quantity};

/// Both ways through Postgres: as text there, and back as a number here.
async fn round_trip<const SCALE: u32>(client: &tokio_postgres::Client, units: U256) {
    let fixed = Fixed::<SCALE>::from_units(units);
    let row = client
        .query_one("select $1::numeric, ($1::numeric)::text, $2::text::numeric", &[&Numeric(fixed), &fixed.to_string()])
        .await
        .expect("a row");
    assert_eq!(row.get::<_, String>(1), fixed.to_string(), "as Postgres prints it");
    assert_eq!(row.get::<_, Numeric<SCALE>>(0).0, fixed, "as we sent it");
    assert_eq!(row.get::<_, Numeric<SCALE>>(2).0, fixed, "as Postgres read it");
}

#[tokio::test]
async fn every_number_means_the_same_to_us_and_to_postgres() {
    let database = database().await;
    let client = database.client().await;
    let mut runner = TestRunner::deterministic();
    let any_units =
        (any::<u128>(), any::<u128>(), 0u32..256).prop_map(|(high, low, shift)| U256::from_words(high, low) >> shift);
    for _ in 0..300 {
        let units = any_units.new_tree(&mut runner).expect("a value").current();
        round_trip::<0>(&client, units).await;
        round_trip::<18>(&client, units).await;
        round_trip::<24>(&client, units).await;
        round_trip::<36>(&client, units).await;
    }
    for units in [U256::ZERO, U256::ONE, U256::MAX, U256::new(10_000), U256::new(10u128.pow(36))] {
        round_trip::<18>(&client, units).await;
        round_trip::<36>(&client, units).await;
    }
}

#[tokio::test]
async fn what_postgres_holds_and_we_cannot_is_an_error_and_never_rounded() {
    let database = database().await;
    let client = database.client().await;
    for text in ["-1", "NaN", "Infinity", "0.0000000000000000001", "1e70"] {
        let row = client.query_one("select $1::text::numeric", &[&text]).await.expect("a row");
        assert!(row.try_get::<_, Numeric<18>>(0).is_err(), "{text}");
    }
    // Decimals that are all zeros are none.
    let row = client.query_one("select '1.50000000000000000000000000'::numeric", &[]).await.expect("a row");
    assert_eq!(row.get::<_, Numeric<18>>(0).0, Fixed::parse("1.5").expect("in range"));
}

#[tokio::test]
async fn prices_and_quantities_come_back_as_they_went() {
    let database = database().await;
    let client = database.client().await;
    for text in
        ["27000.12", "0.000000000000000001", "99999999999999", "1402000", "2E-7", "12345678901.12345678901234567"]
    {
        let (price, quantity) = (price(text), quantity(text));
        let row = client
            .query_one("select $1::numeric, $2::numeric", &[&Numeric::from(price), &Numeric::from(quantity)])
            .await
            .expect("a row");
        assert_eq!(row.get::<_, Numeric<18>>(0).price(), Ok(price));
        assert_eq!(row.get::<_, Numeric<18>>(1).quantity(), Ok(quantity));
    }
    let zero = client.query_one("select 0::numeric", &[]).await.expect("a row").get::<_, Numeric<18>>(0);
    assert!(zero.price().is_err(), "zero is no price");
}
