// One conversation: its messages, the answer being made, and how that answer went. Knows nothing of elements.
//
// A message is {role, content}; an answer also has
//   status            "waiting" (for a service that starts), "streaming", "done", "stopped" (by the person) or "error"
//   finishReason      why the model ended, as the service says
//   timeToFirstToken  seconds from sending to the first non-empty text
//   tokensPerSecond   (tokens - 1) / (last text - first text)
//   tokens            completion tokens, as the service counts them
//   error             {kind, message}
import { ApiError, health, pause, servedModel, streamChat } from "./api.js";
import { read, write } from "./storage.js";
import { samplingFields, systemPrompt } from "./settings.js";

// Text that comes in one burst was collected on its way: its times say nothing about how fast it was made.
const SHORTEST_SPAN = 5; // milliseconds

export class Chat {
  #controller = null;

  /** `onChange` is called after each change; `onModel` with the model about to answer, undefined if none can. */
  constructor({ onChange, onModel }) {
    this.onChange = onChange;
    this.onModel = onModel;
    this.messages = read("conversation", []);
  }

  get busy() {
    return this.#controller !== null;
  }

  send(text) {
    this.messages.push({ role: "user", content: text });
    return this.#answer();
  }

  /** Asks again for the last answer, which is given up. */
  retry() {
    this.messages.pop();
    return this.#answer();
  }

  stop() {
    this.#controller?.abort();
  }

  clear() {
    this.stop();
    this.#controller = null;
    this.messages = [];
    this.#changed();
  }

  /** The page is being left: what there is of an answer is kept, as stopped. */
  leave() {
    this.stop();
    for (const message of this.messages) if (isUnfinished(message)) message.status = "stopped";
    this.#save();
  }

  #save() {
    write("conversation", this.messages);
  }

  async #answer() {
    const controller = new AbortController();
    this.#controller = controller;
    const request = { messages: this.#requestMessages(), ...samplingFields() };
    const answer = { role: "assistant", content: "", status: "streaming" };
    this.messages.push(answer);
    this.#changed();
    try {
      await this.#streamWhenReady(request, answer, controller.signal);
      answer.status = "done";
    } catch (error) {
      this.#fail(answer, error, controller.signal);
    }
    if (this.#controller === controller) this.#controller = null; // unless a new chat was begun meanwhile
    this.#changed();
  }

  #requestMessages() {
    const system = systemPrompt();
    const turns = this.messages.filter(({ content }) => content).map(({ role, content }) => ({ role, content }));
    return system ? [{ role: "system", content: system }, ...turns] : turns;
  }

  /** A service that is still starting says so: then the answer waits for it. */
  async #streamWhenReady(request, answer, signal) {
    try {
      await this.#stream(request, answer, signal);
    } catch (error) {
      if (error.code !== "starting") throw error;
      answer.status = "waiting";
      this.#changed();
      do await pause(1000, signal);
      while ((await health(signal)) === "starting");
      answer.status = "streaming";
      this.#changed();
      await this.#stream(request, answer, signal);
    }
  }

  async #stream(request, answer, signal) {
    const model = await servedModel(signal);
    this.onModel(model);
    const start = performance.now();
    let first;
    let last;
    for await (const chunk of streamChat({ model: model.id, ...request }, signal)) {
      const [choice] = chunk.choices;
      if (choice?.delta?.content) {
        last = performance.now();
        first ??= last;
        answer.timeToFirstToken = (first - start) / 1000;
        answer.content += choice.delta.content;
        this.onChange();
      }
      if (choice?.finish_reason) answer.finishReason = choice.finish_reason;
      if (chunk.usage) {
        answer.tokens = chunk.usage.completion_tokens;
        if (answer.tokens > 1 && last - first > SHORTEST_SPAN) {
          answer.tokensPerSecond = (answer.tokens - 1) / ((last - first) / 1000);
        }
      }
    }
    if (!answer.finishReason) throw new ApiError("broken");
  }

  #fail(answer, error, signal) {
    if (signal.aborted) {
      answer.status = "stopped";
      return;
    }
    if (!(error instanceof ApiError)) console.error(error); // an answer in a form that this page does not understand
    answer.status = "error";
    answer.error = { kind: error.kind ?? "broken", message: error.message };
    if (["unreachable", "locked"].includes(error.kind) || error.code === "engine_dead") this.onModel(undefined);
  }

  #changed() {
    this.#save();
    this.onChange();
  }
}

function isUnfinished({ status }) {
  return status === "streaming" || status === "waiting";
}
