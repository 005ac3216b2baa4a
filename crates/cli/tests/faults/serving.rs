//! A server whose models cannot be reached: first without the model, then with a loaded one that is to be replaced.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ordinate::source::catalog::FAILURE_MEMORY;
use ordinate_test_support::catalog_files::{CatalogFiles, alias_file};
use ordinate_test_support::proxy::{Fault, Pause, Proxy};
use ordinate_test_support::s3_server::S3Server;
use tempfile::TempDir;

use crate::cases::{Case, Later};
use crate::served::{Answer, Served};
use crate::site::{ALIAS, Size, change, model_path, noted, price, release, release_default};
use crate::table::Row;
use crate::tls::{Handshake, TlsFront};
use crate::trouble::{Damage, Files, Injected, Times, Trouble};

const PRICE: &str = "/models/price/predict";
const DEFAULT: &str = "/predict";
/// More than `MODEL_REFRESH_SECONDS`.
const REFRESH_INTERVAL: Duration = Duration::from_millis(1_100);
/// A new version must be served so long after a repair.
const RECOVERY: Duration = Duration::from_secs(20);
/// How long requests for a loaded model are sent while its refresh meets the fault.
const REFRESHING: Duration = Duration::from_secs(3);

/// A server, its catalog, and what is between them.
struct Stage {
    served: Arc<Served>,
    site: Arc<CatalogFiles>,
    proxy: Arc<Proxy>,
    injected: Injected,
    tls: Option<TlsFront>,
    /// The file that resolves the name of the host.
    hosts: Option<(TempDir, PathBuf)>,
    size: Size,
}

/// Runs a case. Every assertion is here; the row is what was measured.
pub(crate) async fn run(case: &Case, number: usize) -> Option<Row> {
    let stage = Stage::new(&case.trouble, number).await?;
    let name = case.fault;

    // The model is not loaded.
    stage.release_for(&case.trouble, 1).await;
    let before = stage.proxy.targets().len();
    let damaging = stage.cause(&case.trouble, 1);
    let (first, default) = tokio::join!(stage.served.calls(PRICE), stage.served.call(DEFAULT));
    if let Some(damaging) = damaging {
        damaging.await.unwrap();
    }
    let targets = stage.proxy.targets().split_off(before);
    for answer in &first {
        assert_eq!(answer.outcome(), case.first, "{name}: {answer:?}\n{}", stage.served.log());
    }
    assert_eq!(default.model, "line@1", "{name}: the default model was loaded: {default:?}");
    let aliases = targets.iter().filter(|target| target.contains(ALIAS)).count();
    let gets = targets.iter().filter(|target| target.contains(&format!("/{}", model_path(1)))).count();
    assert!(gets <= case.gets, "{name}: {gets} GETs of the model\n{}", stage.served.log());
    stage.repair(&case.trouble, 1).await;
    tokio::time::sleep(FAILURE_MEMORY + Duration::from_millis(100)).await;
    let repaired = stage.served.call(PRICE).await;
    assert_eq!((repaired.status, repaired.model.as_str()), (200, "price@1"), "{name}: {repaired:?}");

    // The model is loaded, and version 2 is released.
    stage.release_for(&case.trouble, 2).await;
    let damaging = stage.cause(&case.trouble, 2);
    let mut later = Vec::new();
    let started = Instant::now();
    while started.elapsed() < REFRESHING {
        tokio::time::sleep(Duration::from_millis(200)).await;
        later.extend(stage.served.calls(PRICE).await);
    }
    if let Some(damaging) = damaging {
        damaging.await.unwrap();
    }
    for answer in &later {
        let expected = answer.model == "price@1" || (case.later == Later::New && answer.model == "price@2");
        assert!(answer.status == 200 && expected, "{name}: {answer:?}\n{}", stage.served.log());
    }
    if case.later == Later::Old {
        stage.repair(&case.trouble, 2).await;
    }
    let recovered = stage.recovered(name).await;
    stage.served.check_log();
    Some(Row {
        fault: name,
        first: case.first,
        first_longest: longest(&first),
        requests: (aliases, gets),
        later: case.later,
        later_longest: longest(&later).max(default.elapsed),
        recovered,
    })
}

fn longest(answers: &[Answer]) -> Duration {
    answers.iter().map(|answer| answer.elapsed).max().unwrap()
}

impl Stage {
    /// `None`, with a printed reason, if this machine cannot cause the trouble.
    async fn new(trouble: &Trouble, number: usize) -> Option<Self> {
        let site = match trouble {
            Trouble::Renamed => CatalogFiles::in_folder(),
            _ => CatalogFiles::S3(format!("faults/{number}/")),
        };
        release_default(&site).await;
        let injected = Injected::default();
        let meet = injected.clone();
        let proxy = Proxy::start_with(S3Server::shared().address(), move |request| meet.meet(request)).await;
        let proxy = Arc::new(proxy);
        let port = proxy.address().port();
        let (mut wrapper, mut tls, mut hosts, mut authority) = (Vec::new(), None, None, String::new());
        let endpoint = match trouble {
            Trouble::Tls(_) => {
                let front = TlsFront::start(proxy.address()).await;
                authority = front.authority().display().to_string();
                let endpoint = format!("https://localhost:{}", front.port());
                tls = Some(front);
                endpoint
            }
            Trouble::UnknownHost => {
                if !crate::can_mount() {
                    println!("skipped, because mounts in a user namespace are not permitted: an unknown host");
                    return None;
                }
                let (directory, file) = hosts_file();
                wrapper = with_hosts(&directory);
                hosts = Some((directory, file));
                format!("http://storage.test:{port}")
            }
            _ => format!("http://127.0.0.1:{port}"),
        };
        let model_size = if matches!(trouble, Trouble::MidRead(_)) { Size::Large } else { Size::Small };
        let uri = site.uri();
        let variables = [
            ("MODEL_URI", uri.as_str()),
            ("AWS_ENDPOINT_URL_S3", &endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "reader"),
            ("AWS_SECRET_ACCESS_KEY", "reader-secret"),
            ("LOG_REQUESTS", "errors"),
        ];
        let trusted = [("SSL_CERT_FILE", authority.as_str())];
        let variables = if tls.is_some() { [&variables[..], &trusted].concat() } else { variables.to_vec() };
        let served = Arc::new(Served::start(&wrapper, &variables));
        let stage = Self { served, site: Arc::new(site), proxy, injected, tls, hosts, size: model_size };
        let default = stage.served.call(DEFAULT).await;
        assert_eq!(default.model, "line@1", "{trouble:?}: {default:?}\n{}", stage.served.log());
        // From now on, its refresh meets the trouble, too.
        tokio::time::sleep(REFRESH_INTERVAL).await;
        Some(stage)
    }

