// Server-sent events read from a byte stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).
// Only `data` matters here; event names, ids and comment lines (the pings of a server or proxy) are passed over.

/** Yields the data of each event. Characters, lines and events may be split anywhere between two chunks of bytes. */
export async function* readEvents(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder(); // streaming: holds back the first bytes of an unfinished character; drops the BOM
  let pending = "";
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      pending += done ? decoder.decode() : decoder.decode(value, { stream: true });
      // A CR at the very end may be the first half of a CRLF: it stays until the next chunk shows.
      const lines = pending.split(done ? /\r\n|\r|\n/ : /\r\n|\r(?!$)|\n/);
      pending = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (data.length) yield data.join("\n");
          data = [];
        } else if (line === "data" || line.startsWith("data:")) {
          data.push(line.slice(5).replace(/^ /, ""));
        }
      }
      if (done) return; // an event without its closing empty line is incomplete and is dropped, as the standard says
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
