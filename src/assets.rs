//! Addresses of static files, by their logical names. The build writes them with a hash of the content in the name, so
//! that browsers may keep them for ever.

mod generated {
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}

use generated::ASSETS;

/// The address of a file: `app.css` to `/static/app.<hash>.css`. An unknown name maps below `/static`, and is then a 404
/// that a test of the pages sees.
pub fn url(name: &str) -> String {
    // Names are sorted by the build's BTreeMap.
    match ASSETS.binary_search_by_key(&name, |(known, _)| known) {
        Ok(index) => ASSETS.get(index).map_or_else(String::new, |(_, url)| (*url).to_owned()),
        Err(_) => format!("/static/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found() {
        assert!(ASSETS.is_sorted_by_key(|(name, _)| *name));
        for (name, address) in ASSETS {
            assert_eq!(&url(name), address);
        }
        assert_eq!(url("no such file"), "/static/no such file");
    }
}
