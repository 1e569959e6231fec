//! Prints the numbers that cross between the core and JavaScript, as a module of TypeScript; with `batch` a batch with
//! every kind of record, as JSON.

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("batch") => print!("{}", switchboard_wasm::golden::batch()),
        _ => print!("{}", switchboard_wasm::contract::typescript()),
    }
}
