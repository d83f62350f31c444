/** Recorded streams of real Dify servers that break off after any byte: the full result, or an error with the received part. */
import type { ActionNode } from '../recordings/support/dify-node-runner';
import { execute, prepare } from '../recordings/support/dify-node-runner';
import { difyExchanges } from '../recordings/support/dify-exchanges';
import type { DifySet } from '../recordings/support/dify-exchanges';
import { operationsOf } from '../recordings/support/dify-operations';
import { startDifyPlayback } from '../recordings/support/dify-playback';

type VirtualTime = typeof import('../recordings/support/virtual-time');
jest.mock(
	'node:timers',
	() => jest.requireActual<VirtualTime>('../recordings/support/virtual-time').timers,
);
jest.mock(
	'n8n-workflow',
	() => jest.requireActual<VirtualTime>('../recordings/support/virtual-time').workflow,
);

/** Set, recording, and the event after which the rest is recovered: from the run record or the agent's message. */
const CUT_STREAMS: ReadonlyArray<readonly [DifySet, string, string]> = [
	['dify-1.16.0', 'flow-stream', 'workflow_started'],
	['dify-1.16.0', 'agent-stream', 'agent_thought'],
	['dify-1.16.0', 'chat-stream', 'message_end'],
	['dify-1.16.0', 'completion', 'message_end'],
	['dify-1.16.0', 'workflow', 'workflow_started'],
	['dify-1.14.2', 'flow-stream', 'workflow_started'],
	['dify-1.14.2', 'completion', 'message_end'],
	['dify-1.14.2', 'workflow', 'workflow_started'],
];

interface CutResult {
	streamedText: string;
	/** The text of a response, or the outputs of a workflow. */
	result?: unknown;
	/** Text received before the error. */
	partial?: string;
}

/** Cuts a stream after each `step`th byte, and at the event after which the rest is recovered. @param isFrozen the connection stays open */
async function expectWholeOrFailed(
	set: DifySet,
	name: string,
	recoveryEvent: string,
	step: number,
	isFrozen = false,
): Promise<void> {
	const siblings = difyExchanges(set);
	const exchange = siblings.find((each) => each.name === name)!;
	const [row] = operationsOf(exchange);
	const playback = await startDifyPlayback(exchange, row!, siblings);
	const { body } = exchange.answer;
	const event = body.indexOf(`"event":"${recoveryEvent}"`);
	const recoveryAt = body.indexOf('\n\n', event) + 2;
	const access = { baseUrl: playback.url, apiKey: `app-${'Cut'.padEnd(24, '0')}` };
	const node = row!.node as ActionNode;
	const run = async (): Promise<CutResult> => {
		const fake = prepare(node, row!.operation, access, row!.parameters(exchange), {
			streaming: true,
			continueOnFail: true,
		});
		const [item] = await execute(node, fake);
		const { answer, outputs, error } = item!.json as Record<string, unknown>;
		const streamedText = fake.chunks
			.map(({ content, type }) => (type === 'item' ? content : ''))
			.join('');
		// Line breaks separate the outputs of a workflow.
		if (error === undefined)
			return { streamedText: streamedText.trimEnd(), result: answer ?? outputs };
		// Without the line end before the error.
		return {
			streamedText: streamedText.replace(/\n\n$/, ''),
			partial: (error as { answer?: string }).answer ?? '',
		};
	};
	try {
		const fullResult = await run();
		expect(fullResult).toMatchObject({
			streamedText: expect.stringMatching(/./) as string,
			result: expect.anything() as unknown,
		});
		const positions = Array.from({ length: Math.ceil(body.length / step) }, (_, at) => at * step);
		for (const bytes of [...positions, recoveryAt - 3, recoveryAt, body.length]) {
			const before = playback.starts();
			playback.cut(bytes, isFrozen);
			const { partial, ...result } = await run();
			expect([bytes, playback.starts()]).toEqual([bytes, before + 1]);
			if (partial === undefined) {
				expect([bytes, result]).toEqual([bytes, fullResult]);
			} else {
				expect([bytes, bytes < recoveryAt]).toEqual([bytes, true]);
				expect([bytes, result.streamedText]).toEqual([bytes, partial]);
				expect(fullResult.streamedText.slice(0, partial.length)).toBe(partial);
			}
		}
	} finally {
		await playback.close();
	}
}

/** A prime, so that all positions in an event are covered. */
const STEP = 307;

/** Ten minutes later, Dify's record is polled once. */
test.each(CUT_STREAMS)('%s %s, frozen after any byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, 5 * STEP, true);
});

test.each(CUT_STREAMS)('%s %s, cut after any byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, STEP);
});
