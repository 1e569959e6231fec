use super::*;
use crate::control::event::{Happening, MessageDirection, Peer, What};
use crate::interface::connection_id::ConnectionIds;
use crate::message::Message;

fn message(history: &mut History, ids: &[ConnectionId], payload: usize) {
    let message = Message::Binary(vec![0; payload].into());
    let peer = |id: ConnectionId| Peer { id, public_id: id.slot().to_string().into(), path: "/".to_owned() };
    let (peer, receivers) = match ids {
        [id] => (Some(peer(*id)), Arc::default()),
        ids => (None, ids.into()),
    };
    let what = What::Message {
        direction: MessageDirection::In,
        size: message.len(),
        message,
        receivers: ids.len(),
        room: None,
    };
    let names = history.names(Some(0), "/", "/");
    let sequence = history.count();
    history.keep(Kept::new(sequence, 0, names, Happening { route: Some(0), peer, receivers, what }), true);
}

fn ids(count: usize) -> Vec<ConnectionId> {
    let mut ids = ConnectionIds::default();
    (0..count).map(|_| ids.allocate()).collect()
}

fn sequences(kept: &[&Kept]) -> Vec<u64> {
    kept.iter().map(|kept| kept.sequence).collect()
}

#[test]
fn what_passed_on_a_connection_is_put_together_in_order() {
    let (mut history, ids) = (History::default(), ids(3));
    message(&mut history, &ids[..1], 1);
    message(&mut history, &ids[..2], 1);
    message(&mut history, &ids[1..2], 1);
    message(&mut history, &ids[1..], 1);
    message(&mut history, &ids[..1], 1);
    assert_eq!(sequences(&history.messages_of(ids[0], 10)), [1, 2, 5]);
    assert_eq!(sequences(&history.messages_of(ids[1], 10)), [2, 3, 4]);
    assert_eq!(sequences(&history.messages_of(ids[0], 2)), [2, 5]);
    assert_eq!(sequences(&history.recent(3, |_| true)), [3, 4, 5]);
    history.end(ids[0], None);
    assert_eq!(sequences(&history.messages_of(ids[0], 10)), [2]);
}

#[test]
fn a_connection_keeps_its_latest_within_its_bounds() {
    let (mut history, ids) = (History::default(), ids(1));
    for _ in 0..OF_CONNECTION.0 + 5 {
        message(&mut history, &ids, 1);
    }
    let kept = sequences(&history.messages_of(ids[0], usize::MAX));
    assert_eq!((kept.len(), kept[0]), (OF_CONNECTION.0, 6));
    for _ in 0..10 {
        message(&mut history, &ids, MAX_PAYLOAD);
    }
    assert_eq!(
        history.messages_of(ids[0], usize::MAX).len(),
        3,
        "64 KiB hold three of 16 KiB and their cost"
    );
    assert!(history.bytes <= OF_CONNECTION.1);
    history.end(ids[0], None);
    assert_eq!(history.bytes, 0);
}

#[test]
fn receivers_are_shared_and_count_once() {
    let (mut history, ids) = (History::default(), ids(1_000));
    message(&mut history, &ids, 1);
    let first = history.bytes;
    message(&mut history, &ids, 1);
    assert!(first > 8_000, "{first}");
    assert!(history.bytes - first < 1_000, "{}", history.bytes - first);
    message(&mut history, &ids[1..], 1);
    assert!(history.bytes - first > 8_000);
}

#[test]
fn the_quietest_survive_and_the_sum_is_bounded() {
    let (mut history, ids) = (History::default(), ids(2_000));
    let (quiet, loud) = ids.split_at(1_000);
    quiet.iter().for_each(|id| message(&mut history, &[*id], 1_000));
    for _ in 0..50 {
        for id in loud {
            message(&mut history, &[*id], 1_000);
            assert!(history.bytes <= MAX_BYTES);
        }
    }
    assert_eq!(history.bytes, history.rings().map(Ring::bytes).sum::<usize>());
    assert!(quiet.iter().all(|id| history.messages_of(*id, 10).len() == 1), "the quiet keep what they said");
    let loudest: Vec<usize> = loud.iter().map(|id| history.messages_of(*id, 100).len()).collect();
    assert!(loudest.iter().all(|count| (5..20).contains(count)), "{loudest:?}");
}

#[test]
fn all_are_cut_to_the_size_that_fits() {
    for (sizes, max, expected) in [
        (vec![], 10, usize::MAX),
        (vec![1, 2, 3], 6, usize::MAX),
        (vec![1, 2, 9], 6, 3),
        (vec![9, 9, 9], 6, 2),
        (vec![1, 9, 9], 6, 2),
    ] {
        assert_eq!(fitting(&mut sizes.clone(), max), expected, "{sizes:?}");
    }
}
