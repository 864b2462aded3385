use super::command::{Next, Step, line_of, next};
use super::elf::Elf;
use super::port::address;

fn step(words: &[&str]) -> Step {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Step { words, directory: "/app".to_owned(), by_shell: false }
}

#[test]
fn commands_are_followed_to_the_program_that_stays() {
    let follow = |words: &[&str]| match next(&step(words), false) {
        Next::Step(step) => format!("{} in {}", step.words.join(" "), step.directory),
        Next::Stays => "stays".to_owned(),
        Next::Riddle(why) => format!("? {why}"),
    };
    let table: Vec<(Vec<&str>, &str)> = vec![
        (vec!["gunicorn", "main:app"], "stays"),
        (vec!["/bin/sh", "-c", "exec gunicorn --bind :$PORT main:app"], "gunicorn --bind :$PORT main:app in /app"),
        (vec!["sh", "-c", "cd /srv && A=1 python -u main.py"], "python -u main.py in /srv"),
        (vec!["sh", "-c", "cd web && node ."], "node . in /app/web"),
        (vec!["bash", "-euo", "pipefail", "-c", "python main.py"], "python main.py in /app"),
        (vec!["sh", "-c", "alembic upgrade head && exec uvicorn main:app"], "uvicorn main:app in /app"),
        (vec!["sh", "-c", "python a.py | tee log"], "? the shell's line `python a.py | tee log`"),
        (vec!["sh", "-c", "python a.py & python b.py"], "? the shell's line `python a.py & python b.py`"),
        (vec!["sh", "-c", "$APP run"], "? the shell's line `$APP run`"),
        (vec!["sh", "-c", ""], "? the shell's line ``"),
        (vec!["sh", "start.sh", "x"], "? what the script `start.sh x` does"),
        (vec!["sh"], "stays"),
        (vec!["tini", "--", "python", "main.py"], "python main.py in /app"),
        (vec!["tini", "-g", "python", "main.py"], "python main.py in /app"),
        (vec!["env", "A=1", "python", "main.py"], "python main.py in /app"),
        (vec!["env", "-i", "python"], "? the flags of env"),
    ];
    for (words, expected) in table {
        assert_eq!(follow(&words), expected, "{words:?}");
    }
    assert_eq!(
        next(&step(&["/entry.sh", "gunicorn", "x"]), true),
        Next::Riddle("what /entry.sh, a script, does with `gunicorn x`".to_owned())
    );
}

#[test]
fn addresses_are_those_that_are_written_out() {
    let of = |line: &str| address(&shlex::split(line).unwrap());
    let both = |host: &str, port: &str| Some((Some(host.to_owned()), Some(port.to_owned())));
    assert_eq!(of("gunicorn -b 0.0.0.0:5000 main:app"), both("0.0.0.0", "5000"));
    assert_eq!(of("gunicorn --bind=:8080 main:app"), both("", "8080"));
    assert_eq!(of("gunicorn --bind :$PORT main:app"), Some((Some(String::new()), None)));
    assert_eq!(of("uvicorn main:app --host 127.0.0.1 --port 8000"), both("127.0.0.1", "8000"));
    assert_eq!(of("python main.py"), None);
}

#[test]
fn anything_may_be_in_a_program_and_in_a_line() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next_byte = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_le_bytes()[3]
    };
    for length in 0..2_000_usize {
        let mut bytes: Vec<u8> = (0..length % 300).map(|_| next_byte()).collect();
        let _ = line_of(&step(&[]), &String::from_utf8_lossy(&bytes));
        bytes.splice(0..0, *b"\x7fELF\x02\x01");
        let _ = Elf::parse(&bytes);
        bytes[4] = 1;
        let _ = Elf::parse(&bytes);
    }
}

#[test]
fn this_very_program_is_read() {
    let bytes = std::fs::read("/proc/self/exe").unwrap();
    let elf = Elf::parse(&bytes).unwrap();
    let own = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    assert_eq!(elf.runs_on(own), Some(true));
    assert_eq!(elf.runs_on("s390x"), Some(false));
    assert_eq!(elf.runs_on("toaster"), None);
    let loader = elf.interpreter.map(|name| String::from_utf8(name).unwrap());
    assert!(loader.is_none_or(|name| name.contains("/ld-")));
}
