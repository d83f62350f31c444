/**
 * The order of the suites: the longest start first, so that none is still running when the others are done.
 *
 * Jest uses the duration of each suite in the last run. In a fresh clone there is none, so it uses the file size; but
 * the suites with the most cases are often the shortest ones.
 */
const { join } = require('node:path');

const Sequencer = require('@jest/test-sequencer').default;

/** Suites that take more than seven seconds; some of them calculate, others wait. */
const LONGEST = [
	'e2e/editor',
	'e2e/workflows',
	'e2e/start',
	'e2e/dify',
	'e2e/local-chat-model',
	'faults/faults',
	'full/editor',
	'full/local-llama',
	'full/server-health',
	'recordings/dify',
	'recordings/models',
	'faults/faults',
	'lib/http/dispatcher',
	'lib/http/proxy',
	'lib/linear',
	'lib/http/request-body',
	'nodes/shared/dify/lost-streams',
	'nodes/LocalLlama/text/long-response',
	'lib/text/quotations',
	'lib/health/tool-test',
	'nodes/LocalLlama/large-files',
	'nodes/shared/dify/combinations',
];

const tests = join(__dirname, '..');
const rank = new Map(LONGEST.map((name, at) => [join(tests, `${name}.test.ts`), at]));

module.exports = class extends Sequencer {
	/** @param {import('@jest/test-result').Test[]} suites */
	sort(suites) {
		const rankOf = ({ path }) => rank.get(path) ?? LONGEST.length;
		return super.sort(suites).sort((one, other) => rankOf(one) - rankOf(other));
	}
};
