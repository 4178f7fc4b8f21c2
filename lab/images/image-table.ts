import { readdirSync, readFileSync } from "node:fs";
import { projectPath } from "../../platform/paths.js";
import { KNOWN_FILES, knownBytes } from "../workloads/known-files.js";

/** What goes into one image, taken from the lab's root file system, and what `docker import` is told about it. */
export interface ImageRecipe {
  /** Short name; the tar is called after it. */
  readonly name: string;
  readonly reference: string;
  /** Absolute paths in the root file system; the libraries they are linked to come along. */
  readonly programs: readonly string[];
  /** Whole folders of the root file system; programs and shared objects in them bring their libraries. */
  readonly trees: readonly Tree[];
  readonly folders: readonly string[];
  /** Path in the image -> contents. */
  readonly files: () => ReadonlyMap<string, string | Buffer>;
  /** Dockerfile lines for `docker import --change`. */
  readonly changes: readonly string[];
}

export interface Tree {
  readonly inside: string;
  /** The one folder there whose name fits: Python's carries its version. */
  readonly named: RegExp;
  /** Entries anywhere below whose name fits are left out. */
  readonly without: RegExp;
  /** Links in it lead to folders that the image has too. Otherwise they are left out: mostly they lead to /etc or to documentation. */
  readonly keepLinks?: boolean;
}

const PATH = "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin";

/** Everything stays in memory: what moves with this workload is its memory, not files. */
const REDIS_CONF = `bind 0.0.0.0
protected-mode no
save ""
appendonly no
maxmemory-policy noeviction
daemonize no
`;

/** No log for each request; connections are never closed by the server, so that a closed one means that something broke. */
const NGINX_CONF = `daemon off;
user www-data;
worker_processes 1;
error_log /dev/stderr warn;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 1d;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  server { listen 80; root /srv/www; }
}
`;

export const IMAGES: readonly ImageRecipe[] = [
  {
    name: "redis",
    reference: "evenkeel-lab/redis:1",
    programs: ["/usr/bin/redis-server", "/usr/bin/redis-cli"],
    trees: [],
    folders: [],
    files: () => new Map([["/etc/redis.conf", REDIS_CONF]]),
    changes: [PATH, 'CMD ["redis-server","/etc/redis.conf"]', "EXPOSE 6379"],
  },
  {
    name: "nginx",
    reference: "evenkeel-lab/nginx:1",
    programs: ["/usr/sbin/nginx"],
    trees: [],
    folders: ["/var/lib/nginx", "/var/log/nginx", "/srv/www"],
    files: () =>
      new Map<string, string | Buffer>([
        ["/etc/nginx.conf", NGINX_CONF],
        ...KNOWN_FILES.map(({ name, bytes }) => [`/srv/www/${name}`, knownBytes(name, bytes)] as const),
      ]),
    changes: [PATH, 'CMD ["nginx","-c","/etc/nginx.conf"]', "EXPOSE 80", "STOPSIGNAL SIGQUIT"],
  },
  {
    name: "python",
    reference: "evenkeel-lab/python:1",
    programs: ["/usr/bin/python3"],
    trees: [
      {
        inside: "/usr/lib",
        named: /^python3\.\d+$/,
        without:
          /^(test|idlelib|ensurepip|tkinter|turtledemo|turtle\.py|pydoc_data|venv|unittest|config-.*|_?test.*\.so|_xxtest.*\.so|xxlimited.*)$/,
      },
    ],
    folders: ["/data"],
    files: () => new Map(workloadPrograms().map((name) => [`/srv/${name}`, readFileSync(`${PROGRAMS}/${name}`)])),
    changes: [PATH, "ENV PYTHONDONTWRITEBYTECODE=1", "WORKDIR /srv", 'CMD ["python3","-S","-B","/srv/burner.py"]', "EXPOSE 7000"],
  },
];

const PROGRAMS = projectPath("lab/workloads/programs");

function workloadPrograms(): string[] {
  return readdirSync(PROGRAMS)
    .filter((name) => name.endsWith(".py"))
    .sort();
}
