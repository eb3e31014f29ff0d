//! Control messages of every direction: no text panics, and what decodes comes back from its own encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::control::{self, RunnerCommand, RunnerMessage, ViewerEvent, ViewerMessage};
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|text: &str| {
    comes_back(text, &RunnerMessage::Unknown);
    comes_back(text, &RunnerCommand::Unknown);
    comes_back(text, &ViewerMessage::Unknown);
    comes_back(text, &ViewerEvent::Unknown);
    if let Some(writer) = control::writer_from_text(text) {
        assert_eq!(control::writer_to_text(writer), text.to_ascii_lowercase());
    }
});

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str, unknown: &T) {
    let Ok(message) = control::decode::<T>(text) else { return };
    // A message of a newer version is never sent on.
    if message != *unknown {
        assert_eq!(control::decode::<T>(&control::encode(&message)), Ok(message));
    }
}
