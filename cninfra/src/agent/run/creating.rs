//! The creation of plugins, before their lifecycle begins.

use super::{
    begun::{Begun, Work},
    common::Common,
    job::Job,
    runner::{Create, Runner, Special},
    together::Together,
};
use crate::{
    Context,
    agent::terms::{cause::Cause, phase::Phase},
    inject::{
        part::{Creation, Made},
        running::Running,
    },
    order::sort_few,
};
use std::{collections::HashMap, ops::Range, sync::Arc};
use tokio::time::Instant;

impl Runner {
    /// Creates plugins that start together, and adds those with a lifecycle to `plugins`.
    pub(super) async fn create_group(
        &mut self,
        places: Range<usize>,
        create: Create<'_>,
        special: &HashMap<usize, Special>,
        span: (Instant, Instant),
    ) -> Together {
        let env = self.env.clone();
        let common = Common::new(&env, Phase::Create, env.limits.whole.start, span);
        let (mut together, mut later) = (Together::default(), Vec::new());
        let first = self.plugins.len();
        let mut cx = Context::new(env.shared.clone(), places.start);
        let mut last = common.began;
        for place in places {
            if common.is_stopping() {
                together.interrupted = true;
                break;
            }
            match special.get(&place) {
                Some(Special::Absent | Special::Off) => continue,
                Some(Special::Made(running)) => {
                    self.put(place, running.clone());
                    continue;
                }
                Some(Special::Unused) | None => {}
            }
            let started = last;
            cx.set_place(place);
            let created = common.call(place, || create(usize::from(env.graph.nodes()[place].index), &cx));
            last = Instant::now();
            match created {
                Ok(Creation::Now(Ok(made))) => {
                    together.record_done(place, (started, last), &common, &mut self.record);
                    self.put_unless_unused(place, made, special);
                }
                Ok(Creation::Now(Err(error))) => {
                    together.record_failure(place, (started, last), Cause::Failed(error), &common, &mut self.record);
                }
                Ok(Creation::Later(future)) => {
                    self.record.note_waiting(place, Phase::Create, started);
                    later.push(Job::new(place, Work::Create(future), (started, last), &common));
                }
                Err(panicked) => together.record_failure(place, (started, last), panicked, &common, &mut self.record),
            }
        }
        if later.is_empty() {
            together.ended = Some(last);
        } else {
            common.add_busy(last.duration_since(common.began));
            for (place, made) in together.wait(later, &common, &mut self.record).await {
                self.put_unless_unused(place, made, special);
            }
            sort_few(&mut self.plugins[first..], |one, other| one.place > other.place);
        }
        together
    }

    fn put_unless_unused(&mut self, place: usize, made: Made, special: &HashMap<usize, Special>) {
        if let Some(running) = made
            && !matches!(special.get(&place), Some(Special::Unused))
        {
            self.put(place, running);
        }
    }

    fn put(&mut self, place: usize, running: Arc<dyn Running>) {
        let cx = Context::new(self.env.shared.clone(), place);
        let running = match &self.env.wrap {
            Some(wrap) => wrap(&self.env.graph.nodes()[place], running),
            None => running,
        };
        self.plugins.push(Begun { place, running, cx, down: false });
    }
}
