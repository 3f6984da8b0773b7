//! libFuzzer's entry: `FUZZ_TARGET` names the target, the arguments are
//! libFuzzer's. Without a name it lists the targets, each with its longest input.
#![no_main]

use std::sync::OnceLock;

use fuzz::{TARGETS, Target};

static CHOSEN: OnceLock<&Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        if name.is_empty() {
            for target in TARGETS {
                println!("{} {}", target.name, target.longest);
            }
            std::process::exit(0);
        }
        let target = Target::named(&name).unwrap_or_else(|| panic!("there is no target {name}"));
        CHOSEN.get_or_init(|| target);
    },
    |bytes: &[u8]| {
        let target = CHOSEN.get().expect("libFuzzer begins with the block above");
        (target.check)(bytes);
    }
);
