//! Holds a target's property for the bytes of files: `replay TARGET FILE…`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(target) = fuzz::Target::named(&name) else {
        let names: Vec<&str> = fuzz::TARGETS.iter().map(|target| target.name).collect();
        eprintln!("there is no target {name:?}; known are {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    for file in arguments {
        match std::fs::read(&file) {
            Ok(bytes) => (target.check)(&bytes),
            Err(error) => {
                eprintln!("could not read {file}: {error}");
                return ExitCode::FAILURE;
            }
        }
        println!("{name} holds for {file}");
    }
    ExitCode::SUCCESS
}
