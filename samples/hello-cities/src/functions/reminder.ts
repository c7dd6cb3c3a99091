import type { ActivityHandler, OrchestrationHandler } from 'durable-functions';
import * as df from 'durable-functions';

/** Input of `Reminder`. */
interface ReminderInput {
  readonly text: string;
  readonly afterSeconds: number;
}

/** A durable timer: the wait survives restarts of the app and of the scheduler. */
const reminder: OrchestrationHandler = function* (context) {
  const { text, afterSeconds } = context.df.getInput<ReminderInput>();
  // Orchestrators are replayed, so they take the time from the context, never from the clock.
  const dueAt = new Date(context.df.currentUtcDateTime.getTime() + afterSeconds * 1000);
  context.df.setCustomStatus({ dueAt: dueAt.toISOString() });
  yield context.df.createTimer(dueAt);
  const sent: string = yield context.df.callActivity('SendReminder', text);
  return sent;
};
df.app.orchestration('Reminder', reminder);

const sendReminder: ActivityHandler = (text: string, context): string => {
  context.log(`Reminder: ${text}`);
  return `Reminded: ${text}`;
};
df.app.activity('SendReminder', { handler: sendReminder });
