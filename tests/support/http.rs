//! A small HTTP/1.1 server on loopback, for the servers of the tests: it can be as wrong as a test wants.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write as IoWrite};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An idle connection is given up after this time, so that no thread outlives a test for long.
const IDLE: Duration = Duration::from_secs(30);
/// How often a stalled answer looks whether the server has ended.
const TICK: Duration = Duration::from_millis(20);

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET`, `HEAD`, …
    pub(crate) method: String,
    /// Path and query, undecoded.
    pub(crate) target: String,
    /// Names in lower case, in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, by Content-Length.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// All values of a query parameter, percent-decoded.
    pub(crate) fn query(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decoded(value)).collect()
    }

    /// The first header called `name` (in lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// User and password of a Basic `Authorization`.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    }

    /// The token of a Bearer `Authorization`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let decoded = if byte == b'%' { tail.get(..2).and_then(hex_byte) } else { None };
        bytes.push(decoded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By a right Content-Length.
    #[default]
    Length,
    /// By a Content-Length that may be wrong.
    Says(u64),
    /// In chunks.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// What follows the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tail {
    /// What its framing promises.
    #[default]
    Honest,
    /// The connection is reset.
    Reset,
    /// The body's last byte, again and again, with so long a pause before each 64 KiB or, if there is a pause, each byte.
    Endless(Duration),
}

/// An answer. `cut` and `stall` make it break, `framing` and `tail` make it lie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// Headers besides Content-Length.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; a HEAD request gets only its length.
    pub(crate) body: Vec<u8>,
    /// Closes the connection after this many bytes of the body.
    pub(crate) cut: Option<usize>,
    /// Waits this long in the middle of the body.
    pub(crate) stall: Option<Duration>,
    /// How its length is told.
    pub(crate) framing: Framing,
    /// What follows the body, or what was left of it.
    pub(crate) tail: Tail,
}

impl Response {
    /// An answer with a status and a body.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, body.to_string()).header("Content-Type", "application/json")
    }

    /// Closes the connection after so many bytes.
    pub(crate) fn cut(mut self, length: usize) -> Self {
        self.cut = Some(length);
        self
    }

    /// Tells the length in another way.
    pub(crate) fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Lets something else follow the body.
    pub(crate) fn tail(mut self, tail: Tail) -> Self {
        self.tail = tail;
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What a server answered to [`get`].
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Names in lower case, in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// All bytes that came, which may be fewer than Content-Length says.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first header called `name` (in lower case), or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}) in {self:?}"))
    }
}

/// Asks `http://host/target` for `GET` over a connection of its own, follows nothing, and reads to its end.
pub(crate) fn get(host: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let stream = TcpStream::connect(host).expect("the server listens");
    exchange(stream, host, target, headers)
}

/// The same for `POST` of `body`.
pub(crate) fn post(host: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let stream = TcpStream::connect(host).expect("the server listens");
    send(stream, &format!("POST {target}"), host, headers, body)
}

/// The same as [`get`] over any connection, a Unix socket for one.
pub(crate) fn exchange(stream: impl Read + IoWrite, host: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    send(stream, &format!("GET {target}"), host, headers, &[])
}

fn send(mut stream: impl Read + IoWrite, request: &str, host: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut text = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    if !body.is_empty() {
        write!(text, "Content-Length: {}\r\n", body.len()).expect("writing to a String cannot fail");
    }
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").expect("writing to a String cannot fail");
    }
    stream.write_all(&[format!("{text}\r\n").as_bytes(), body].concat()).expect("the server reads");
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    // Some servers keep the connection open although they were asked not to.
    while !is_whole(&bytes) {
        match stream.read(&mut part).expect("the server answers") {
            0 => break,
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
    parse_answer(&bytes)
}

/// Whether an answer that tells its length is there, to its end.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| bytes.len() >= end + 4 + length)
}

fn parse_answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&bytes[..end]).expect("the head is text");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Answer { status: status.expect("a status"), headers: headers.collect(), body: bytes[end + 4..].to_vec() }
}

/// A running server; dropping it closes the port.
pub(crate) struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Serves on a free port of 127.0.0.1. `handler` learns the server's `host:port` with each request.
    pub(crate) fn start(handler: impl Fn(&str, &Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let ended = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared { host: address.to_string(), ended: Arc::clone(&ended), handler });
        thread::spawn(move || accept(&listener, &shared));
        Self { address, ended }
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections, which then closes the port.
        TcpStream::connect(self.address).ok();
    }
}

