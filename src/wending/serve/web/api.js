// The service's HTTP interface as the page sees it: how it stands, which model answers, a streamed chat completion.
import { readEvents } from "./sse.js";
import { apiKey } from "./settings.js";

/** A failure to show: `kind` is "unreachable", "broken" (the stream ended too early), "locked" (no valid API key) or "refused". */
export class ApiError extends Error {
  constructor(kind, { message = "", code } = {}) {
    super(message);
    this.kind = kind;
    this.code = code; // OpenAI's field: which refusal it is
  }
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...options.headers, ...authorization() } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable");
  }
  if (!response.ok) throw new ApiError(response.status === 401 ? "locked" : "refused", await errorOf(response));
  return response;
}

function authorization() {
  return apiKey() ? { Authorization: `Bearer ${apiKey()}` } : {};
}

async function errorOf(response) {
  try {
    const { message, code } = (await response.json()).error;
    return { message, code };
  } catch {
    return { message: `HTTP ${response.status} ${response.statusText}`.trim() }; // a proxy's HTML page helps nobody
  }
}

/** "ready", "starting", "locked" (no valid API key), "failed" (the engine will not answer any more) or "unreachable". */
export async function health(signal) {
  try {
    const response = await fetch("/health", { signal, cache: "no-store", headers: authorization() });
    if (response.ok) return "ready";
    if (response.status === 401) return "locked";
    return ["starting", "restarting"].includes((await response.json()).status) ? "starting" : "failed";
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return "unreachable";
  }
}

/** Waits; rejects at once when `signal` is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/** The model behind the service: {id, isDemo, maxContext, precision}; what a foreign server leaves out stays undefined. */
export async function servedModel(signal) {
  const response = await request("/v1/models", { cache: "no-store", signal });
  const [model] = (await response.json()).data;
  const facts = model.wending ?? {};
  return { id: model.id, isDemo: facts.demo === true, maxContext: facts.max_context, precision: facts.precision };
}

/** Yields the chunks of a streamed chat completion. Aborting `signal` hangs up, which stops the request in the engine. */
export async function* streamChat(body, signal) {
  const response = await request("/v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  try {
    for await (const data of readEvents(response.body)) {
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ApiError("refused", chunk.error);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ApiError || error.name === "AbortError") throw error;
    throw new ApiError("broken"); // the connection was cut, or what came is not a chat completion
  }
}
