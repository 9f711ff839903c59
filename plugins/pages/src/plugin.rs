//! [`Pages`]: the plugin with the routes of the pages.

use crate::{
    answer::{self, Form, Html},
    config,
    frame::Frame,
    graph::{self, Drawing},
    index::{self, PageBody},
    status, timeline,
};
use cninfra::{
    agent::Course,
    http::{
        Http, Routes,
        axum::{
            http::{HeaderMap, Uri},
            response::Response,
        },
    },
    prelude::*,
};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// The number of expensive responses that are made at the same time: clients that ask too often wait, and take no
/// threads from others.
const AT_ONCE: usize = 1;

/// The inside of a running agent, for people and as JSON, on its HTTP server.
///
/// | path | shows |
/// | --- | --- |
/// | `/agent` | the list of these pages |
/// | `/agent/graph` | the plugins, their dependencies and their states; `?format=dot`, `mermaid` and `text` give what `--graph` prints |
/// | `/agent/timeline` | how long each step of each plugin took: in the start, while it goes on, in later attempts, and in the stop |
/// | `/agent/status` | the states of the agent and of its plugins, with reasons |
/// | `/agent/config` | the value in force for each key of the config, and where it comes from; secrets are masked |
///
/// A browser gets a page, every other client JSON; `?format=html` and `?format=json` choose explicitly. In the JSON,
/// `plugin` is the name of a plugin's type, and `instance` the name used in config and log. The pages also answer while
/// the agent starts.
///
/// They show the inside of the agent to everybody who reaches the server. In the predefined flavors the plugin is
/// optional: `enabled: false` in `pages.conf` switches it off.
#[plugin]
pub struct Pages {
    http: Dep<dyn Http>,
}

impl Lifecycle for Pages {
    async fn init(&self, cx: &Context) -> Result<()> {
        let answers = Answers {
            cx: cx.clone(),
            http: self.http.clone(),
            drawing: Arc::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        };
        self.http.register(cx, answers.routes())
    }
}

#[derive(Clone, Copy)]
enum Shows {
    Index,
    Graph,
    Timeline,
    Status,
    Config,
}

const ROUTES: [(Shows, &str, &str); 5] = [
    (Shows::Index, "/agent", "the pages of the agent"),
    (Shows::Graph, "/agent/graph", "the plugins, what they need, and their states"),
    (Shows::Timeline, "/agent/timeline", "how long each plugin took to start, while it goes on, and to stop"),
    (Shows::Status, "/agent/status", "the states of the agent and its plugins, and why"),
    (
        Shows::Config,
        "/agent/config",
        "the value of each key of the config and where it comes from, with secrets masked",
    ),
];

/// The data that all routes need for their responses.
#[derive(Clone)]
struct Answers {
    cx: Context,
    http: Dep<dyn Http>,
    /// The graph never changes.
    drawing: Arc<OnceLock<Drawing>>,
    turns: Arc<Semaphore>,
}

impl Answers {
    /// One handler type for all routes: each further one would add more than a few kilobytes of code.
    fn routes(&self) -> Routes {
        let route = |routes: Routes, (shows, path, summary): (Shows, &str, &str)| {
            let this = self.clone();
            let handler = async move |headers: HeaderMap, uri: Uri| this.answer(shows, &headers, &uri).await;
            routes.get(path, handler).summary(summary)
        };
        ROUTES.into_iter().fold(Routes::new(), route).during_start()
    }

    async fn answer(&self, shows: Shows, headers: &HeaderMap, uri: &Uri) -> Response {
        match shows {
            Shows::Index => self.index(headers, uri),
            Shows::Graph => self.graph(headers, uri).await,
            Shows::Timeline => self.timeline(headers, uri),
            Shows::Status => self.status(headers, uri),
            Shows::Config => self.config(headers, uri).await,
        }
    }

    fn index(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        let others = ROUTES.iter().filter(|(shows, ..)| !matches!(shows, Shows::Index));
        let pages: Vec<_> = others.map(|(_, path, shows)| PageBody { path, shows }).collect();
        match answer::form(headers, uri, &[]) {
            Ok(Form::Html) => {
                let content = index::page(&pages);
                self.framed("Pages", true, &content)
            }
            Ok(_) => {
                let (label, flavor, build) = (self.cx.label(), self.cx.graph().name(), self.cx.build_info());
                answer::json(&index::Body::new(label, flavor, build, pages))
            }
            Err(why) => answer::refused(&why),
        }
    }

    async fn graph(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        let graph = self.cx.graph();
        let form = match answer::form(headers, uri, &["dot", "mermaid", "text"]) {
            Ok(form) => form,
            Err(why) => return answer::refused(&why),
        };
        let (status, Course { events, .. }) = (self.cx.status().agent(), self.cx.course());
        let events = &events[..];
        match form {
            Form::Json => answer::json(&graph::body(graph, &status, events)),
            Form::Other(format) => answer::text(graph.print(format)),
            Form::Html => {
                if self.drawing.get().is_none() {
                    // With many plugins this takes a while.
                    let drawing = self.drawing.clone();
                    let draw = move || {
                        drawing.get_or_init(|| Drawing::of(graph));
                    };
                    if self.apart(draw).await.is_none() {
                        return answer::failed();
                    }
                }
                let drawing = self.drawing.get_or_init(|| Drawing::of(graph));
                self.page("Graph", graph::page(graph, drawing, &status, events))
            }
        }
    }

    fn timeline(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        let (graph, status, course) = (self.cx.graph(), self.cx.status().agent(), self.cx.course());
        match answer::form(headers, uri, &[]) {
            Ok(Form::Html) => self.page("Timeline", timeline::page(graph, &status, &course)),
            Ok(_) => answer::json(&timeline::Body::new(self.cx.label(), graph, &status, &course)),
            Err(why) => answer::refused(&why),
        }
    }

    fn status(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        let status = self.cx.status().agent();
        match answer::form(headers, uri, &[]) {
            Ok(Form::Html) => self.page("Status", status::page(self.cx.graph(), &status)),
            Ok(_) => answer::json(&status::Body::new(self.cx.label(), self.cx.graph(), self.cx.build_info(), &status)),
            Err(why) => answer::refused(&why),
        }
    }

    async fn config(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        let form = match answer::form(headers, uri, &[]) {
            Ok(form) => form,
            Err(why) => return answer::refused(&why),
        };
        let cx = self.cx.clone();
        match self.apart(move || (cx.effective_config(), cx.config_mistakes())).await {
            Some((sections, mistakes)) if form == Form::Html => self.page("Config", config::page(&sections, &mistakes)),
            Some((sections, mistakes)) => {
                answer::json(&config::Body { agent: self.cx.label(), mistakes: &mistakes, sections: &sections })
            }
            None => answer::failed(),
        }
    }

    /// Runs the work on a thread where it may block; `None` if it panics.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        // The permit is held by the work, which goes on even if the client no longer waits for it.
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        work.await.ok()
    }

    fn page(&self, title: &'static str, content: Html) -> Response {
        self.framed(title, false, &content)
    }

    fn framed(&self, title: &'static str, is_top: bool, content: &str) -> Response {
        let has_index = self.http.routes().iter().any(|route| route.path == "/");
        let (label, flavor, build) = (self.cx.label(), self.cx.graph().name(), self.cx.build_info());
        Frame { title, label, flavor, build, has_index, is_top }.around(content)
    }
}
