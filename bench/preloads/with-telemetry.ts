/** `--import` of a process whose telemetry goes where the standard variables say, as that of `durabletask start` does. */
import { silentLogger } from '../../src/telemetry/logger.ts';
import { openOtlpTraces } from '../../src/telemetry/otlp-traces.ts';

await openOtlpTraces({ serviceName: 'bench', env: process.env, logger: silentLogger });
