/**
 * The order of the suites: the longest begin first, so that none is left over at the end, when the others are done.
 *
 * Jest knows how long a suite took the last time. In a fresh clone it knows nothing, and goes by the size of files; but
 * the suites with the most cases are often the shortest ones.
 */
const { existsSync } = require('node:fs');
const { join, relative } = require('node:path');

const Sequencer = require('@jest/test-sequencer').default;

/** Those that take more than seven seconds, and end-to-end more than one minute; some of them calculate, others wait. */
const LONGEST = [
	'e2e/editor',
	'e2e/queue-mode-at-scale',
	'e2e/dify-trigger',
	'e2e/local-chat-model',
	'e2e/tool-test',
	'e2e/editor-failures',
	'e2e/secrets',
	'e2e/overnight-batch',
	'e2e/overnight-batch-queue',
	'e2e/local-llama',
	'e2e/kept-answers',
	'e2e/server-health',
	'e2e/start',
	'e2e/workflows',
	'e2e/editor-report',
	'lib/dify/run/limits',
	'lib/dify/run/follow',
	'faults/faults',
	'lib/dify/run/reading',
	'lib/chat/client',
	'lib/http/endless-bodies',
	'nodes/secrets/sub-nodes',
	'lib/health/tools/tool-test',
	'lib/errors/secret-mask',
	'lib/health/speed/beside-batch',
	'nodes/secrets/dify',
	'lib/http/echoes',
	'nodes/secrets/local-llama-others',
	'nodes/secrets/server-health',
	'lib/dify/run/concurrency',
	'nodes/ServerHealth/speed-test',
	'lib/http/connection.limits',
	'lib/chat/hanging-server',
	'nodes/LocalLlama/large-files',
	'lib/dify/knowledge/sync',
	'lib/dify/run/workflow',
	'lib/chat/text-formats/families',
	'lib/chat/text-formats/cases',
	'lib/media/make-images',
	'lib/http/connection',
	'lib/chat/thinking-limit',
	'servers/dify-recordings',
	'lib/chat/answer/tool-call-assembly',
	'lib/chat/text-formats/encoders',
	'bench/soak-probe',
	'nodes/shared/dify/combinations',
	'lib/health/findings/diagnosis',
	'nodes/secrets/local-llama-texts',
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
