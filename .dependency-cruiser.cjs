/** The import rule of the house: data walks through the rooms in one direction. */
const rooms = '^(domain|ports|workflows|activities|workers|renderer|contracts|farm-ui/api|farm-ui/web|cli|infra|test)/';
const tests = '\\.test\\.tsx?$';

/** `from` may import only the named rooms of ours (and itself). */
const only = (from, allowed, options = {}) => ({
  name: `${from.replaceAll('/', '-')}-imports`,
  severity: 'error',
  comment: `${from} imports only: ${[from, ...allowed].join(', ')}`,
  from: { path: `^${from}/`, pathNot: [tests, ...(options.fromNot ?? [])] },
  to: { path: rooms, pathNot: `^(${[from, ...allowed].join('|')})/`, ...options.to },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('domain', []),
    only('ports', ['domain']),
    // Workflows see activities as types only: their code runs in Temporal's sandbox.
    only('workflows', ['domain', 'activities']),
    {
      name: 'workflows-activities-types-only',
      severity: 'error',
      comment: 'workflows import types of activities, never their code',
      from: { path: '^workflows/', pathNot: tests },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    only('activities', ['domain', 'ports', 'renderer']),
    only('renderer', ['domain']),
    only('farm-ui/web', ['cli/sdk']),
    only('cli', ['infra/stack', 'renderer'], { fromNot: ['^cli/sdk/'] }),
    // How a file is read over HTTP and which processes run is the same on a studio's machine, and needs nothing else of the farm.
    only('cli/sdk', ['ports/http', 'ports/host']),
    only('ports/http', []),
    only('ports/host', []),
    {
      name: 'domain-pure',
      severity: 'error',
      comment: 'domain does no I/O',
      from: { path: '^domain/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules|assembly)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
