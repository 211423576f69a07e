//! Hazards of the libc: functions behind locks that the program does not see.
//!
//! What is said of glibc was read in its sources, 2.36 to 2.42, and measured with 2.36.

use crate::model::hazard::{Expected, Hazard, Kind, Reset};

/// They, by number. Of a number the first is the one that a run takes that names no hazard.
pub(super) static ROWS: &[Hazard] = &[
    MALLOC,
    MALLOC_SMALL,
    Hazard {
        name: "malloc-mmap",
        operation: "malloc and free of 1 MiB, which is mapped by itself",
        forks: 60,
        default: false,
        ..MALLOC_SMALL
    },
    STDIO,
    Hazard {
        name: "fflush",
        operation: "fflush(NULL): every stream there is",
        functions: &["fflush", "fcloseall"],
        forks: 80,
        default: true,
        ..FOPEN
    },
    FOPEN,
    LOCALTIME,
    Hazard {
        name: "localtime-static",
        operation: "localtime, which looks at the file of the time zone too",
        functions: &["localtime", "ctime", "ctime_r"],
        forks: 25,
        default: false,
        ..LOCALTIME
    },
    Hazard {
        name: "mktime",
        operation: "mktime",
        functions: &["mktime", "timelocal"],
        forks: 60,
        default: false,
        ..LOCALTIME
    },
    Hazard {
        name: "gmtime",
        operation: "gmtime_r",
        functions: &["gmtime", "gmtime_r"],
        forks: 300,
        default: false,
        ..LOCALTIME
    },
    Hazard {
        name: "strftime",
        operation: "strftime",
        functions: &["strftime", "strftime_l", "wcsftime"],
        forks: 60,
        default: false,
        ..LOCALTIME
    },
    SETENV,
    Hazard {
        name: "putenv",
        operation: "putenv of the same string",
        functions: &["putenv"],
        forks: 200,
        default: false,
        ..SETENV
    },
    Hazard {
        name: "getenv",
        operation: "getenv while nobody changes the environment",
        lock: "none: getenv takes no lock in any glibc so far",
        reset: Reset::NotOurs,
        since: "ever; since 2.41 it is also safe beside most changes by setenv",
        source: "-",
        advice: "reading the environment in the child is safe as long as no thread changes it",
        steps: &[
            "getenv looks through the environment without any lock, so there is none that the \
             child could find held.",
            "It is safe only as long as nobody changes the environment at that moment: before \
             glibc 2.41 the child of a fork in the middle of a setenv may read what is half moved.",
        ],
        functions: &[],
        forks: 2_000,
        fork: Expected::Safe,
        raw: Expected::Safe,
        default: false,
        ..SETENV
    },
    RANDOM,
    Hazard {
        name: "rand",
        operation: "rand",
        functions: &["rand", "srand"],
        default: false,
        ..RANDOM
    },
    Hazard {
        name: "drand48",
        operation: "drand48",
        lock: "none: its state is shared without one",
        reset: Reset::NotOurs,
        since: "ever",
        source: "-",
        advice: "no hang; but child and parent continue the same sequence, so seed the child anew",
        steps: &[
            "drand48 changes a state that all threads share, without a lock, so there is none that \
             the child could find held.",
            "What it returns beside other threads is not defined, and the child repeats the \
             numbers of its parent.",
        ],
        functions: &[],
        forks: 2_000,
        fork: Expected::Safe,
        raw: Expected::Safe,
        default: false,
        ..RANDOM
    },
    SYSLOG,
    Hazard {
        name: "setlogmask",
        operation: "setlogmask",
        functions: &["setlogmask", "openlog", "closelog"],
        default: false,
        ..SYSLOG
    },
    GETPWNAM,
    Hazard {
        name: "getgrnam",
        operation: "getgrnam(\"root\")",
        functions: &["getgrnam", "getgrgid"],
        default: false,
        ..GETPWNAM
    },
    Hazard {
        name: "getservbyname",
        operation: "getservbyname(\"http\", \"tcp\")",
        functions: &["getservbyname", "getservbyport", "getprotobyname", "getprotobynumber"],
        default: false,
        ..GETPWNAM
    },
    Hazard {
        name: "gethostbyname",
        operation: "gethostbyname(\"localhost\")",
        functions: &["gethostbyname", "gethostbyname2", "gethostbyaddr"],
        default: false,
        ..GETPWNAM
    },
    Hazard {
        name: "getpwnam_r",
        operation: "getpwnam_r(\"root\")",
        lock: "the list of databases (nss_database), streams, malloc",
        reset: Reset::Yes,
        since: "2.34, where the list of databases got a lock of its own",
        source: "-",
        advice: "no hang was seen with fork() where the databases are files; POSIX does not promise \
                 it, so look names up before the fork all the same",
        steps: &[
            "getpwnam_r has no buffer of its own, and so not the lock of getpwnam.",
            "The locks that it does take, of the list of databases, of streams and of malloc, \
             fork() of the libc takes first and gives back in the child; a raw clone does not.",
        ],
        functions: &[],
        forks: 2_000,
        fork: Expected::Safe,
        raw: Expected::Hangs,
        default: false,
        ..GETPWNAM
    },
    GETADDRINFO,
    Hazard {
        name: "getaddrinfo-ip",
        operation: "getaddrinfo(\"127.0.0.1\") with AI_NUMERICHOST",
        lock: "malloc",
        reset: Reset::Yes,
        since: "ever",
        source: "-",
        advice: "look names up before the fork and hand the child an address",
        steps: &[
            "With AI_NUMERICHOST there is nothing to look up: no file is read, no server asked.",
            "What is left is malloc, which fork() of the libc protects and a raw clone does not.",
        ],
        functions: &[],
        forks: 500,
        fork: Expected::Safe,
        raw: Expected::Unknown,
        default: false,
        ..GETADDRINFO
    },
    DL_ITERATE_PHDR,
    Hazard {
        name: "dlopen-new",
        operation: "threads: dl_iterate_phdr; child: dlopen of a new library",
        functions: &["dlopen", "dlmopen"],
        steps: &[
            "A thread of the parent walks the list of loaded libraries, as unwinders and profilers \
             do, and holds dl_load_write_lock.",
            "Another thread forks. fork() of the libc resets dl_load_lock and dl_load_tls_lock in \
             the child, but not dl_load_write_lock.",
            "The child loads a library that was not loaded: a plug-in, a module for names or for \
             alphabets. To put it on the list dlopen waits for the lock that nobody will release.",
        ],
        vfork: false,
        forks: 60,
        ..DL_ITERATE_PHDR
    },
    DLOPEN,
    SETLOCALE,
    Hazard {
        name: "newlocale",
        operation: "newlocale and freelocale",
        functions: &["newlocale", "freelocale", "duplocale"],
        vfork: true,
        default: false,
        ..SETLOCALE
    },
    ICONV_OPEN,
    BINDTEXTDOMAIN,
    Hazard {
        name: "dgettext",
        operation: "dgettext of a message without translation",
        advice: "translating in the child is safe as long as no thread binds domains or changes \
                 the locale",
        steps: &[
            "dgettext takes the lock for reading only, and readers do not keep each other out: a \
             child that finds it held by readers goes on.",
            "It waits only if a thread was changing a binding (bindtextdomain) or the locale at \
             the moment of the fork.",
        ],
        functions: &[],
        forks: 2_000,
        fork: Expected::Safe,
        raw: Expected::Unknown,
        default: false,
        ..BINDTEXTDOMAIN
    },
    POPEN,
    EXIT,
    READDIR,
    REGEXEC,
    SEM_OPEN,
    Hazard {
        name: "sem_close",
        operation: "sem_close, of a semaphore without a name: it looks for it in vain",
        functions: &["sem_close"],
        forks: 300,
        default: false,
        ..SEM_OPEN
    },
    Hazard {
        name: "sem_post",
        operation: "sem_post and sem_trywait of a semaphore of the process's own",
        lock: "none: a number that is changed in one step",
        reset: Reset::NotOurs,
        since: "ever",
        source: "-",
        advice: "sem_post is among the functions that POSIX allows after a fork",
        steps: &[
            "sem_post adds to a number in one step and wakes whoever waits; there is no lock.",
            "So the child finds a number, never something held.",
        ],
        functions: &[],
        forks: 2_000,
        fork: Expected::Safe,
        raw: Expected::Safe,
        default: false,
        ..SEM_OPEN
    },
    GETUTENT,
    FMTMSG,
];

