import type { MessageInitShape } from '@bufbuild/protobuf';
import type { WorkItemFiltersSchema } from '../proto/orchestrator_service_pb.ts';
import type { NameFilter, Registry } from './registry.ts';
import { onlyVersion } from './versioning.ts';
import type { Versioning } from './versioning.ts';
import type { WorkItemFilter, WorkItemFilters } from './worker-options.ts';

/**
 * The wire form of a worker's filters; `undefined` asks for everything. `auto` is what is registered:
 * each name with its versions. A worker of one version (`Strict`) asks for orchestrations of that
 * version alone. Its activities are not narrowed so: they carry a version only where the call named
 * one, and nobody else might take those without.
 */
export function encodeFilters(
  filters: WorkItemFilters | 'auto' | undefined,
  { registry, versioning }: { readonly registry: Registry; readonly versioning: Versioning },
): MessageInitShape<typeof WorkItemFiltersSchema> | undefined {
  if (filters === undefined) return undefined;
  if (filters === 'auto') {
    const version = onlyVersion(versioning);
    const orchestrations = registry.orchestratorFilters();
    return {
      orchestrations: (version === undefined
        ? orchestrations
        : narrow(orchestrations, version)
      ).map(encodeFilter),
      activities: registry.activityFilters().map(encodeFilter),
      entities: registry.entityFilters().map(({ name }) => ({ name })),
    };
  }
  const { orchestrations = [], activities = [], entities = [] } = filters;
  return {
    orchestrations: orchestrations.map(encodeFilter),
    activities: activities.map(encodeFilter),
    entities: entities.map(({ name }) => ({ name: name.toLowerCase() })),
  };
}

/** Leaves out what serves other versions only. */
function narrow(filters: readonly NameFilter[], version: string): readonly NameFilter[] {
  return filters
    .filter(({ versions }) => versions.length === 0 || versions.includes(version))
    .map(({ name }) => ({ name, versions: [version] }));
}

function encodeFilter({ name, versions = [] }: WorkItemFilter) {
  return { name, versions: [...versions] };
}
