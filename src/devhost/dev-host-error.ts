/**
 * An expected failure of the local Functions host: a missing file, an app that does not load, a
 * port in use. The message is one sentence for the user, with the remedy.
 */
export class DevHostError extends Error {
  override readonly name = 'DevHostError';
}
