/** `--import` of a process whose telemetry goes where the standard variables say, as that of `durabletask start` does. */
import { silentLogger } from '../../src/telemetry/logger.ts';
import { openOtlp } from '../../src/telemetry/otlp.ts';

await openOtlp({ serviceName: 'bench', env: process.env, logger: silentLogger });
