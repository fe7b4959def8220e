// Which folder may import which: machines <- impl <- conformance, and inside impl from the ports outward.
const rule = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    rule('machines-are-pure', 'a machine knows no code', '^machines', '^(impl|conformance|test|bench)'),
    rule(
      'impl-knows-no-harness',
      'the same code runs in production and in the harness',
      '^impl/(?!cli|dx|server)',
      '^(conformance|test|bench)',
    ),
    rule(
      'engine-knows-no-component',
      'only drivers and descriptors may',
      '^conformance/(?!drivers/|components/|sim/|validate-cluster/)',
      '^impl',
    ),
    rule(
      'ports-first',
      'ports and crypto know nothing above them',
      '^impl/(ports|crypto)',
      '^impl/(storage|vsr|kernel|server|client|cli|dx)',
    ),
    rule(
      'wire-below',
      'the wire format is shared by server and client and knows neither',
      '^impl/wire',
      '^impl/(storage|vsr|kernel|server|client|cli|dx)',
    ),
    rule(
      'client-stands-alone',
      'a client is a program of its own: wire format, ports and crypto only',
      '^impl/client',
      '^(machines|conformance|test|bench|impl/(storage|vsr|kernel|server|cli|dx)/)',
    ),
    rule('storage-below', 'storage knows no replica', '^impl/storage', '^impl/(vsr|kernel|server|client|cli|dx)'),
    rule('protocol-below', 'protocol and kernel know no server', '^impl/(vsr|kernel)', '^impl/(server|client|cli|dx)'),
    rule(
      'dx-is-removable',
      'the program is whole without impl/dx: it is loaded at run time, by name',
      '^(machines|conformance|impl/(?!dx/))',
      '^impl/dx',
    ),
    rule(
      'only-ports-touch-the-world',
      'disk, network and processes go through the ports',
      // The exceptions, each with its reason, stand in test/repository/rules.ts, which holds globals too.
      '^(machines|impl/(?!ports/|cli/(settings|secret-files|https-request|local-cluster|replica-process|free-ports|engine-process|repl|main|commands/check|commands/append)[.]ts))',
      '^(node:)?(fs|fs/promises|net|dgram|http|timers|child_process|worker_threads)$',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
