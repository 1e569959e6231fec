//! Histories in a cluster: each node keeps what is said on all nodes, and knows when it has not.

use bytes::{Buf, Bytes};

use super::super::Engine;
use crate::cluster::Node;
use crate::history::{Epoch, Position};
use crate::interface::effect::Effect;
use crate::message::Message;
use crate::state::Standing;
use crate::state::cluster_node::{Addressee, Place, own_channel};
use crate::time::Now;

/// How far one history of a node is: the channel of its route, its epoch in hexadecimal, and its position.
type Answer = (String, String, String);

impl Engine {
    /// Hears the routes that keep what is said, whether or not somebody is there. What goes to one of their rooms takes the
    /// route's channel, too.
    pub(in crate::engine) fn hear_histories(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(node) = &mut self.state.cluster else { return };
        let mut is_new = false;
        for (index, route) in self.state.routes.iter().enumerate() {
            if route.history.is_some() && route.standing == Standing::Serving {
                let (channel, place) = (route.channel(index, None), Place { route: index, room: None });
                is_new |= node.channels.get(channel.as_str()) != Some(&place);
                node.hear(channel, place, effects);
            }
        }
        if is_new {
            self.ask_all_anew(now, effects);
        }
    }

    /// What other nodes say may have been missed: nothing is promised until all have told how far they are.
    pub(super) fn ask_all_anew(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if let Some(node) = &mut self.state.cluster {
            node.questions.promise = node.questions.number + 1;
        }
        self.read_histories(now, effects);
        self.ask_all(now, effects);
    }

    /// Something may be lost that another node knows of.
    fn ask_all(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if let Some(node) = &mut self.state.cluster {
            node.questions.number += 1;
        }
        self.ask_those_who(now, effects, |_| true);
    }

    /// Asks another node.
    pub(super) fn ask_node(&mut self, now: Now, whom: &Node, effects: &mut Vec<Effect>) {
        self.ask_those_who(now, effects, |node| node == whom);
    }

    fn ask_those_who(&mut self, now: Now, effects: &mut Vec<Effect>, is_asked: impl Fn(&Node) -> bool) {
        let has_history = self.histories().next().is_some();
        let Some(node) = self.state.cluster.as_mut().filter(|_| has_history) else { return };
        if node.cluster.down_since().is_some() {
            return;
        }
        let asked: Vec<_> = node.cluster.others().filter(|other| is_asked(other)).map(own_channel).collect();
        let header = Addressee::Question.header_with(&node.questions.number.to_le_bytes());
        for channel in asked {
            let question = node.cluster.publish(&channel, header.clone(), &Message::from(""));
            effects.extend(question.map(Effect::Backplane));
        }
        node.questions.again = now.instant + node.cluster.sign_interval();
    }

    /// Those who have not answered are asked again, and what did not come in time is lost.
    pub(super) fn histories_due(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(node) = &mut self.state.cluster else { return };
        let patience = node.cluster.sign_interval();
        if node.questions.again <= now.instant {
            let others: Vec<_> = node.cluster.others().cloned().collect();
            node.questions.answered.retain(|node, _| others.contains(node));
            let (latest, answered) = (node.questions.number, node.questions.answered.clone());
            self.ask_those_who(now, effects, |node| answered.get(node) != Some(&latest));
        }
        for route in 0..self.state.routes.len() {
            let history = self.state.routes[route].history.as_mut();
            let lost = history.map(|history| history.give_up(now.instant, patience));
            if let Some(lost) = lost.filter(|lost| !lost.is_empty()) {
                self.context_of_route(now, route, effects).tell_lost(&lost);
                self.read_history(now, route, effects);
            }
        }
        self.note_the_silent(now, patience, effects);
    }

    /// A node has left.
    pub(super) fn left_histories(&mut self, now: Now, whose: &Node, effects: &mut Vec<Effect>) {
        if let Some(node) = &mut self.state.cluster {
            node.questions.answered.remove(whose);
        }
        for history in self.state.routes.iter_mut().filter_map(|route| route.history.as_mut()) {
            history.left(now.instant, whose);
        }
        // Somebody may have heard more of it, and the broker may have kept more.
        self.read_histories(now, effects);
        self.ask_all(now, effects);
    }

    /// Messages on a channel were lost, perhaps the last ones.
    pub(super) fn lost_in_history(&mut self, now: Now, channel: &str, effects: &mut Vec<Effect>) {
        let place = self.state.cluster.as_ref().and_then(|node| node.channels.get(channel));
        let route = place.map(|place| place.route);
        if let Some(route) = route.filter(|route| self.state.routes[*route].history.is_some()) {
            self.read_history(now, route, effects);
            self.ask_all(now, effects);
        }
    }

    /// Another node asks how far this one is.
    pub(super) fn answer_question(
        &mut self,
        now: Now,
        asker: &Node,
        question: Bytes,
        effects: &mut Vec<Effect>,
    ) {
        // It goes back as it came.
        if question.len() != size_of::<u64>() {
            return;
        }
        let mut answers: Vec<Answer> = Vec::new();
        for (index, route) in self.state.routes.iter_mut().enumerate() {
            let channel = route.channel(index, None);
            if let Some(history) = route.history.as_mut().filter(|_| route.standing == Standing::Serving) {
                let (own, position) = history.tell(now, &mut self.state.random);
                answers.push((channel, format!("{:016x}", own.0), position.to_string()));
            }
        }
        let Some(node) = &mut self.state.cluster else { return };
        // Texts always serialize.
        let answer = serde_json::to_string(&answers).unwrap_or_default();
        let header = Addressee::Answer.header_with(&question);
        let answer = node.cluster.publish(&own_channel(asker), header, &Message::from(answer));
        effects.extend(answer.map(Effect::Backplane));
    }

    /// Another node tells how far it is.
    pub(super) fn take_answer(&mut self, now: Now, from: &Node, mut question: Bytes, answer: &Message) {
        let Some(node) = &mut self.state.cluster else { return };
        let (Ok(number), Ok(answers)) = (question.try_get_u64_le(), answer.parse_json::<Vec<Answer>>())
        else {
            return;
        };
        // Who is not there was not asked.
        if number <= node.questions.number && node.cluster.others().any(|other| other == from) {
            let answered = node.questions.answered.entry(from.clone()).or_default();
            *answered = number.max(*answered);
        }
        for (channel, own, position) in answers {
            let named = |route: &usize| self.state.routes[*route].channel(*route, None) == channel;
            let route = self.histories().find(named);
            let own = u64::from_str_radix(&own, 16).map(Epoch);
            let (Some(route), Ok(own), Ok(position)) = (route, own, position.parse::<Position>()) else {
                continue;
            };
            if let Some(history) = &mut self.state.routes[route].history {
                history.told(now, from, own, &position);
            }
        }
    }

    /// The routes that have one.
    pub(super) fn histories(&self) -> impl Iterator<Item = usize> {
        let routes = self.state.routes.iter().enumerate();
        let serving = routes.filter(|(_, route)| route.standing == Standing::Serving);
        serving.filter(|(_, route)| route.history.is_some()).map(|(index, _)| index)
    }
}
