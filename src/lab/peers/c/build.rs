//! Builds the peers in C, if the feature `c-peers` is on; otherwise does nothing.

fn main() {
    println!("cargo::rerun-if-changed=src/lab/peers/c");
    #[cfg(feature = "c-peers")]
    peers::build();
}

#[cfg(feature = "c-peers")]
mod peers {
    use std::path::Path;

    const DIR: &str = "src/lab/peers/c";
    const LIBRARIES: [&str; 5] = ["urcu-memb", "urcu-mb", "urcu-qsbr", "urcu-bp", "ck"];
    const PEERS: [&str; 13] = [
        "c_raw",
        "pthread_rwlock",
        "pthread_rwlock_writer",
        "urcu_memb",
        "urcu_mb",
        "urcu_qsbr",
        "urcu_bp",
        "ck_brlock",
        "ck_bytelock",
        "ck_rwlock",
        "ck_pflock",
        "ck_epoch",
        "ck_sequence",
    ];

    pub(super) fn build() {
        let file = |name: &str| Path::new(DIR).join(name).with_extension("c");
        let probe = cc::Build::new()
            .cargo_warnings(false)
            .file(file("headers"))
            .try_expand();
        if probe.is_err() {
            println!(
                "cargo::error=c-peers needs liburcu-dev and libck-dev: apt install liburcu-dev libck-dev"
            );
            return;
        }
        // Optimised whatever the profile: a peer in C is to be measured as its users build it.
        let built = cc::Build::new()
            .files(PEERS.map(file))
            .opt_level(2)
            .flag("-std=gnu11")
            .try_compile("ptom_peers");
        if let Err(error) = built {
            println!("cargo::error=c-peers cannot be built: {error}");
            return;
        }
        for library in LIBRARIES {
            println!("cargo::rustc-link-lib=dylib={library}");
        }
    }
}