struct Shared<H> {
    host: String,
    ended: Arc<AtomicBool>,
    handler: H,
}

fn accept<H>(listener: &TcpListener, shared: &Arc<Shared<H>>)
where
    H: Fn(&str, &Request) -> Response + Send + Sync + 'static,
{
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(stream) = stream {
            let shared = Arc::clone(shared);
            thread::spawn(move || converse(stream, &shared));
        }
    }
}

/// Answers requests on one connection until either side ends it.
fn converse<H: Fn(&str, &Request) -> Response>(mut stream: TcpStream, shared: &Shared<H>) {
    stream.set_read_timeout(Some(IDLE)).expect("IDLE is not zero");
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be shared"));
    let mut reset = false;
    while let Some(request) = read_request(&mut reader) {
        let response = (shared.handler)(&shared.host, &request);
        reset = response.tail == Tail::Reset;
        let whole = write_response(&mut stream, &request, &response, &shared.ended);
        if !matches!(whole, Ok(true)) || shared.ended.load(Ordering::SeqCst) {
            break;
        }
    }
    if !reset {
        stream.shutdown(Shutdown::Both).ok();
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = read_line(reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, target, headers, body: Vec::new() };
    let length: usize = request.header("content-length").map_or(Some(0), |text| text.parse().ok())?;
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let count = reader.read_line(&mut line).ok()?;
    (count > 0).then(|| line.trim_end().to_owned())
}

/// Writes the answer; `false` when the connection is to end with it.
fn write_response(
    stream: &mut TcpStream,
    request: &Request,
    response: &Response,
    ended: &AtomicBool,
) -> std::io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} Status\r\n{}", response.status, length_header(response));
    if request.header("connection") == Some("close") {
        head.push_str("Connection: close\r\n");
    }
    for (name, value) in &response.headers {
        write!(head, "{name}: {value}\r\n").expect("writing to a String cannot fail");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if request.method == "HEAD" {
        return Ok(true);
    }
    let end = response.cut.unwrap_or(response.body.len()).min(response.body.len());
    let middle = if response.stall.is_some() { end / 2 } else { end };
    write_part(stream, response, &response.body[..middle])?;
    stream.flush()?;
    wait(response.stall.unwrap_or_default(), ended);
    write_part(stream, response, &response.body[middle..end])?;
    finish(stream, response, ended)?;
    let whole = end == response.body.len() && matches!(response.framing, Framing::Length | Framing::Chunked);
    if whole && response.framing == Framing::Chunked {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(whole && response.tail == Tail::Honest && request.header("connection") != Some("close"))
}

fn length_header(response: &Response) -> String {
    match response.framing {
        Framing::Length => format!("Content-Length: {}\r\n", response.body.len()),
        Framing::Says(length) => format!("Content-Length: {length}\r\n"),
        Framing::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
        Framing::Close => "Connection: close\r\n".to_owned(),
    }
}

fn write_part(stream: &mut TcpStream, response: &Response, bytes: &[u8]) -> std::io::Result<()> {
    if response.framing != Framing::Chunked || bytes.is_empty() {
        return stream.write_all(bytes);
    }
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
    stream.write_all(bytes)?;
    stream.write_all(b"\r\n")
}

fn finish(stream: &mut TcpStream, response: &Response, ended: &AtomicBool) -> std::io::Result<()> {
    match response.tail {
        Tail::Honest => Ok(()),
        // Closing a socket that lingers for no time at all sends a reset instead of an end.
        Tail::Reset => socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)),
        Tail::Endless(pause) => {
            let last = response.body.last().copied().unwrap_or(b' ');
            let more = vec![last; if pause.is_zero() { 64 << 10 } else { 1 }];
            while !ended.load(Ordering::SeqCst) {
                write_part(stream, response, &more)?;
                wait(pause, ended);
            }
            Ok(())
        }
    }
}

fn wait(time: Duration, ended: &AtomicBool) {
    let until = Instant::now() + time;
    while Instant::now() < until && !ended.load(Ordering::SeqCst) {
        thread::sleep(TICK.min(time));
    }
}
