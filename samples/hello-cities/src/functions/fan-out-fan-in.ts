import type { ActivityHandler, OrchestrationHandler, Task } from 'durable-functions';
import * as df from 'durable-functions';

/** What `FanOutFanIn` returns. */
interface WordCount {
  readonly texts: number;
  readonly words: number;
}

/** Fan-out/fan-in: all activities run at once, and the sum is made when the last one has ended. */
const fanOutFanIn: OrchestrationHandler = function* (context) {
  const texts: string[] = yield context.df.callActivity('ListTexts', context.df.getInput());
  const counting: Task[] = texts.map((text) => context.df.callActivity('CountWords', text));
  const counts: number[] = yield context.df.Task.all(counting);
  const result: WordCount = {
    texts: counts.length,
    words: counts.reduce((sum, count) => sum + count, 0),
  };
  return result;
};
df.app.orchestration('FanOutFanIn', fanOutFanIn);

/** Text number n has n words; 10 texts unless the input says otherwise. */
const listTexts: ActivityHandler = (count: number | null | undefined): string[] =>
  Array.from({ length: count ?? 10 }, (_, index) => 'word '.repeat(index + 1).trim());
df.app.activity('ListTexts', { handler: listTexts });

const countWords: ActivityHandler = (text: string): number => text.split(' ').length;
df.app.activity('CountWords', { handler: countWords });
