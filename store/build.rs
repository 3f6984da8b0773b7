//! Migrations are compiled in; cargo must rebuild when one is added.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
