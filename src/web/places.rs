//! Who gets a connection where there are not enough for all. Nobody is turned away at the door, because only a request
//! shows who comes: a newcomer takes the place of somebody else. Those who were let in have places of their own, which no
//! stranger takes; of the strangers, the one goes who comes from where most of them come from.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use tokio::sync::Notify;

/// Addresses that somebody came from who was let in; the latest are remembered.
const MOST_FAMILIAR: usize = 64;

/// The places of one server.
pub struct Places {
    most_strangers: usize,
    most_known: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last: u64,
    /// By number: the first is the oldest.
    taken: BTreeMap<u64, Taken>,
    familiar: VecDeque<IpAddr>,
}

struct Taken {
    address: IpAddr,
    /// What its last request showed, if that was somebody who was let in.
    known: Option<Arc<str>>,
    lost: Arc<Notify>,
}

/// A connection's place, among the extensions of its requests ([`shown_by`]). It is given back when the last of this is dropped.
pub struct Place {
    places: Arc<Places>,
    number: u64,
    address: IpAddr,
    lost: Arc<Notify>,
}

/// A site whose requests show whom their connections belong to: `who` says the name of those who were let in.
pub fn shown_by(site: Router, who: impl Fn(&HeaderMap) -> Option<Arc<str>> + Clone + Send + Sync + 'static) -> Router {
    site.layer(from_fn(move |request: Request, next: Next| {
        if let Some(place) = request.extensions().get::<Arc<Place>>() {
            place.belongs_to(who(request.headers()).as_deref());
        }
        next.run(request)
    }))
}

impl Places {
    /// So many for all strangers together, and so many for those who were let in.
    pub fn new(most_strangers: usize, most_known: usize) -> Arc<Places> {
        Arc::new(Places { most_strangers, most_known, table: Mutex::default() })
    }

    /// A place for a newcomer from this address, as a stranger. Another stranger may lose his for it.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Arc<Place> {
        let mut table = self.table();
        while table.count(false) >= self.most_strangers && table.cut_stranger() {}
        table.last += 1;
        let (number, lost) = (table.last, Arc::<Notify>::default());
        table.taken.insert(number, Taken { address, known: None, lost: Arc::clone(&lost) });
        Arc::new(Place { places: Arc::clone(self), number, address, lost })
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Says whom the last request of this connection came from: somebody of this name who was let in, or a stranger.
    pub fn belongs_to(&self, name: Option<&str>) {
        let mut table = self.places.table();
        if table.taken.get(&self.number).is_none_or(|taken| taken.known.as_deref() == name) {
            return;
        }
        if name.is_some() {
            while table.count(true) >= self.places.most_known && table.cut_known() {}
            table.has_seen(self.address);
        }
        // It may have been the one that was cut.
        if let Some(taken) = table.taken.get_mut(&self.number) {
            taken.known = name.map(Arc::from);
        }
    }

    /// Whether it is somebody else's by now.
    pub fn is_lost(&self) -> bool {
        !self.places.table().taken.contains_key(&self.number)
    }

    /// Returns when the place is somebody else's.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.table().taken.remove(&self.number);
    }
}

impl Table {
    fn count(&self, is_known: bool) -> usize {
        self.taken.values().filter(|taken| taken.known.is_some() == is_known).count()
    }

    /// Cuts off the oldest of those from where most come from: of the network, and in there of the address. Where nobody
    /// came from who was let in, they go first: who has many addresses keeps nobody from a place who comes from the usual
    /// one.
    fn cut_stranger(&mut self) -> bool {
        let group = |taken: &Taken| match self.familiar.contains(&taken.address) {
            true => (true, taken.address.to_canonical()),
            false => (false, prefix(taken.address)),
        };
        let strangers = || self.taken.iter().filter(|(_, taken)| taken.known.is_none());
        let first = oldest_of_most(strangers().map(|(number, taken)| (*number, group(taken))), |group| !group.0);
        let fullest = first.and_then(|number| self.taken.get(&number)).map(group);
        let inside = strangers().filter(|(_, taken)| Some(group(taken)) == fullest);
        let oldest = oldest_of_most(inside.map(|(number, taken)| (*number, taken.address)), |_| true);
        self.cut(oldest)
    }

    /// Cuts off the oldest of the name that has most.
    fn cut_known(&mut self) -> bool {
        let known = self.taken.iter().filter_map(|(number, taken)| Some((*number, taken.known.clone()?)));
        let oldest = oldest_of_most(known, |_| true);
        self.cut(oldest)
    }

    fn cut(&mut self, number: Option<u64>) -> bool {
        let taken = number.and_then(|number| self.taken.remove(&number));
        taken.inspect(|taken| taken.lost.notify_one()).is_some()
    }

