//! The hub against real SQLite, told as stories through small model peers, and as a randomised simulation of them.

mod common;
mod faults;
mod golden;
mod hostile;
mod hostile_instances;
mod rebuild;
mod simulation;
mod stories_audit;
mod stories_calls;
mod stories_driving;
mod stories_instances;
mod stories_links;
mod stories_prompts;
mod stories_shares;
mod stories_streams;
mod stories_visitors;
