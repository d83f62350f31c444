/** A stream that is cut anywhere: the whole result, or an error with what had arrived. */
import type { AppSpec, Step } from '../../../servers/dify';
import { startApp } from '../../../lib/dify/client';
import { executeIn, prepareNode, type DifyNodeName } from '../../dify';

jest.mock('../../../../lib/http/waiting', () =>
	jest.requireActual<object>('../../../support/skipped-pauses'),
);

type Mode = AppSpec['mode'];

const WORDS = ['One ', 'two ', 'three ', '你好.'];
const WHOLE = WORDS.join('');
const steps: Step[] = WORDS.map((text) => ({ text }));
/** Every byte would take minutes; a prime, so that all places of an event are met. */
const STEP = 37;

const NODES: ReadonlyArray<[Mode, DifyNodeName, string]> = [
	['advanced-chat', 'difyChatMessage', '/chat-messages'],
	['agent-chat', 'difyChatMessage', '/chat-messages'],
	['chat', 'difyChatMessage', '/chat-messages'],
	['completion', 'difyApp', '/completion-messages'],
	['workflow', 'difyWorkflow', '/workflows/run'],
];

test.each(NODES)('%s', async (mode, node, path) => {
	const isAgent = mode === 'agent-chat';
	const reply = () => ({ steps: isAgent ? [{ round: { chunks: WORDS } }] : steps });
	let wholes = 0;
	for (let bytes = 1; bytes < 4_000; bytes += STEP) {
		const sim = await startApp({ mode, reply }, { stream: { cut: { bytes, how: 'reset' } } });
		const parameters = { resource: 'text', operation: 'generate', text: '', files: {} };
		const fake = prepareNode(node, sim, {
			mode,
			streaming: true,
			continueOnFail: true,
			...(node === 'difyApp' && { parameters }),
		});
		const [item] = await executeIn(node, fake);
		const { answer, outputs, error } = item!.json as Record<string, unknown>;
		const typed = fake.chunks.map(({ content, type }) => (type === 'item' ? content : '')).join('');
		expect(sim.requests.filter((request) => request.path === path)).toHaveLength(1);
		if (error === undefined) {
			wholes += 1;
			expect([bytes, answer ?? (outputs as { text: string }).text]).toEqual([bytes, WHOLE]);
			expect([bytes, typed]).toEqual([bytes, WHOLE]);
		} else {
			const partial = (error as { answer?: string }).answer ?? '';
			expect(WHOLE.startsWith(partial)).toBe(true);
			expect([bytes, typed]).toEqual([bytes, partial]);
		}
	}
	expect(wholes).toBeGreaterThan(0);
});