const MALLOC: Hazard = Hazard {
    id: "H01",
    name: "malloc",
    kind: Kind::Lock,
    operation: "malloc and free of 6,400 bytes, more than a thread keeps for itself",
    lock: "the lock of an arena of malloc",
    reset: Reset::Yes,
    since: "glibc has always reset it in fork(); the order against stdio since 2.24",
    source: "glibc BZ19431",
    advice: "fork() is safe here; _Fork, clone and clone3 are not: allocate nothing after them",
    steps: &[
        "A thread of the parent is inside malloc and holds the lock of an arena.",
        "Another thread forks. fork() of the libc takes every lock of malloc first, and so waits \
         for that thread; a raw clone does not.",
        "The child of the raw clone has the lock in the state held, and no thread that would \
         release it. Its next malloc waits for ever.",
    ],
    functions: &["malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc"],
    forks: 100,
    fork: Expected::Safe,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const MALLOC_SMALL: Hazard = Hazard {
    id: "H02",
    name: "malloc-small",
    operation: "malloc and free of 16 blocks of 64 bytes, of which a thread keeps 7",
    source: "every sandbox or runtime that calls clone itself; glibc manual, _Fork",
    steps: &[
        "A thread of the parent gives small blocks back. A few of them it keeps for itself \
         (tcache), without any lock; the rest go to an arena, whose lock it takes.",
        "Another thread calls _Fork, clone or clone3, which nobody tells malloc about.",
        "The child uses up the few blocks that it has for itself. The next malloc takes the lock \
         of the arena, which is held in its copy of the memory, by nobody. So a child that \
         allocates little may work for years, and hang after a harmless change.",
    ],
    functions: &["_Fork", "clone"],
    forks: 300,
    ..MALLOC
};

const STDIO: Hazard = Hazard {
    id: "H04",
    name: "stdio",
    kind: Kind::Lock,
    operation: "fputs to a stream that all threads write",
    lock: "the lock of the FILE",
    reset: Reset::Yes,
    since: "glibc has always reset it in fork(); the order against malloc since 2.24",
    source: "glibc BZ19431",
    advice: "fork() is safe here; _Fork, clone and clone3 are not. What is buffered is in both \
             processes: fflush before the fork, and _exit in the child",
    steps: &[
        "A thread of the parent writes a line and holds the lock of the stream.",
        "Another thread forks. fork() of the libc makes the lock of every stream free in the \
         child; a raw clone does not.",
        "The child of the raw clone writes to the same stream, and waits for a thread that it \
         does not have.",
    ],
    functions: &["fputs", "fwrite", "fprintf", "printf", "puts", "fputc", "fgets", "getline"],
    forks: 80,
    fork: Expected::Safe,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const FOPEN: Hazard = Hazard {
    id: "H05",
    name: "fopen",
    operation: "fopen of /dev/null 32 times, and fclose, the oldest first",
    lock: "list_all_lock, of the list of all streams",
    advice: "fork() is safe here; _Fork, clone and clone3 are not. Mind H31: fork() itself waits \
             for this lock",
    steps: &[
        "A thread of the parent puts a stream on the list of all streams, or walks along the list \
         to flush them, and holds its lock.",
        "Another thread forks. fork() of the libc takes that lock first and gives it back in \
         both processes; a raw clone does not.",
        "The child of the raw clone opens, closes or flushes, and waits for a thread that it does \
         not have.",
    ],
    functions: &["fopen", "fclose", "fdopen", "freopen"],
    forks: 2_000,
    default: false,
    ..STDIO
};

const LOCALTIME: Hazard = Hazard {
    id: "H06",
    name: "localtime",
    kind: Kind::Lock,
    operation: "localtime_r",
    lock: "tzset_lock",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "lxc PR 1318, rocksdb PR 10652, toplingdb #12",
    advice: "format times before the fork, or in the new image; a logger must not write in the \
             child",
    steps: &[
        "A thread of the parent converts a time, for a line of its log, and holds tzset_lock.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child logs too: its conversion of a time waits for a lock that nobody will release.",
    ],
    functions: &["localtime_r"],
    forks: 300,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const SETENV: Hazard = Hazard {
    id: "H07",
    name: "setenv",
    kind: Kind::Lock,
    operation: "setenv of the same name to the same value",
    lock: "envlock",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "collectd PR 2925, mir PR 3591, rust PR 82949",
    advice: "build the environment of the new image before the fork, and hand it to execve or \
             posix_spawn",
    steps: &[
        "A thread of the parent changes the environment and holds envlock.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child sets a variable for the program that it is about to execute, as many a spawn \
         function does, and waits for a lock that nobody will release.",
    ],
    functions: &["setenv", "unsetenv", "clearenv"],
    forks: 80,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const RANDOM: Hazard = Hazard {
    id: "H08",
    name: "random",
    kind: Kind::Lock,
    operation: "random",
    lock: "the lock of the state of random and rand",
    reset: Reset::No,
    since: "every glibc so far (2.42); since 2.40 rand takes it only beside other threads",
    source: "reproduced here; no incident is known to us",
    advice: "in the child use random_r with a state of its own, or getrandom",
    steps: &[
        "A thread of the parent draws a number and holds the lock of the state.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child draws a number, for the name of a temporary file or for a pause, and waits for \
         a lock that nobody will release.",
    ],
    functions: &["random", "srandom", "initstate", "setstate"],
    forks: 200,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const SYSLOG: Hazard = Hazard {
    id: "H09",
    name: "syslog",
    kind: Kind::Lock,
    operation: "syslog of a message that the mask leaves out, so that it reaches no log",
    lock: "syslog_lock",
    reset: Reset::No,
    since: "every glibc so far (2.42); before the look at the mask since 2.33 (BZ 26100)",
    source: "the classic hang of a daemon; no single incident is known to us",
    advice: "log nothing in the child: report a failure to the parent through a pipe, or write(2) \
             to a descriptor",
    steps: &[
        "A thread of the parent logs a message and holds syslog_lock, as a rule for as long as the \
         message takes to reach the log.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child logs that it is about to execute something, or that it cannot, and waits for a \
         lock that nobody will release.",
    ],
    functions: &["syslog", "vsyslog"],
    forks: 500,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const GETPWNAM: Hazard = Hazard {
    id: "H10",
    name: "getpwnam",
    kind: Kind::Lock,
    operation: "getpwnam(\"root\")",
    lock: "a lock of the function's own, which guards its one buffer",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "openpbs PR 2299, PR 2651",
    advice: "look users, groups and hosts up before the fork; the _r functions have no such lock",
    steps: &[
        "A thread of the parent looks a user up. The function has one buffer for all threads, and \
         holds its lock while it reads /etc/passwd.",
        "Another thread forks, to start something as another user. fork() of the libc does not \
         know that lock.",
        "The child looks the user up and waits for a lock that nobody will release.",
    ],
    functions: &["getpwnam", "getpwuid"],
    forks: 25,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const GETADDRINFO: Hazard = Hazard {
    id: "H11",
    name: "getaddrinfo",
    kind: Kind::Lock,
    operation: "getaddrinfo(\"localhost\"), which /etc/hosts answers",
    lock: "locks of resolv_conf, of nss_files and of check_pf",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "resque #1630, code-dot-org PR 75161, datadogpy PR 848",
    advice: "look names up before the fork, or execute at once and look them up in the new image",
    steps: &[
        "A thread of the parent looks a host up, and holds one of several locks of the resolver.",
        "Another thread forks: a worker of a pool, say. fork() of the libc knows none of them.",
        "The worker connects to its database, looks its host up, and waits for a lock that nobody \
         will release.",
    ],
    functions: &["getaddrinfo", "getnameinfo"],
    forks: 100,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const DL_ITERATE_PHDR: Hazard = Hazard {
    id: "H12",
    name: "dl_iterate_phdr",
    kind: Kind::Lock,
    operation: "dl_iterate_phdr",
    lock: "dl_load_write_lock",
    reset: Reset::No,
    since: "every glibc since 2.12, where the lock is new; dl_load_lock is reset",
    source: "gperftools #1210, #1583, rust #88585",
    advice: "no profiler, no unwinding by dl_iterate_phdr, no dlopen in the child; load before \
             the fork",
    steps: &[
        "A thread of the parent walks the list of loaded libraries, as unwinders and profilers \
         do, and holds dl_load_write_lock.",
        "Another thread forks. fork() of the libc resets dl_load_lock and dl_load_tls_lock in the \
         child, but not dl_load_write_lock.",
        "The child walks the list too, since its profiler samples it or since it throws an \
         exception, and waits for a lock that nobody will release.",
    ],
    functions: &["dl_iterate_phdr"],
    forks: 60,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const DLOPEN: Hazard = Hazard {
    id: "H12",
    name: "dlopen",
    operation: "dlopen and dlclose of a library that is loaded",
    lock: "dl_load_lock",
    reset: Reset::Yes,
    since: "reset by fork() in every glibc that was read (2.36 to 2.42)",
    advice: "fork() is safe as long as the library is loaded; _Fork, clone and clone3 are not",
    steps: &[
        "A thread of the parent looks for a library and holds dl_load_lock.",
        "Another thread forks. fork() of the libc makes that lock free in the child; a raw clone \
         does not.",
        "The child of the raw clone looks for a library, and waits for a thread that it does not \
         have. If the library were new, fork() would not help: see dlopen-new.",
    ],
    functions: &["dlsym", "dladdr", "dlclose"],
    forks: 60,
    fork: Expected::Safe,
    raw: Expected::Hangs,
    ..DL_ITERATE_PHDR
};

const SETLOCALE: Hazard = Hazard {
    id: "H13",
    name: "setlocale",
    kind: Kind::Lock,
    operation: "setlocale to C.UTF-8, and back to C",
    lock: "__libc_setlocale_lock, for readers and writers",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "choose the locale before the fork; uselocale takes no lock",
    steps: &[
        "A thread of the parent loads or frees a locale, and holds the lock for writing.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child chooses the locale for what it is to do, and waits for a lock that nobody will \
         release.",
    ],
    functions: &["setlocale"],
    forks: 25,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: false,
    default: true,
};

const ICONV_OPEN: Hazard = Hazard {
    id: "H14",
    name: "iconv_open",
    kind: Kind::Lock,
    operation: "iconv_open and _close, from UTF-8 to six alphabets in turn",
    lock: "__gconv_lock",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "open conversions before the fork",
    steps: &[
        "A thread of the parent opens a conversion between two alphabets, and holds the lock of \
         the list of conversions.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child opens a conversion, or writes the first wide character to a stream, and waits \
         for a lock that nobody will release.",
    ],
    functions: &["iconv_open", "iconv_close"],
    forks: 50,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: false,
    default: true,
};

const BINDTEXTDOMAIN: Hazard = Hazard {
    id: "H15",
    name: "bindtextdomain",
    kind: Kind::Lock,
    operation: "bindtextdomain of the last of 300 domains to the same directory",
    lock: "_nl_state_lock, for readers and writers",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "bind domains before the first thread starts",
    steps: &[
        "A thread of the parent binds a domain of messages, and holds the lock for writing: a \
         plug-in that is loaded late does so.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child binds a domain, or translates a message, and waits for a lock that nobody will \
         release.",
    ],
    functions: &["bindtextdomain", "bind_textdomain_codeset"],
    forks: 40,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const POPEN: Hazard = Hazard {
    id: "H16",
    name: "popen",
    kind: Kind::Lock,
    operation: "popen of a shell that does nothing, and pclose",
    lock: "proc_file_chain_lock, of the list of streams that popen has opened",
    reset: Reset::No,
    since: "until glibc 2.40; fork() takes and resets it since 2.41 (9f0d2c0ee6)",
    source: "glibc 9f0d2c0ee6, Fix a deadlock after fork in popen",
    advice: "posix_spawn with a pipe; system() has no such list",
    steps: &[
        "A thread of the parent calls popen, and holds the lock of the list of such streams while \
         the shell is started, which is long.",
        "Another thread forks. fork() of glibc before 2.41 does not know that lock.",
        "The child calls popen or pclose, and waits for a lock that nobody will release.",
    ],
    functions: &["popen", "pclose"],
    forks: 20,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: false,
    default: true,
};

const EXIT: Hazard = Hazard {
    id: "H17",
    name: "exit",
    kind: Kind::Lock,
    operation: "threads: atexit, and take it back; child: exit instead of _exit",
    lock: "__exit_funcs_lock",
    reset: Reset::No,
    since: "every glibc so far (2.42); since 2.41 exit takes a lock against other threads first",
    source: "reproduced here; the rule to call _exit is older than threads",
    advice: "_exit, never exit, in a child that does not execute; exit would also write what is \
             buffered a second time",
    steps: &[
        "A thread of the parent registers a function with atexit, as the first use of many a C++ \
         object does, and holds __exit_funcs_lock.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child is done, or cannot execute, and calls exit. To find what is to be called it \
         waits for a lock that nobody will release: it does not even end.",
    ],
    functions: &["exit", "atexit", "__cxa_atexit"],
    forks: 60,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: false,
    default: true,
};

const READDIR: Hazard = Hazard {
    id: "H18",
    name: "readdir",
    kind: Kind::Lock,
    operation: "readdir of a DIR that all threads share",
    lock: "the lock of the DIR",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "open a directory of its own in the child, by open and getdents64; close_range needs \
             no list of descriptors",
    steps: &[
        "A thread of the parent reads the next entry of a directory, and holds the lock of it.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child reads on in the same directory, and waits for a lock that nobody will release. \
         A directory that only the child opens is not affected, save that opening it allocates.",
    ],
    functions: &["readdir", "readdir_r", "rewinddir", "seekdir", "telldir"],
    forks: 25,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const REGEXEC: Hazard = Hazard {
    id: "H19",
    name: "regexec",
    kind: Kind::Lock,
    operation: "regexec of a pattern that all threads share",
    lock: "the lock of the compiled pattern (dfa->lock)",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "compile a pattern in the child, or match before the fork",
    steps: &[
        "A thread of the parent matches a line against a pattern, and holds the lock of the \
         pattern as long as it matches.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child matches against the same pattern, and waits for a lock that nobody will release.",
    ],
    functions: &["regexec"],
    forks: 25,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const SEM_OPEN: Hazard = Hazard {
    id: "H20",
    name: "sem_open",
    kind: Kind::Lock,
    operation: "sem_open and sem_close of a semaphore with a name",
    lock: "sem_mappings_lock",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "open semaphores before the fork; sem_post and sem_wait take no lock",
    steps: &[
        "A thread of the parent opens a semaphore, and holds the lock of the list of those that \
         are open.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child opens or closes a semaphore, and waits for a lock that nobody will release.",
    ],
    functions: &["sem_open"],
    forks: 200,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const GETUTENT: Hazard = Hazard {
    id: "H21",
    name: "getutent",
    kind: Kind::Lock,
    operation: "setutent and getutent",
    lock: "__libc_utmp_lock",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "read or write the list of sessions before the fork, or in the new image",
    steps: &[
        "A thread of the parent reads the list of sessions (utmp), and holds its lock.",
        "Another thread forks, to start a session. fork() of the libc does not know that lock.",
        "The child looks the session up or enters it, and waits for a lock that nobody will \
         release.",
    ],
    functions: &[
        "setutent",
        "getutent",
        "getutline",
        "getutid",
        "pututline",
        "setutxent",
        "getutxent",
        "pututxline",
        "getlogin",
    ],
    forks: 25,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};

const FMTMSG: Hazard = Hazard {
    id: "H22",
    name: "fmtmsg",
    kind: Kind::Lock,
    operation: "fmtmsg, with ten severities more, of what is shown nowhere",
    lock: "a lock of fmtmsg's own",
    reset: Reset::No,
    since: "every glibc so far (2.42)",
    source: "reproduced here; no incident is known to us",
    advice: "write(2) to descriptor 2",
    steps: &[
        "A thread of the parent reports something to the operator, and holds the lock of the list \
         of severities, as a rule for as long as the message takes to be written.",
        "Another thread forks. fork() of the libc does not know that lock.",
        "The child reports something, and waits for a lock that nobody will release.",
    ],
    functions: &["fmtmsg", "addseverity"],
    forks: 200,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
};
