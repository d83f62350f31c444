const gate = require('../e2e/jest.config.cjs');

/** Slow tests with real servers, prepared by `npm run test:full`. Each suite starts a separate n8n. */
/** @type {import('jest').Config} */
module.exports = { ...gate, maxWorkers: 2, roots: ['<rootDir>/test/full'] };