    /// Releases a version, damaged as the trouble requires.
    async fn release_for(&self, trouble: &Trouble, version: u32) {
        release(&self.site, version, self.size).await;
        let Trouble::Damaged(damage) = trouble else { return };
        let (path, content) = damaged(*damage, version, self.size);
        change(&self.site, &path, content).await;
    }

    /// Causes the trouble. The task of a trouble that happens during a request ends after it.
    fn cause(&self, trouble: &Trouble, version: u32) -> Option<tokio::task::JoinHandle<()>> {
        match trouble {
            Trouble::None | Trouble::Damaged(_) => {}
            Trouble::Proxy(files, times, fault) => self.injected.set(*files, *times, fault.clone()),
            Trouble::Closed => self.proxy.close(),
            Trouble::UnknownHost => std::fs::write(&self.hosts.as_ref().unwrap().1, "127.0.0.1 localhost\n").unwrap(),
            Trouble::Tls(handshake) => self.tls.as_ref().unwrap().answer(*handshake),
            Trouble::Renamed => std::fs::rename(self.site.directory(), self.away()).unwrap(),
            Trouble::MidRead(damage) => return Some(self.damage_midway(*damage, version)),
            Trouble::ClosedMidway => return Some(self.close_midway()),
        }
        None
    }

    fn pause(&self) -> Pause {
        let pause = Pause::default();
        self.injected.set(Files::Models, Times::Once, Fault::PauseBody(1_000, pause.clone()));
        pause
    }

    fn damage_midway(&self, damage: Damage, version: u32) -> tokio::task::JoinHandle<()> {
        // Before the pause, since making a large model takes long.
        let (path, content) = damaged(damage, version, self.size);
        let (pause, site) = (self.pause(), self.site.clone());
        tokio::spawn(async move {
            pause.reached().await;
            change(&site, &path, content).await;
            pause.resume();
        })
    }

    fn close_midway(&self) -> tokio::task::JoinHandle<()> {
        let (pause, proxy) = (self.pause(), self.proxy.clone());
        tokio::spawn(async move {
            pause.reached().await;
            proxy.close();
        })
    }

    async fn repair(&self, trouble: &Trouble, version: u32) {
        match trouble {
            Trouble::None => {}
            Trouble::Proxy(..) => self.injected.clear(),
            Trouble::Closed | Trouble::ClosedMidway => self.proxy.open(),
            Trouble::UnknownHost => std::fs::write(&self.hosts.as_ref().unwrap().1, HOSTS).unwrap(),
            Trouble::Tls(_) => self.tls.as_ref().unwrap().answer(Handshake::Valid),
            Trouble::Damaged(_) | Trouble::MidRead(_) => release(&self.site, version, self.size).await,
            Trouble::Renamed => std::fs::rename(self.away(), self.site.directory()).unwrap(),
        }
    }

    fn away(&self) -> PathBuf {
        self.site.directory().with_extension("away")
    }

    /// The seconds until version 2 is served.
    async fn recovered(&self, name: &str) -> Duration {
        let started = Instant::now();
        loop {
            let answer = self.served.call(PRICE).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            if answer.model == "price@2" {
                return started.elapsed();
            }
            assert!(started.elapsed() < RECOVERY, "{name}: {answer:?}\n{}", self.served.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The path of a damaged file, and its content, if it exists.
fn damaged(damage: Damage, version: u32, size: Size) -> (String, Option<Vec<u8>>) {
    let half = |file: Vec<u8>| Some(file[..file.len() / 2].to_vec());
    match damage {
        Damage::NoModel => (model_path(version), None),
        Damage::HalfModel => (model_path(version), half(price(version, size))),
        Damage::OtherModel => (model_path(version), Some(noted(version, size, "other"))),
        Damage::HalfAlias => (ALIAS.to_owned(), half(alias_file(version).into_bytes())),
    }
}

const HOSTS: &str = "127.0.0.1 localhost storage.test\n";

/// A folder with files that resolve the names of hosts, and the one that is written.
fn hosts_file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hosts");
    std::fs::write(&file, HOSTS).unwrap();
    // Nobody listens there, so that other names do not exist.
    std::fs::write(directory.path().join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        .unwrap();
    (directory, file)
}

/// Runs a command with these files in place of those of the machine.
fn with_hosts(directory: &TempDir) -> Vec<String> {
    let script = r#"mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/resolv.conf" /etc/resolv.conf
        shift; exec "$@""#;
    let directory = directory.path().display().to_string();
    ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh", &directory]
        .map(str::to_owned)
        .to_vec()
}
