const path = require('node:path');
const process = require('node:process');
const base = require('../../jest.config.cjs');

const isOldest = process.env.LOCAL_LLAMA_N8N === '2.20';
/** n8n 3 switches the module of the Chat page off, and n8n 2.20 has other routes for it. */
const hasChatPage = process.env.N8N_DEFAULTS !== '3' && !isOldest;
/** `nodes/` walks through every operation at night, and through some of these two nodes otherwise. */
const isEvery = process.env.EVERY_OPERATION === '1';
const nodes = isEvery ? [] : ['/e2e/nodes/(?!(?:LocalLlama|DifyChatMessage)\\.)'];

/** The gate: tests in the real n8n, which `npm run test:e2e` prepares and starts. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	rootDir: path.resolve(__dirname, '../..'),
	roots: ['<rootDir>/test/e2e'],
	testPathIgnorePatterns: [
		'/node_modules/',
		...(hasChatPage ? [] : ['/chat-page.test.ts$']),
		// The panels of n8n 2.20 are others.
		...(isOldest ? ['/e2e/nodes/'] : nodes),
	],
	// Suites wait for n8n and the browser most of the time: two at a time leave a third of two cores idle.
	maxWorkers: 3,
	testEnvironment: '<rootDir>/test/e2e/support/environment.cjs',
	// Waits inside a test time out earlier, with a better message.
	testTimeout: 900_000,
};
