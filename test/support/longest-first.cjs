/**
 * The order of the suites: the longest begin first, so that none is left over at the end, when the others are done.
 *
 * Jest knows how long a suite took the last time. In a fresh clone it knows nothing, and goes by the size of files; but
 * the suites with the most cases are often the shortest ones.
 */
const { existsSync } = require('node:fs');
const { join, relative } = require('node:path');

const Sequencer = require('@jest/test-sequencer').default;

/** Those that take more than nine seconds; some of them calculate, others wait. */
const LONGEST = [
	'nodes/secrets/local-llama-others',
	'lib/dify/run/reading',
	'nodes/secrets/dify',
	'lib/dify/run/limits',
	'nodes/secrets/server-health',
	'faults/faults',
	'lib/chat/text-formats/encoders',
	'nodes/secrets/sub-nodes',
	'nodes/LocalLlama/large-files',
	'nodes/secrets/local-llama-texts',
	'servers/dify-recordings',
	'lib/http/endless-bodies',
	'lib/errors/secret-mask',
	'nodes/DifyChatMessage/send',
	'lib/health/tools/tool-test',
	'lib/dify/knowledge/sync',
	'lib/chat/client',
	'scripts/which-model-server',
	'lib/chat/text-formats/families',
	'lib/dify/run/concurrency',
	'lib/http/connection.limits',
	'lib/chat/answer/tool-call-encoders',
	'lib/http/connection',
	'lib/chat/hanging-server',
	'nodes/DifyWorkflow/run/get',
	'nodes/DifyKnowledge/document/large-document',
	'nodes/shared/dify/combinations',
	'lib/dify/run/workflow',
	'nodes/shared/dify/run-files',
	'scripts/python',
];

const tests = join(__dirname, '..');
const rank = new Map(
	LONGEST.map((name, at) => {
		const file = join(tests, `${name}.test.ts`);
		if (!existsSync(file))
			throw new Error(`${relative(process.cwd(), __filename)} names a suite that is gone: ${name}`);
		return [file, at];
	}),
);

module.exports = class extends Sequencer {
	/** @param {import('@jest/test-result').Test[]} suites */
	sort(suites) {
		const rankOf = ({ path }) => rank.get(path) ?? LONGEST.length;
		return super.sort(suites).sort((one, other) => rankOf(one) - rankOf(other));
	}
};
