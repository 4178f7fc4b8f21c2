/** Answers each line with the next number. State that a fresh start would not have. Argument: the address to listen on, of either family. */
export const COUNTING_SERVER = `
import socket, socketserver, sys, threading
count, lock = 0, threading.Lock()

class Count(socketserver.StreamRequestHandler):
    def handle(self):
        global count
        for _ in self.rfile:
            with lock:
                count += 1
                answer = count
            self.wfile.write(b"%d\\n" % answer)

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET

print("ready", flush=True)
Server((sys.argv[1], 7000), Count).serve_forever()
`;

/**
 * Asks on one connection, again and again; prints `answer N`, and at its end `closed` (orderly), `reset`, or `silent` when nothing came
 * for 20 s. Arguments: address, port.
 */
export const COUNTING_CLIENT = `
import socket, sys, time
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20)
lines = connection.makefile("rb")
end = None
while end is None:
    try:
        connection.sendall(b"next\\n")
        line = lines.readline()
        if line:
            print("answer", int(line), flush=True)
            time.sleep(0.02)
        else:
            end = "closed"
    except TimeoutError:
        end = "silent"
    except OSError:
        end = "reset"
print(end, flush=True)
`;
