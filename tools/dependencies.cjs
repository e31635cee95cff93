// Import rules that the type checker cannot see: data flows one way and never in a circle.
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'runtime-knows-no-feature', severity: 'error', from: { path: '^functions/src/runtime/' }, to: { path: '^functions/src/(?!runtime/)' } },
    { name: 'rules-do-no-io', severity: 'error',
      from: { path: '^functions/src/[^/]+/(?!functions|triggers|store)[^/]+\\.ts$', pathNot: ['^functions/src/runtime/', '\\.test\\.ts$'] },
      to: { path: '/(functions|triggers)\\.ts$' } },
    { name: 'functions-do-not-import-tools', severity: 'error', from: { path: '^functions/src/' }, to: { path: '^tools/' } },
  ],
  options: { doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' } },
};
