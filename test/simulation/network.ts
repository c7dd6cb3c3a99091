/** One message on its way. */
export interface Message {
  readonly label: string;
  readonly deliver: () => void;
  /** Delivers it without an effect on the one who sent it, as a repeated packet does. */
  readonly repeat?: (() => void) | undefined;
  /** Loses it; the sender learns of it or not. */
  readonly lose?: ((isNoticed: boolean) => void) | undefined;
}

/** Messages in order, in one direction of one call. */
export class Link {
  readonly queue: Message[] = [];
  /** Nothing gets through, and nobody notices. */
  isStalled = false;
}

/** All messages that are under way; the driver says which is delivered next. */
export class Network {
  readonly #links = new Set<Link>();
  /** Counts messages sent: a sign of life. */
  sent = 0;

  send(link: Link, message: Message): void {
    this.sent += 1;
    link.queue.push(message);
    this.#links.add(link);
  }

  /** Links with something to deliver. */
  ready(): readonly Link[] {
    return [...this.#links].filter(({ queue, isStalled }) => queue.length > 0 && !isStalled);
  }

  /** Takes the first message off a link. */
  take(link: Link): Message {
    const message = link.queue.shift();
    if (!message) throw new Error('an empty link was chosen');
    if (link.queue.length === 0) this.#links.delete(link);
    return message;
  }

  clear(link: Link): void {
    link.queue.length = 0;
    this.#links.delete(link);
  }
}
