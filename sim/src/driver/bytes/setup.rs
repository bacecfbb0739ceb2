//! The first five bytes of the input, which say what the cluster is.
//!
//! A byte each: nodes that begin as members (1 to 5, modulo), nodes that join later (0 to 2), a bit for each of eight
//! options, a bit for each of five limits and one for joined appends, and how the members begin (bit 0: from a
//! snapshot, not from peers) and are run (bit 1: by loops; bit 2: with little room in their queues).

use std::collections::VecDeque;

use raft::node::Limits;
use raft::{ConfState, Config, Index, NodeId, ReadOnlyOption};

use super::choices::{Choices, node_id};
use crate::world::{Boot, Event, Front, NodeOptions, SeldomOn};

/// Little room.
const SMALL: Limits = Limits { proposals: 2, messages: 3, ticks: 2 };

/// The members start, and then those that join later.
pub(super) fn starts(choices: &mut Choices<'_>) -> VecDeque<Event> {
    let members = u64::from(choices.byte() % 5) + 1;
    let joining = u64::from(choices.byte() % 3);
    let options = options(choices.byte(), choices.byte());
    let form = choices.byte();
    let boot = boot(members, form & 1 == 1);
    let options = NodeOptions { front: front(form), ..options };
    let start = |number| {
        let boot = if number < members { boot.clone() } else { Boot::Empty };
        Event::Start { node: node_id(number), boot, options: options.clone(), seed: Some(number) }
    };
    (0..members + joining).map(start).collect()
}

fn boot(members: u64, from_snapshot: bool) -> Boot {
    let peers = (0..members).map(node_id);
    if from_snapshot {
        let conf_state = ConfState { voters: peers.collect(), ..ConfState::default() };
        Boot::Snapshot { index: Index(5), conf_state }
    } else {
        Boot::Peers(peers.collect::<Vec<NodeId>>())
    }
}

fn options(bits: u8, limits: u8) -> NodeOptions {
    let option = |bit: u8| bits >> bit & 1 == 1;
    let limit = |bit: u8, small: u64| if limits >> bit & 1 == 1 { small } else { Config::NO_LIMIT };
    let check_quorum = option(1);
    NodeOptions {
        async_storage_writes: option(0),
        check_quorum,
        pre_vote: option(2),
        read_only_option: if option(3) && check_quorum { ReadOnlyOption::LeaseBased } else { ReadOnlyOption::Safe },
        disable_proposal_forwarding: option(4),
        step_down_on_removal: option(5),
        election_tick: if option(6) { 3 } else { 10 },
        max_size_per_message: if option(7) { 0 } else { limit(0, 100) },
        max_committed_size_per_ready: limit(1, 50),
        max_uncommitted_size: limit(2, 100),
        max_inflight_messages: if limits >> 3 & 1 == 1 { 1 } else { 8 },
        max_inflight_bytes: limit(4, 200),
        batch_append: SeldomOn(limits >> 5 & 1 == 1),
        ..NodeOptions::default()
    }
}

fn front(form: u8) -> Front {
    match form >> 1 & 3 {
        0 | 2 => Front::Raw,
        1 => Front::Loop(Limits::default()),
        _ => Front::Loop(SMALL),
    }
}

/// The bits of the last byte from which [`starts`] makes nearly the same way to run nodes.
pub(super) fn front_bits(options: &NodeOptions) -> u8 {
    match options.front {
        Front::Raw => 0,
        Front::Loop(limits) => (1 | u8::from(limits.messages < 100) << 1) << 1,
    }
}

/// The byte from which [`starts`] makes options like these.
pub(super) fn option_bits(options: &NodeOptions) -> u8 {
    let bits = [
        options.async_storage_writes,
        options.check_quorum,
        options.pre_vote,
        options.read_only_option == ReadOnlyOption::LeaseBased,
        options.disable_proposal_forwarding,
        options.step_down_on_removal,
        options.election_tick < 10,
        options.max_size_per_message == 0,
    ];
    bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))
}
