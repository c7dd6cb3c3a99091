/** Lets waiting socket reads and timers run before the caller goes on (one turn of the event loop). */
export function nextLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
