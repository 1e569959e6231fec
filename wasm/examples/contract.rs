//! Prints the numbers that cross between the core and JavaScript, as a module of TypeScript.

fn main() {
    print!("{}", switchboard_wasm::contract::typescript());
}
