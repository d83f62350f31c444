const gate = require('./jest.e2e.config.cjs');

/** Tests with real parts that are no gate; `npm run test:full` prepares them. Each suite starts an n8n of its own. */
/** @type {import('jest').Config} */
module.exports = { ...gate, roots: ['<rootDir>/test/full'] };
