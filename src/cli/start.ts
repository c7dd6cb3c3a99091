import type { ServerConfig } from '../config/server-config.ts';
import type { ConfigSources, RunningScheduler } from '../server/index.ts';
import { EXIT, type CliContext } from './cli-context.ts';
import { createCliLogger } from './cli-logger.ts';
import { describeStorage, readyLine, summary } from './ready.ts';
import { stopped } from './stop-signal.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openOtlp } from '../telemetry/otlp.ts';

export interface StartOptions {
  readonly config: ServerConfig;
  readonly sources: ConfigSources;
  readonly json: boolean;
}

/** `durabletask start`: serves until it is told to stop, then drains. */
export async function runStart(
  { config, sources, json }: StartOptions,
  context: CliContext,
): Promise<number> {
  const logger = createCliLogger({ level: config.logLevel, json, stderr: context.stderr });
  const { scheduler, close } = await openConfiguredScheduler(config, logger, {
    env: context.env,
    sources,
  });
  if (!context.stop.aborted) {
    const { grpcEndpoint, httpEndpoint, taskHubs } = scheduler;
    context.stdout(
      json
        ? readyLine({ grpc: grpcEndpoint, http: httpEndpoint, taskHubs })
        : summary('The scheduler is ready.', [
            ['gRPC', grpcEndpoint],
            ['Dashboard', `${httpEndpoint}/`],
            ['Task hubs', taskHubs.join(', ')],
            ['Storage', describeStorage(config.storage)],
            [
              'Connect with',
              `Endpoint=${grpcEndpoint};TaskHub=${taskHubs[0] ?? ''};Authentication=${config.authIssuers.length > 0 ? 'DefaultAzure' : 'None'}`,
            ],
          ]),
    );
  }
  await stopped(context.stop);
  logEvent(logger, 'stopping');
  await close();
  return EXIT.ok;
}

/** A scheduler, and what is to be closed with it. */
interface ConfiguredScheduler {
  readonly scheduler: RunningScheduler;
  readonly close: () => Promise<void>;
}

/**
 * The scheduler that a configuration describes, loaded only now: `--help` needs none of it. Its telemetry
 * goes where the environment says.
 */
export async function openConfiguredScheduler(
  config: ServerConfig,
  logger: Logger,
  { env, sources }: { readonly env: CliContext['env']; readonly sources?: ConfigSources },
): Promise<ConfiguredScheduler> {
  const { openScheduler } = await import('../server/index.ts');
  const telemetry = await openOtlp({ serviceName: 'durabletask-scheduler', env, logger });
  const scheduler = await openScheduler({ ...config, logger, configSources: sources });
  const close = async (): Promise<void> => {
    await scheduler.close();
    await telemetry?.close();
  };
  return { scheduler, close };
}
