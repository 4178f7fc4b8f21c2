import java.io.*;
import java.net.*;
import java.security.MessageDigest;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.CRC32;

/** What ledger.py does, on a JVM: the ledgers are in its heap, a thread for each connection, and the collector has work all the time. */
class Ledger {
  record Entry(String word, String tip) {}

  static final String START = "0".repeat(64);
  static final int PIECES = 48;
  static final int PIECE_BYTES = 1 << 20;
  static final Map<String, List<Entry>> ledgers = new ConcurrentHashMap<>();
  static final ThreadLocal<Integer> own = ThreadLocal.withInitial(() -> 0);

  public static void main(String[] args) throws Exception {
    Thread.ofPlatform().daemon().start(Ledger::churn);
    try (var listener = new ServerSocket(Integer.parseInt(args[0]))) {
      System.out.println("ready");
      while (true) {
        Socket connection = listener.accept();
        connection.setTcpNoDelay(true);
        Thread.ofPlatform().daemon().start(() -> converse(connection));
      }
    }
  }

  /** Replaces piece after piece of the heap, and ends the server when one is not what it was. */
  static void churn() {
    var random = new Random();
    var pieces = new byte[PIECES][];
    var sums = new long[PIECES];
    for (int turn = 0; ; turn++) {
      int index = turn % PIECES;
      if (pieces[index] != null && sum(pieces[index]) != sums[index]) Runtime.getRuntime().halt(3);
      pieces[index] = new byte[PIECE_BYTES];
      random.nextBytes(pieces[index]);
      sums[index] = sum(pieces[index]);
      try {
        Thread.sleep(50);
      } catch (InterruptedException interrupted) {
        return;
      }
    }
  }

  static void converse(Socket connection) {
    try (connection;
        var lines = new BufferedReader(new InputStreamReader(connection.getInputStream(), "US-ASCII"));
        var out = connection.getOutputStream()) {
      var name = "";
      var served = 0;
      for (String line; (line = lines.readLine()) != null; ) {
        var words = line.split(" ");
        if (words[1].equals("open")) name = words[2];
        var text = words[0] + " " + ++served + " " + answer(name, words);
        out.write("%s %08x\n".formatted(text, sum(text.getBytes("US-ASCII"))).getBytes("US-ASCII"));
      }
    } catch (Exception gone) {
      System.err.println(gone);
    }
  }

  static String answer(String name, String[] words) throws Exception {
    switch (words[1]) {
      case "open":
        ledgers.computeIfAbsent(name, any -> Collections.synchronizedList(new ArrayList<>()));
        return "opened";
      case "put":
        var entries = ledgers.get(name);
        var tip = chained(entries.isEmpty() ? START : entries.getLast().tip(), words[2]);
        entries.add(new Entry(words[2], tip));
        own.set(own.get() + 1);
        return entries.size() + " " + tip + " " + own.get();
      case "audit":
        var held = new ArrayList<>(ledgers.get(words[2]));
        var audited = START;
        for (Entry entry : held) audited = chained(audited, entry.word());
        return held.size() + " " + audited;
      default:
        return "error " + words[1];
    }
  }

  static String chained(String before, String word) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest((before + " " + word).getBytes("US-ASCII")));
  }

  static long sum(byte[] data) {
    var sum = new CRC32();
    sum.update(data);
    return sum.getValue();
  }
}