    fn has_seen(&mut self, address: IpAddr) {
        self.familiar.retain(|known| *known != address);
        self.familiar.push_back(address);
        if self.familiar.len() > MOST_FAMILIAR {
            self.familiar.pop_front();
        }
    }
}

/// The first of the largest group; groups that go first come before larger ones.
fn oldest_of_most<G: std::hash::Hash + Eq>(
    all: impl Iterator<Item = (u64, G)>,
    goes_first: impl Fn(&G) -> bool,
) -> Option<u64> {
    let mut groups = HashMap::<G, (usize, u64)>::new();
    for (number, group) in all {
        groups.entry(group).or_insert((0, number)).0 += 1;
    }
    let rank = |(group, (count, oldest)): &(G, (usize, u64))| (goes_first(group), *count, u64::MAX - oldest);
    groups.into_iter().max_by_key(rank).map(|(_, (_, oldest))| oldest)
}

/// Who has one address of IPv6 has all of its network, unless that is the house's own: all its phones are in there.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(own) if own.is_unicast_link_local() || own.is_unique_local() => IpAddr::V6(own),
        address => prefix(address),
    }
}

/// The network of an address of IPv6; one of IPv4 stands for itself.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    fn has(place: &Arc<Place>) -> bool {
        !place.is_lost()
    }

    fn which(places: &[Arc<Place>]) -> Vec<bool> {
        places.iter().map(has).collect()
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_oldest_from_where_most_come_from() {
        let places = Places::new(4, 4);
        let taken: Vec<_> =
            ["10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.2"].iter().map(|from| places.enter(at(from))).collect();
        let newcomers: Vec<_> = (3..5).map(|host| places.enter(at(&format!("10.0.0.{host}")))).collect();
        assert_eq!(which(&taken), [true, false, false, true]);
        assert_eq!(which(&newcomers), [true, true]);
        drop(newcomers);
        let again = [places.enter(at("10.0.0.9")), places.enter(at("10.0.0.9"))];
        assert_eq!((which(&taken), which(&again)), (vec![true, false, false, true], vec![true, true]));
    }

    #[test]
    fn who_was_let_in_keeps_his_place_and_comes_in_from_his_usual_address() {
        let places = Places::new(3, 2);
        let mut known = places.enter(at("fd00::1"));
        known.belongs_to(Some("ann"));
        // Each from an address of its own: there are enough in any network.
        let flood: Vec<_> = (0..10).map(|host| places.enter(at(&format!("fe80::{host}")))).collect();
        assert!(has(&known));
        drop(std::mem::replace(&mut known, places.enter(at("fd00::1"))));
        let more: Vec<_> = (10..20).map(|host| places.enter(at(&format!("fe80::{host}")))).collect();
        assert!(has(&known), "before it has said who it is");
        known.belongs_to(Some("ann"));
        known.belongs_to(None);
        assert_eq!(flood.iter().chain(&more).filter(|place| has(place)).count(), 2);
    }

    #[test]
    fn one_network_of_ipv6_keeps_nobody_out_who_comes_from_elsewhere_for_the_first_time() {
        for own in ["2001:db8::", "fe80::", "fd00::"] {
            let places = Places::new(4, 4);
            let first = places.enter(at("10.0.0.1"));
            let flood: Vec<_> = (1..20).map(|host| places.enter(at(&format!("{own}{host}")))).collect();
            assert!(has(&first), "{own}");
            assert_eq!(flood.iter().filter(|place| has(place)).count(), 3);
        }
    }

    #[test]
    fn one_address_takes_no_places_of_others_in_its_network() {
        let places = Places::new(4, 4);
        let phones = [places.enter(at("fd00::1")), places.enter(at("fd00::2"))];
        let flood: Vec<_> = (0..10).map(|_| places.enter(at("fd00::9"))).collect();
        assert_eq!((which(&phones), flood.iter().filter(|place| has(place)).count()), (vec![true, true], 2));
    }

    #[test]
    fn one_who_was_let_in_cannot_take_the_places_of_all_who_were() {
        let places = Places::new(3, 3);
        let known = |name: &str| {
            let place = places.enter(at("10.0.0.1"));
            place.belongs_to(Some(name));
            place
        };
        let taken = [known("ann"), known("ben"), known("ben"), known("ben"), known("cid")];
        assert_eq!(which(&taken), [true, false, false, true, true]);
    }

    #[test]
    fn a_network_of_ipv6_is_one_but_the_houses_own() {
        assert_eq!(network(at("2001:db8::1:2:3:4")), at("2001:db8::"));
        assert_eq!(network(at("::ffff:10.0.0.1")), at("10.0.0.1"));
        for own in ["fe80::1:2", "fd00::1:2", "10.0.0.1"] {
            assert_eq!(network(at(own)), at(own));
        }
    }
}
