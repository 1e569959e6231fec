use super::*;

fn outbox(max_bytes: usize, overflow: Overflow) -> Outbox {
    Outbox::new(OutboxOptions { max_bytes, overflow })
}

fn push(outbox: &mut Outbox, byte: u8, length: usize) -> Pushed {
    match outbox.admit() {
        Admission::Admitted(pushed) => {
            outbox.push(vec![byte; length].into(), Kind::Message);
            outbox.conclude(pushed)
        }
        Admission::Refused(pushed) => pushed,
    }
}

#[test]
fn nothing_follows_a_message_that_was_refused() {
    let mut outbox = outbox(10, Overflow::Close);
    assert_eq!(push(&mut outbox, 1, 10), Pushed::Queued);
    assert_eq!(push(&mut outbox, 2, 1), Pushed::Full);
    // The socket takes everything before the engine has heard of it.
    outbox.advance(10);
    assert_eq!(push(&mut outbox, 3, 1), Pushed::Dropped(1));
    assert!(outbox.is_empty());
}

fn pong(outbox: &mut Outbox, byte: u8) {
    outbox.push(vec![byte; 2].into(), Kind::Pong);
}

/// The first byte of each frame that waits.
fn waiting(outbox: &Outbox) -> Vec<u8> {
    outbox.chunks().map(|chunk| chunk[0]).collect()
}

#[test]
fn bytes_leave_in_order_however_the_socket_takes_them() {
    for step in 1..20 {
        let mut outbox = outbox(100, Overflow::Close);
        for (byte, length) in [(1, 3), (2, 5), (3, 1), (4, 4)] {
            assert_eq!(push(&mut outbox, byte, length), Pushed::Queued);
        }
        let mut written = Vec::new();
        while !outbox.is_empty() {
            let next: Vec<u8> = outbox.chunks().flatten().copied().take(step).collect();
            outbox.advance(next.len());
            written.extend(next);
            assert_eq!(outbox.queued_bytes() + written.len(), 13);
        }
        assert_eq!(written, [1, 1, 1, 2, 2, 2, 2, 2, 3, 4, 4, 4, 4], "step {step}");
    }
}

#[test]
fn whole_frames_leave_too() {
    let mut outbox = outbox(100, Overflow::Close);
    push(&mut outbox, 1, 3);
    push(&mut outbox, 2, 2);
    outbox.advance(1);
    assert_eq!(outbox.pop().as_deref(), Some(&[1, 1][..]));
    assert_eq!(outbox.queued_bytes(), 2);
    assert_eq!(outbox.pop().as_deref(), Some(&[2, 2][..]));
    assert_eq!(outbox.pop(), None);
}

#[test]
fn slices_are_filled_from_the_front() {
    let mut outbox = outbox(100, Overflow::Close);
    for byte in 1..=3 {
        push(&mut outbox, byte, 2);
    }
    outbox.advance(1);
    let mut slices = [IoSlice::new(&[]); 2];
    assert_eq!(outbox.fill(&mut slices), 2);
    assert_eq!((&*slices[0], &*slices[1]), (&[1][..], &[2, 2][..]));
}

#[test]
fn close_refuses_beyond_the_bound_but_takes_any_size_below_it() {
    let mut outbox = outbox(10, Overflow::Close);
    assert_eq!(push(&mut outbox, 1, 9), Pushed::Queued);
    assert_eq!(push(&mut outbox, 2, 1000), Pushed::Queued);
    assert_eq!(push(&mut outbox, 3, 1), Pushed::Full);
    assert_eq!(waiting(&outbox), [1, 2]);
}

#[test]
fn pause_takes_twice_the_bound() {
    let mut outbox = outbox(10, Overflow::Pause);
    let pushed: Vec<_> = (1..=5).map(|byte| push(&mut outbox, byte, 5)).collect();
    let full = Pushed::Full;
    assert_eq!(pushed, [Pushed::Queued, full, full, full, Pushed::Dropped(1)]);
    assert_eq!(waiting(&outbox), [1, 2, 3, 4]);
    assert_eq!((outbox.take_dropped(), outbox.take_dropped()), (1, 0));
}

