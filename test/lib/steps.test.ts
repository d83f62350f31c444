import { ToolCallAssembly } from '../../lib/chat/answer/tool-call-assembly';
import { fitByWords } from '../../lib/chat/request/tools-at-once';
import { callsSeen } from '../../lib/chat/text-formats/call-detector';
import { FAMILIES } from '../../lib/chat/text-formats/families';
import { mapInSteps } from '../../lib/generators';
import { shortModelNames } from '../../lib/servers/model-names';
import { fittingJson } from '../../lib/chat/json-in-text';

/** How often work yields: n8n can answer others there. */
function stepsOf(work: Generator<void, unknown>): number {
	let steps = 0;
	while (work.next().done !== true) steps += 1;
	return steps;
}

const TOOLS = new Map([['del', { name: 'del', parameters: {} }]]);
const HERMES = FAMILIES.find(({ id }) => id === 'hermes');
const CALL = '<tool_call>\n{"name":"del","arguments":{"id":1}}\n</tool_call>\n';
const MANY = 20_000;
const names = Array.from({ length: MANY }, (_, at) => `/models/${at}/model.gguf`);

describe('work on much yields', () => {
	test.each<[string, number, () => Generator<void, unknown>]>([
		['calls in a text', MANY / 1000, () => callsSeen(CALL.repeat(MANY), TOOLS, HERMES)],
		['calls of the server', 900, () => assemblyOf(900).finish(false)],
		['names of models', MANY, () => shortModelNames(names)],
		[
			'words of tools',
			1000,
			() =>
				fitByWords(
					['x'],
					Array.from({ length: 1000 }, () => ({ name: 'f', parameters: {} })),
				),
		],
		['an answer as JSON', 2, () => fittingJson(JSON.stringify('x'.repeat(10_000_000)), () => [])],
		['any list', MANY, () => mapInSteps(names, (name) => name)],
	])('%s: at least %i times', (_what, least, work) => {
		expect(stepsOf(work())).toBeGreaterThanOrEqual(least);
	});
});

function assemblyOf(calls: number): ToolCallAssembly {
	const assembly = new ToolCallAssembly();
	for (let index = 0; index < calls; index++)
		assembly.add([{ index, id: `c${index}`, name: 'f', arguments: '{"id":1}' }]);
	return assembly;
}
