//! Turns dist/assets.json (logical name to hashed URL, written by scripts/assets.mjs) into the constant `ASSETS` of
//! `$OUT_DIR/assets.rs`, for the templates. Without a manifest, in a plain `cargo test`, names map to themselves.
//! It must not fail for want of a build: native checks run before one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const MANIFEST: &str = "dist/assets.json";
const SOURCES: &str = "static";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={MANIFEST}");
    let assets = match fs::read_to_string(MANIFEST) {
        Ok(text) => parse_flat_object(&text),
        Err(_) => identity(Path::new(SOURCES)),
    };
    let mut code = String::from("pub const ASSETS: &[(&str, &str)] = &[\n");
    for (name, url) in &assets {
        writeln!(code, "    ({name:?}, {url:?}),").expect("writing to a String");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("assets.rs");
    fs::write(out, code).expect("OUT_DIR is writable");
}

/// The manifest is a flat JSON object of plain strings, one pair a line, as this project's own script writes it: no
/// escapes, so that splitting at quotes is a whole parser and the build needs no dependency.
fn parse_flat_object(text: &str) -> BTreeMap<String, String> {
    assert!(!text.contains('\\'), "{MANIFEST} has an escape, which no asset name needs");
    let strings: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    strings.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

fn identity(root: &Path) -> BTreeMap<String, String> {
    println!("cargo::rerun-if-changed={}", root.display());
    let mut assets = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(root) {
                let name = name.to_string_lossy().replace('\\', "/");
                assets.insert(name.clone(), format!("/static/{name}"));
            }
        }
    }
    assets
}
