import { readFileSync } from "node:fs";
import { IMAGES, type ImageRecipe } from "../../../lab/images/image-table.js";
import { projectPath } from "../../../platform/paths.js";

const PROGRAMS = "test/e2e/servers/programs";
const PATH = "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin";

const labImage = (name: string) => IMAGES.find((image) => image.name === name)!;
const program = (name: string) => readFileSync(projectPath(`${PROGRAMS}/${name}`));
/** A Node.js program as tsc wrote it. */
const compiled = (name: string) => readFileSync(projectPath(`dist/${PROGRAMS}/${name}`));
const nothing = /^\b$/;
/** Fonts, windows and sound: their libraries are not there on a server. */
const DESKTOP = /^(legal|man|docs|jpackage|lib(awt.*|fontmanager|javajpeg|jsound|lcms|mlib_image|j2pcsc|sctp)\.so)$/;

/** A cluster is made at the first start, in small pieces, so that what each move carries stays small too. */
const START_POSTGRES = `#!/bin/sh
set -e
as="/usr/bin/setpriv --reuid postgres --regid postgres --clear-groups"
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
if [ ! -e $data/PG_VERSION ]; then
  mkdir -p $data
  chown -R postgres:postgres /var/lib/postgresql
  $as $bin/initdb -D $data --auth=trust --locale=C --encoding=UTF8 --wal-segsize=4 --no-sync
  echo "host all all 10.77.0.0/24 trust" >> $data/pg_hba.conf
fi
chown postgres:postgres /run/postgresql
exec $as $bin/postgres -D $data -c listen_addresses=* -c unix_socket_directories=/run/postgresql "$@"
`;

/** What users, and the cluster, are called is in these two. */
const POSTGRES_USER = {
  passwd: "root:x:0:0:root:/root:/bin/sh\npostgres:x:103:103:PostgreSQL:/var/lib/postgresql:/bin/sh\n",
  group: "root:x:0:\npostgres:x:103:\n",
};

/** Two workers, and a line in a log for each answer. */
function nginxFiles(): ReadonlyMap<string, string | Buffer> {
  const configuration = String(labImage("nginx").files().get("/etc/nginx.conf"));
  const changed = configuration
    .replace("worker_processes 1;", "worker_processes 2;")
    .replace("access_log off;", "access_log /var/log/nginx/access.log;");
  return new Map([...labImage("nginx").files(), ["/etc/nginx.conf", changed]]);
}

export const SERVER_IMAGES: readonly ImageRecipe[] = [
  { ...labImage("redis"), reference: "evenkeel-servers/redis:1" },
  { ...labImage("nginx"), reference: "evenkeel-servers/nginx:1", files: nginxFiles },
  {
    ...labImage("python"),
    reference: "evenkeel-servers/python:1",
    files: () => new Map([...labImage("python").files(), ["/srv/ledger.py", program("ledger.py")]]),
  },
  {
    name: "postgres",
    reference: "evenkeel-servers/postgres:1",
    programs: ["/usr/bin/setpriv"],
    trees: [
      { inside: "/usr/lib", named: /^postgresql$/, without: /^(pgxs|llvmjit.*|bitcode)$/ },
      { inside: "/usr/share", named: /^postgresql$/, without: /^man$/ },
    ],
    folders: ["/var/lib/postgresql", "/run/postgresql", "/usr/share/zoneinfo"],
    files: () =>
      new Map([
        ["/etc/passwd", POSTGRES_USER.passwd],
        ["/etc/group", POSTGRES_USER.group],
        ["/srv/start-postgres", START_POSTGRES],
      ]),
    changes: [PATH, 'CMD ["sh","/srv/start-postgres"]', "EXPOSE 5432", "STOPSIGNAL SIGINT"],
  },
  {
    name: "node",
    reference: "evenkeel-servers/node:1",
    programs: ["/usr/bin/node"],
    trees: [{ inside: "/usr/share", named: /^nodejs$/, without: /^(docs?|man|test)$/ }],
    folders: [],
    files: () => new Map([["/srv/ledger.mjs", compiled("ledger.js")]]),
    changes: [PATH, 'CMD ["node","/srv/ledger.mjs","7000"]', "EXPOSE 7000"],
  },
  {
    name: "java",
    reference: "evenkeel-servers/java:1",
    programs: [],
    trees: [
      { inside: "/usr/lib/jvm", named: /^java-\d+-openjdk-/, without: DESKTOP, keepLinks: true },
      { inside: "/etc", named: /^java-\d+-openjdk$/, without: nothing },
    ],
    folders: [],
    files: () => new Map([["/srv/ledger.java", program("ledger.java")]]),
    changes: [PATH, 'CMD ["sh","-c","exec /usr/lib/jvm/*/bin/java -Xmx160m /srv/ledger.java 7000"]', "EXPOSE 7000"],
  },
];