#[test]
fn the_oldest_messages_are_dropped_but_no_control_or_partial_frames() {
    let mut outbox = outbox(10, Overflow::DropOldest);
    push(&mut outbox, 1, 4);
    outbox.push(vec![9; 2].into(), Kind::Control);
    push(&mut outbox, 2, 3);
    push(&mut outbox, 3, 3);
    outbox.advance(1);
    assert_eq!(push(&mut outbox, 4, 3), Pushed::Dropped(1));
    assert_eq!(waiting(&outbox), [1, 9, 3, 4]);
    assert_eq!(push(&mut outbox, 5, 100), Pushed::Dropped(1));
    assert_eq!(waiting(&outbox), [1, 9, 4, 5]);
    assert_eq!(push(&mut outbox, 6, 1), Pushed::Dropped(2));
    assert_eq!(waiting(&outbox), [1, 9, 6]);
    assert_eq!(outbox.queued_bytes(), 3 + 2 + 1);
    assert_eq!((outbox.take_dropped(), outbox.take_dropped()), (4, 0));
}

#[test]
fn what_is_refused_before_a_close_does_not_count_as_dropped() {
    let mut outbox = outbox(10, Overflow::Close);
    let pushed: Vec<_> = (1..=4).map(|byte| push(&mut outbox, byte, 5)).collect();
    assert_eq!(pushed, [Pushed::Queued, Pushed::Queued, Pushed::Full, Pushed::Dropped(1)]);
    assert_eq!(outbox.take_dropped(), 0);
}

#[test]
fn what_is_being_written_is_neither_dropped_nor_replaced() {
    let mut outbox = outbox(10, Overflow::DropOldest);
    outbox.set_blocked(true);
    push(&mut outbox, 1, 5);
    pong(&mut outbox, 2);
    push(&mut outbox, 3, 5);
    let mut lent = Vec::new();
    outbox.lend(2, &mut lent);
    assert_eq!(lent.iter().map(|frame| frame[0]).collect::<Vec<_>>(), [1, 2]);
    pong(&mut outbox, 4);
    assert_eq!(push(&mut outbox, 5, 5), Pushed::Queued, "what is being written does not count");
    assert_eq!(push(&mut outbox, 8, 5), Pushed::Dropped(1));
    outbox.give_back(&mut lent, 6);
    assert_eq!(waiting(&outbox), [2, 4, 5, 8]);
    assert_eq!(outbox.queued_bytes(), 1 + 2 + 5 + 5);
    outbox.advance(1);
    assert_eq!(outbox.pop().map(|frame| frame[0]), Some(4));
    lent.clear();
    outbox.lend(9, &mut lent);
    assert_eq!(lent.len(), 2);
    outbox.give_back(&mut lent, 0);
    assert_eq!(waiting(&outbox), [5, 8]);
    assert_eq!(push(&mut outbox, 7, 1), Pushed::Dropped(1));
    assert_eq!(waiting(&outbox), [8, 7]);
    lent.clear();
    outbox.lend(1, &mut lent);
    outbox.give_back(&mut lent, 5);
    assert_eq!(waiting(&outbox), [7]);
    assert_eq!(outbox.queued_bytes(), 1);
}

#[test]
fn a_single_partial_frame_over_the_bound_leaves_room_for_the_latest() {
    let mut outbox = outbox(10, Overflow::DropOldest);
    push(&mut outbox, 1, 100);
    outbox.advance(1);
    assert_eq!(push(&mut outbox, 2, 5), Pushed::Queued);
    assert_eq!(push(&mut outbox, 3, 5), Pushed::Dropped(1));
    assert_eq!(waiting(&outbox), [1, 3]);
}

#[test]
fn pongs_are_replaced_only_while_the_socket_is_blocked() {
    let mut outbox = outbox(100, Overflow::Close);
    for byte in 1..=10 {
        pong(&mut outbox, byte);
    }
    assert_eq!(waiting(&outbox), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    outbox.set_blocked(true);
    outbox.advance(2 * 8);
    pong(&mut outbox, 11);
    assert_eq!(waiting(&outbox), [9, 11], "the latest makes way");
    outbox.advance(3);
    pong(&mut outbox, 12);
    assert_eq!(waiting(&outbox), [11, 12], "not one written in part");
    pong(&mut outbox, 13);
    assert_eq!(waiting(&outbox), [11, 13]);
    assert_eq!(outbox.queued_bytes(), 3);
    outbox.pop();
    outbox.pop();
    pong(&mut outbox, 14);
    assert_eq!(waiting(&outbox), [14]);
}

#[test]
fn a_pong_is_found_after_messages_before_it_were_dropped() {
    let mut outbox = outbox(10, Overflow::DropOldest);
    outbox.set_blocked(true);
    push(&mut outbox, 1, 5);
    push(&mut outbox, 2, 5);
    pong(&mut outbox, 100);
    assert_eq!(push(&mut outbox, 3, 5), Pushed::Dropped(1));
    pong(&mut outbox, 101);
    assert_eq!(waiting(&outbox), [2, 101, 3]);
}
