//! Compiles the independent C loop into test builds with the feature `independent-loop`; does
//! nothing in any other build, which therefore needs no C compiler.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "independent-loop")]
    {
        println!("cargo::rerun-if-changed=tests/independent");
        cc::Build::new().file("tests/independent/loop.c").opt_level(2).compile("independent");
    }
}
