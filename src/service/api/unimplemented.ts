/*
 * Methods of the Notebooks API v1 (discovery document notebooks.v1, revision 20260812) that this service does not have.
 * It answers them with UNIMPLEMENTED, so that clients can distinguish them from paths that do not exist.
 */

/** The methods of a collection: of itself, of one of its resources, and custom ones by their HTTP method. */
interface Methods {
  readonly collection: readonly string[];
  readonly resource: readonly string[];
  readonly custom: Readonly<Record<string, readonly string[]>>;
}

const MISSING: Readonly<Record<string, Methods>> = {
  environments: { collection: ['GET', 'POST'], resource: ['GET', 'DELETE'], custom: {} },
  instances: {
    collection: ['GET', 'POST'],
    resource: ['GET', 'DELETE'],
    custom: {
      GET: ['getIamPolicy', 'getInstanceHealth', 'isUpgradeable'],
      PATCH: [
        'setAccelerator',
        'setLabels',
        'setMachineType',
        'updateConfig',
        'updateMetadataItems',
        'updateShieldedInstanceConfig',
      ],
      POST: [
        'diagnose',
        'migrate',
        'report',
        'reportEvent',
        'reset',
        'rollback',
        'setIamPolicy',
        'start',
        'stop',
        'testIamPermissions',
        'upgrade',
        'upgradeInternal',
      ],
    },
  },
  'instances:register': { collection: ['POST'], resource: [], custom: {} },
  runtimes: {
    collection: ['GET', 'POST'],
    resource: ['GET', 'DELETE', 'PATCH'],
    custom: {
      GET: ['getIamPolicy'],
      POST: [
        'diagnose',
        'migrate',
        'refreshRuntimeTokenInternal',
        'reportEvent',
        'reset',
        'setIamPolicy',
        'start',
        'stop',
        'switch',
        'testIamPermissions',
        'upgrade',
      ],
    },
  },
};

/**
 * Whether the API has this method, and this service does not.
 * @param collection the part of the path after the location.
 * @param resource the last part of the path, with a custom method's name; undefined for the collection.
 */
export function isUnimplemented(method: string, collection: string, resource: string | undefined): boolean {
  const missing = Object.hasOwn(MISSING, collection) ? MISSING[collection] : undefined;
  if (missing === undefined) return false;
  if (resource === undefined) return missing.collection.includes(method);
  const [, id, custom] = /^([^:]+)(?::([^:]+))?$/.exec(resource) ?? [];
  if (id === undefined) return false;
  if (custom === undefined) return missing.resource.includes(method);
  return missing.custom[method]?.includes(custom) ?? false;
}
