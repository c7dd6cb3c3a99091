/** A TypeScript app as the Functions templates have it, checked against the installed package. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const TYPE_ROOTS = [fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))];
const APP = `
import { app, HttpHandler, HttpRequest, HttpResponse, InvocationContext } from '@azure/functions';
import * as df from 'durabletask-scheduler';
import { ActivityHandler, OrchestrationContext, OrchestrationHandler } from 'durabletask-scheduler';
import { TaskHubClient } from 'durabletask-scheduler/client';
import { TestHub } from 'durabletask-scheduler/testing';
import { TaskHubWorker } from 'durabletask-scheduler/worker';

const hello: OrchestrationHandler = function* (context: OrchestrationContext) {
  const outputs = [];
  outputs.push(yield context.df.callActivity('sayHello', 'Tokyo'));
  return outputs;
};
df.app.orchestration('hello', hello);
const sayHello: ActivityHandler = (input: string): string => 'Hello ' + input;
df.app.activity('sayHello', { handler: sayHello });
const start: HttpHandler = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponse> => {
  const client = df.getClient(context);
  const id: string = await client.startNew('hello', { input: await request.text() });
  return client.createCheckStatusResponse(request, id);
};
app.http('start', { extraInputs: [df.input.durableClient()], handler: start });
const dummy: df.DummyEntityContext<number> = new df.DummyEntityContext<number>('name');
export const used = [TaskHubClient.open, TestHub.open, TaskHubWorker, dummy.df];
`;

/** What a compiler with these options finds wrong, in the app and in the declarations of the package. */
export function problemsOfTemplateApp(dir: string, options: ts.CompilerOptions): string[] {
  writeFileSync(join(dir, 'app.ts'), APP);
  const program = ts.createProgram([join(dir, 'app.ts')], {
    ...{ noEmit: true, types: ['node'], typeRoots: TYPE_ROOTS, ignoreDeprecations: '6.0' },
    ...options,
  });
  const isOurs = (file: string): boolean =>
    !file.includes('/node_modules/') || file.includes('/node_modules/durabletask-scheduler/');
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || isOurs(file.fileName))
    .map(({ file, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n');
      return `${file?.fileName ?? ''}: ${text}`;
    });
}
