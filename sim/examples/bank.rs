//! A bank on a cluster: an application, clients and a property of a user's own, under everything that the simulator does.
//!
//! `cargo run -p sim --example bank -- --seed 1` runs a seed. With `--flaw` a snapshot forgets the transfers that are under way:
//! of twenty seeds from there on, the shortest failure is made short and told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use bytes::Bytes;
use sim::application::{Application, Request};
use sim::campaign::explore::{Exploration, Unwatched as Ignored, explore_in};
use sim::driver::swarm::run_to_end_in;
use sim::explain::{Unwatched, fails_sooner_in, from_trace_in, shrink_in};
use sim::history::Operation;
use sim::invariant::About;
use sim::plan::{Overrides, Plan};
use sim::random::Stream;
use sim::trace::{Ending, Header, Trace};
use sim::world::{Client, Contradiction, Property, Seen, Setup, World};

const ACCOUNTS: u64 = 4;
const OPENING: u64 = 100;

/// The accounts, and the transfers that have left one of them and have not arrived at another.
#[derive(Clone, Debug)]
pub struct Bank {
    accounts: BTreeMap<u64, u64>,
    /// For each client its transfer: how much, and to which account.
    under_way: BTreeMap<u64, (u64, u64)>,
    /// Whether snapshots forget the transfers that are under way.
    flaw: bool,
}

impl Bank {
    /// A bank with its opening balances.
    pub fn new(flaw: bool) -> Self {
        let accounts = (0..ACCOUNTS).map(|account| (account, OPENING)).collect();
        Self { accounts, under_way: BTreeMap::new(), flaw }
    }

    /// All money there is.
    fn total(&self) -> u64 {
        self.accounts.values().sum::<u64>() + self.under_way.values().map(|(amount, _)| amount).sum::<u64>()
    }

    /// Money leaves an account, or what a client has sent arrives.
    fn act(&mut self, client: u64, words: &[&str]) -> Option<String> {
        match words {
            ["send", amount, "from", from, "to", to] => {
                let [amount, from, to] = numbers([amount, from, to])?;
                let account = self.accounts.get_mut(&from).filter(|held| **held >= amount && to < ACCOUNTS)?;
                if self.under_way.contains_key(&client) {
                    return None;
                }
                *account -= amount;
                self.under_way.insert(client, (amount, to));
                Some(format!("{amount} left"))
            }
            ["receive"] => {
                let (amount, to) = self.under_way.remove(&client)?;
                *self.accounts.entry(to).or_default() += amount;
                Some(format!("{amount} arrived"))
            }
            _ => None,
        }
    }
}

impl Application for Bank {
    fn apply(&mut self, request: &Request<'_>) -> Bytes {
        let text = String::from_utf8_lossy(request.data);
        let words: Vec<&str> = text.split(' ').collect();
        self.act(request.client, &words).unwrap_or_else(|| "refused".to_owned()).into()
    }

    fn query(&self, question: &[u8]) -> Bytes {
        let account = std::str::from_utf8(question).ok().and_then(|text| text.strip_prefix("account ")?.parse().ok());
        account.and_then(|account: u64| self.accounts.get(&account)).map_or(0, |held| *held).to_string().into()
    }

    /// A line for each account, and for each transfer.
    fn snapshot(&self) -> Bytes {
        let mut text = String::new();
        for (account, held) in &self.accounts {
            write!(text, "account {account} {held};").expect("text grows");
        }
        for (client, (amount, to)) in self.under_way.iter().filter(|_| !self.flaw) {
            write!(text, "transfer {client} {amount} {to};").expect("text grows");
        }
        text.into()
    }

    fn restore(&mut self, snapshot: &[u8]) {
        let text = String::from_utf8_lossy(snapshot);
        self.accounts.clear();
        self.under_way.clear();
        for line in text.split(';') {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["account", account, held] => {
                    self.accounts.extend(numbers([account, held]).map(|[account, held]| (account, held)));
                }
                ["transfer", client, amount, to] => {
                    let transfer = numbers([client, amount, to]);
                    self.under_way.extend(transfer.map(|[client, amount, to]| (client, (amount, to))));
                }
                _ => {}
            }
        }
    }
}

