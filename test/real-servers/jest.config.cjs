const path = require('node:path');
const base = require('../../jest.config.cjs');

/** Tests against real model servers, without n8n; `npm run test:servers` prepares them. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	rootDir: path.resolve(__dirname, '../..'),
	roots: ['<rootDir>/test/real-servers'],
	testPathIgnorePatterns: ['/node_modules/'],
	maxWorkers: 1,
	// The first request of a model loads it, which takes long on a busy machine.
	testTimeout: 300_000,
};