fn numbers<const N: usize>(words: [&str; N]) -> Option<[u64; N]> {
    words.map(|word| word.parse().ok()).into_iter().collect::<Option<Vec<u64>>>()?.try_into().ok()
}

/// Customers: they send money, receive what they sent, and look at accounts.
#[derive(Debug)]
pub struct Customers;

impl Client for Customers {
    fn draw(&self, _: u64, stream: &mut Stream) -> Operation {
        let [from, to] = [(); 2].map(|()| stream.below(ACCOUNTS));
        match stream.below(8) {
            0 => Operation::Query { data: format!("account {from}").into() },
            1 | 2 => Operation::Request { data: "receive".into() },
            _ => {
                let amount = stream.between(1, OPENING / 4);
                Operation::Request { data: format!("send {amount} from {from} to {to}").into() }
            }
        }
    }
}

/// On every node there is as much money as at the beginning.
#[derive(Clone, Debug)]
pub struct MoneyIsKept;

impl Property for MoneyIsKept {
    fn about(&self) -> &'static About {
        &About { name: "money-is-kept", meaning: "money is neither made nor lost.", source: "the rules of the bank" }
    }

    fn check(&mut self, seen: &Seen<'_>) -> Result<(), Contradiction> {
        let Some(replica) = seen.node.and_then(|node| seen.world.replica(node)) else { return Ok(()) };
        let Some(bank) = replica.state_machine().and_then(|machine| machine.application::<Bank>()) else {
            return Ok(());
        };
        let (id, total, expected) = (replica.id(), bank.total(), ACCOUNTS * OPENING);
        match total == expected {
            true => Ok(()),
            false => Err(Contradiction::of([id], format!("node {id} has {total} in all; expected {expected}"))),
        }
    }
}

/// A world of nodes that keep this bank.
pub fn world(flaw: bool) -> World {
    World::with(Setup::new().application(Bank::new(flaw)).client(Customers).property(MoneyIsKept))
}

/// The run of a seed.
pub fn run(world: &World, seed: u64) -> Trace {
    let plan = Plan::draw(seed, &Overrides::default());
    let mut events = Vec::new();
    let (_, ending) = run_to_end_in(world, &plan, |event| events.push(event.clone()));
    let plan = serde_json::to_value(&plan).expect("a plan has a JSON form");
    Trace { header: Header { plan, ..Header::new(Some(seed)) }, events, ending }
}

/// Of what the runs of a few seeds from this one on break, what comes down to the fewest events: as it was, made short, and told.
pub fn found(world: &World, seed: u64) -> Option<(Trace, Trace, String)> {
    let explored = explore_in(world, &Exploration::of(seed..seed + 100), &mut Ignored).ok()?;
    let failures = explored.broken.values().flat_map(|broken| &broken.shortest);
    let told = failures.filter_map(|failure| {
        let long = run(world, failure.seed);
        let sooner = fails_sooner_in(world, &long).unwrap_or_else(|| long.clone());
        let short = shrink_in(world, &sooner, 0, &mut Unwatched).ok()?;
        let scenario = from_trace_in(world, &short).ok()?;
        Some((long, short, scenario))
    });
    told.min_by_key(|(_, short, _)| short.events.len())
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let seed = arguments.iter().skip_while(|argument| *argument != "--seed").nth(1);
    let seed = seed.map_or(Ok(1), |seed| seed.parse())?;
    let flaw = arguments.iter().any(|argument| argument == "--flaw");
    let world = world(flaw);
    let found = flaw.then(|| found(&world, seed)).flatten();
    let trace = found.as_ref().map_or_else(|| run(&world, seed), |(long, ..)| long.clone());
    println!("seed {}, {} events: {}", trace.header.seed.unwrap_or(seed), trace.events.len(), trace.ending);
    let Ending::Violation(violation) = &trace.ending else { return Ok(ExitCode::SUCCESS) };
    println!("{}: {} From {}.", violation.invariant, violation.invariant.meaning(), violation.invariant.source());
    if let Some((_, short, scenario)) = found {
        println!("\nshrunk to {} events: {}\n\n{scenario}", short.events.len(), short.ending);
    }
    Ok(ExitCode::FAILURE)
}
